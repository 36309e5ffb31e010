//! Born at zero. `rate()` cannot see the increment that creates a series, so a series that was nonzero when it was first
//! exposed shows zero for a hold, then the truth, and is never held again.
//!
//! Every scraper that scrapes within the hold loses nothing. The hot path knows nothing of it: only the renderer, which
//! is off the request threads, touches these cells.

use std::sync::atomic::{AtomicU64, Ordering};

/// When a series was first exposed to a scrape, and whether it was nonzero then.
#[derive(Debug, Default)]
pub(crate) struct Birth(AtomicU64);

/// What a rendering knows about births: the time, the hold, and whether this is a scrape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hold {
    pub(crate) now: u64,
    pub(crate) span: u64,
    pub(crate) scrape: bool,
}

impl Birth {
    /// Whether the series must be shown as zero now. Readers that are no scrapers see true values and change nothing.
    pub(crate) fn held(&self, nonzero: bool, hold: Hold) -> bool {
        if !hold.scrape {
            return false;
        }
        let state = self.0.load(Ordering::Acquire);
        let state = if state == 0 {
            // The lowest bit is the flag; a nanosecond more or less is no matter.
            let born = hold.now.max(2) & !1 | u64::from(nonzero);
            // Pages of both formats may be rendered at the same time: the first decides, or one of them would show the
            // truth and the next page zero.
            self.0.compare_exchange(0, born, Ordering::AcqRel, Ordering::Acquire).map_or_else(|first| first, |_| born)
        } else {
            state
        };
        state & 1 == 1 && hold.now.saturating_sub(state & !1) < hold.span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonzero_birth_is_held_once() {
        let at = |now, scrape| Hold { now, span: 100, scrape };
        let birth = Birth::default();
        assert!(!birth.held(true, at(10, false)), "a reader that is no scraper changes nothing");
        assert!(birth.held(true, at(1_000, true)) && birth.held(true, at(1_099, true)));
        assert!(!birth.held(true, at(1_200, true)) && !birth.held(true, at(9_000, true)));
        let idle = Birth::default();
        assert!(!idle.held(false, at(1_000, true)));
        assert!(!idle.held(true, at(1_010, true)), "born at zero, so its rise is seen");
    }
}
