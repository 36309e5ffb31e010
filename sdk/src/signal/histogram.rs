//! Fixed-bucket histograms.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use super::clock;
use super::shard::{SHARDS, shard};
use crate::trace::RequestContext;

/// Most bounds that a histogram can have; one slot more is `+Inf`. With the sum that is two cache lines.
pub(crate) const SLOTS: usize = 31;
/// Most bounds.
pub(crate) const MOST_BOUNDS: usize = SLOTS - 1;

#[derive(Debug, Default)]
#[repr(C, align(128))] // in this order: the sum and the first buckets share a cache line
struct Cells {
    /// Microseconds: nanoseconds would overflow after 21 days at 10,000 requests in flight.
    sum_micros: AtomicU64,
    buckets: [AtomicU64; SLOTS],
}

/// Durations counted into buckets, sharded.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: &'static [u64],
    shards: [Cells; SHARDS],
    made: u64,
    /// Allocated by the first sampled request.
    exemplars: OnceLock<Box<Mutex<[Option<Exemplar>; SLOTS]>>>,
}

/// One observation of a bucket, and the trace that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exemplar {
    pub(crate) context: RequestContext,
    pub(crate) nanos: u64,
    /// When it was seen, on the monotonic clock.
    pub(crate) at: u64,
}

/// A reading: cumulative counts per bound and for `+Inf`, and the sum in microseconds, or in units when those are whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reading {
    pub(crate) bounds: &'static [u64],
    pub(crate) cumulative: Vec<u64>,
    pub(crate) sum_micros: u64,
    /// When the series was made.
    pub(crate) made: u64,
    /// One per bucket, not cumulative; empty when no request was sampled.
    pub(crate) exemplars: Vec<Option<Exemplar>>,
}

impl Reading {
    /// Number of observations.
    pub(crate) fn count(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }

    /// The same shape with nothing in it: how a held series is shown.
    pub(crate) fn zero(&self) -> Self {
        Self { bounds: self.bounds, cumulative: vec![0; self.cumulative.len()], made: self.made, ..Self::default() }
    }

    /// Adds another reading of the same bounds.
    pub(crate) fn add(&mut self, other: &Self) {
        self.sum_micros += other.sum_micros;
        self.made = self.made.min(other.made);
        self.cumulative.iter_mut().zip(&other.cumulative).for_each(|(a, b)| *a += b);
        if self.exemplars.is_empty() {
            self.exemplars.clone_from(&other.exemplars);
        }
        let both = self.exemplars.iter_mut().zip(&other.exemplars);
        both.for_each(|(a, b)| *a = [*a, *b].into_iter().flatten().max_by_key(|it| it.at));
    }
}

impl Histogram {
    /// An empty histogram; of more bounds than it holds, it keeps the first.
    pub(crate) fn new(bounds: &'static [u64]) -> Self {
        let bounds = &bounds[..bounds.len().min(MOST_BOUNDS)];
        Self { bounds, shards: Default::default(), made: clock::now(), exemplars: OnceLock::new() }
    }

    /// Counts one observation in nanoseconds.
    pub(crate) fn record(&self, nanos: u64) {
        self.count(nanos, nanos / 1_000);
    }

    /// Counts one observation in whole units; the sum is in units too.
    pub(crate) fn record_whole(&self, units: u64) {
        self.count(units, units);
    }

    #[inline]
    fn count(&self, value: u64, sum: u64) {
        let cells = &self.shards[shard()];
        let slot = self.slot(value);
        cells.sum_micros.fetch_add(sum, Ordering::Relaxed);
        cells.buckets[slot].fetch_add(1, Ordering::Release);
    }

    fn slot(&self, nanos: u64) -> usize {
        self.bounds.iter().position(|bound| nanos <= *bound).unwrap_or(self.bounds.len())
    }

    /// Remembers the trace of an observation that has been counted. Whoever finds the slots in use goes on: an exemplar
    /// is one of many, and nobody waits for it.
    #[cold]
    pub(crate) fn exemplify(&self, nanos: u64, at: u64, context: RequestContext) {
        let slots = self.exemplars.get_or_init(|| Box::new(Mutex::new([None; SLOTS])));
        if let Ok(mut slots) = slots.try_lock() {
            slots[self.slot(nanos)] = Some(Exemplar { context, nanos, at });
        }
    }

    fn exemplars(&self) -> Vec<Option<Exemplar>> {
        let slots = self.exemplars.get().and_then(|it| it.lock().ok().map(|it| *it));
        slots.map_or_else(Vec::new, |it| it[..=self.bounds.len()].to_vec())
    }

    /// The sum of all shards. The count is the last cumulative value, so the three can never disagree.
    pub(crate) fn read(&self) -> Reading {
        // The exemplars first: each belongs to an observation that the counts below hold.
        let (bounds, exemplars) = (self.bounds, self.exemplars());
        let mut reading =
            Reading { bounds, cumulative: vec![0; bounds.len() + 1], sum_micros: 0, made: self.made, exemplars };
        for cells in &self.shards {
            for (slot, value) in reading.cumulative.iter_mut().enumerate() {
                *value += cells.buckets[slot].load(Ordering::Acquire);
            }
            reading.sum_micros += cells.sum_micros.load(Ordering::Relaxed);
        }
        let mut below = 0;
        for value in &mut reading.cumulative {
            below += *value;
            *value = below;
        }
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_fall_into_their_buckets() {
        let histogram = Histogram::new(&[10_000, 20_000]);
        for nanos in [1_000, 10_000, 10_001, 20_000, 99_000] {
            histogram.record(nanos);
        }
        let reading = histogram.read();
        assert_eq!(reading.cumulative, [2, 4, 5]);
        assert_eq!((reading.count(), reading.sum_micros), (5, 140));
        assert!(reading.exemplars.is_empty(), "nothing is kept before a request is sampled");
    }

    #[test]
    fn the_last_sampled_observation_of_a_bucket_is_its_exemplar() {
        let histogram = Histogram::new(&[10_000, 20_000]);
        for (at, nanos) in [(1, 5_000), (2, 15_000), (3, 6_000)] {
            histogram.record(nanos);
            histogram.exemplify(nanos, at, RequestContext::NONE);
        }
        let seen = |reading: &Reading| reading.exemplars.iter().map(|it| it.map(|it| it.at)).collect::<Vec<_>>();
        let mut reading = histogram.read();
        assert_eq!(seen(&reading), [Some(3), Some(2), None]);
        assert!(reading.zero().exemplars.is_empty(), "a held series has none");
        let other = Histogram::new(&[10_000, 20_000]);
        other.exemplify(99_000, 4, RequestContext::NONE);
        reading.add(&other.read());
        assert_eq!(seen(&reading), [Some(3), Some(2), Some(4)]);
    }
}
