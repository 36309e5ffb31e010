//! Fixed-bucket histograms.

use std::sync::atomic::{AtomicU64, Ordering};

use super::shard::{SHARDS, shard};

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
}

/// A reading: cumulative counts per bound and for `+Inf`, and the sum in microseconds, or in units when those are whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reading {
    pub(crate) bounds: &'static [u64],
    pub(crate) cumulative: Vec<u64>,
    pub(crate) sum_micros: u64,
}

impl Reading {
    /// Number of observations.
    pub(crate) fn count(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }

    /// The same shape with nothing in it: how a held series is shown.
    pub(crate) fn zero(&self) -> Self {
        Self { bounds: self.bounds, cumulative: vec![0; self.cumulative.len()], sum_micros: 0 }
    }
}

impl Histogram {
    /// An empty histogram; of more bounds than it holds, it keeps the first.
    pub(crate) fn new(bounds: &'static [u64]) -> Self {
        Self { bounds: &bounds[..bounds.len().min(MOST_BOUNDS)], shards: Default::default() }
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
        let slot = self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len());
        cells.sum_micros.fetch_add(sum, Ordering::Relaxed);
        cells.buckets[slot].fetch_add(1, Ordering::Release);
    }

    /// The sum of all shards. The count is the last cumulative value, so the three can never disagree.
    pub(crate) fn read(&self) -> Reading {
        let mut reading = Reading { bounds: self.bounds, cumulative: vec![0; self.bounds.len() + 1], sum_micros: 0 };
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
    }
}
