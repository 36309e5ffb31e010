//! Sharded counters: each thread adds in a cell of its own, so that cores do not fight over a cache line.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::birth::{Birth, Hold};
use super::clock;

/// Number of shards. Two cache lines each; four serve small machines and cost little on large ones.
pub(crate) const SHARDS: usize = 4;

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Of a thread that has no shard yet.
const NONE: usize = usize::MAX;

thread_local! {
    static SHARD: Cell<usize> = const { Cell::new(NONE) };
}

/// This thread's shard.
#[inline]
pub(crate) fn shard() -> usize {
    // Below `SHARDS` also for the compiler: the index needs no check.
    match SHARD.get() {
        NONE => assign(),
        shard => shard % SHARDS,
    }
}

#[cold]
fn assign() -> usize {
    let shard = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    SHARD.set(shard);
    shard
}

#[derive(Debug)]
#[repr(align(128))]
struct Line {
    count: AtomicU64,
    /// Of the first line only: the room is there.
    birth: Birth,
    made: u64,
}

/// A counter that only rises.
#[derive(Debug, Default)]
pub(crate) struct Counter([Line; SHARDS]);

impl Default for Line {
    fn default() -> Self {
        Self { count: AtomicU64::new(0), birth: Birth::default(), made: clock::now() }
    }
}

impl Counter {
    /// Adds `n`. Release: whoever reads it with [`Counter::get`] sees what this thread did before.
    pub(crate) fn add(&self, n: u64) {
        self.0[shard()].count.fetch_add(n, Ordering::Release);
    }

    /// The sum of all shards.
    pub(crate) fn get(&self) -> u64 {
        self.0.iter().map(|cell| cell.count.load(Ordering::Acquire)).sum()
    }

    /// The value, or zero while the series is held.
    pub(crate) fn shown(&self, hold: Hold) -> u64 {
        let value = self.get();
        if self.0[0].birth.held(value > 0, hold) { 0 } else { value }
    }

    /// When it was made.
    pub(crate) fn made(&self) -> u64 {
        self.0[0].made
    }
}
