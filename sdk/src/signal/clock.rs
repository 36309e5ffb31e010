//! One monotonic clock as nanoseconds, and where it began on the wall.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static ANCHOR: LazyLock<(Instant, SystemTime)> = LazyLock::new(|| (Instant::now(), SystemTime::now()));

/// Nanoseconds since the process first asked; never 0, which means "never" elsewhere.
pub(crate) fn now() -> u64 {
    let since = ANCHOR.0.elapsed();
    // `as_nanos` is a multiplication of 128 bits; this one overflows after 584 years.
    since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos()) + 1
}

/// The wall-clock time of a reading of [`now`].
pub(crate) fn wall(nanos: u64) -> SystemTime {
    ANCHOR.1.checked_add(Duration::from_nanos(nanos)).unwrap_or(UNIX_EPOCH)
}
