//! One monotonic clock as nanoseconds, and where it stood on the wall.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

static ANCHOR: LazyLock<(u64, SystemTime)> = LazyLock::new(|| (now(), SystemTime::now()));

/// Nanoseconds since some time before the process began; never 0, which means "never" elsewhere.
#[inline]
pub(crate) fn now() -> u64 {
    // The differences of `Instant` check and carry; of one integer they are a subtraction.
    let time = clock_gettime(ClockId::Monotonic);
    #[expect(clippy::cast_sign_loss, reason = "this clock does not stand before its beginning")]
    let (seconds, nanos) = (time.tv_sec as u64, time.tv_nsec as u64);
    seconds * 1_000_000_000 + nanos + 1
}

/// The wall-clock time of a reading of [`now`], which may be older than the first call.
pub(crate) fn wall(nanos: u64) -> SystemTime {
    let (at, wall) = *ANCHOR;
    let time = match nanos.checked_sub(at) {
        Some(later) => wall.checked_add(Duration::from_nanos(later)),
        None => wall.checked_sub(Duration::from_nanos(at - nanos)),
    };
    time.unwrap_or(UNIX_EPOCH)
}
