//! Answers that are kept: used again while they are fresh, and when there is no better one.

use std::time::{Duration, Instant};

use kilter::contract::{Label, Values, signals};
use kilter::{Cache, Counter, Telemetry};

use crate::platform::{Grant, NoAnswer, Platform};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Where an answer came from.
const SOURCE: Label = Label::new(
    "source",
    "identity.source",
    Values::Closed(&["cache", "platform", "stale", "none"]),
    false,
    "Where the answer came from: none is no answer.",
);

signals! {
    family "identity";
    /// Answers, by where they came from.
    ANSWERS = counter "identity_answers_total", otel "identity.answers", unit Count,
        help "Answers to who a token belongs to, by where they came from.", labels [SOURCE];
}

/// For how long answers are kept, and how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    pub(crate) fresh: Duration,
    pub(crate) stale: Duration,
    pub(crate) entries: u64,
}

/// Answers from the platform, or from before.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    platform: Platform,
    keep: Keep,
    kept: moka::sync::Cache<String, Kept>,
    cache: Cache,
    from_cache: Counter,
    from_platform: Counter,
    stale: Counter,
    none: Counter,
}

/// What the platform said, and when.
#[derive(Debug, Clone)]
struct Kept {
    grant: Option<Grant>,
    at: Instant,
}

impl Answers {
    pub(crate) fn new(telemetry: &Telemetry, platform: Platform, keep: Keep) -> Self {
        // More than the cache can count is for ever.
        let longest = keep.fresh.max(keep.stale).min(YEAR);
        let kept = moka::sync::Cache::builder().max_capacity(keep.entries).time_to_live(longest).build();
        // One line of Kilter: hits, misses and their time; and one for each kind of answer.
        let cache = telemetry.cache("tokens");
        let from = |source| telemetry.counter(&ANSWERS, [(SOURCE, source)]);
        let [from_cache, from_platform, stale, none] = ["cache", "platform", "stale", "none"].map(from);
        Self { platform, keep, kept, cache, from_cache, from_platform, stale, none }
    }

    /// Whose token has this fingerprint; `None` is nobody's.
    pub(crate) async fn of(&self, fingerprint: &str) -> Result<Option<Grant>, NoAnswer> {
        let kept = self.kept.get(fingerprint);
        let fresh = || kept.clone().filter(|it| it.at.elapsed() < self.keep.fresh);
        if let Some(kept) = self.cache.get_sync(fresh) {
            self.from_cache.add(1);
            return Ok(kept.grant);
        }
        match (self.platform.ask(fingerprint).await, kept.filter(|it| it.at.elapsed() < self.keep.stale)) {
            (Ok(grant), _) => {
                let kept = Kept { grant: grant.clone(), at: Instant::now() };
                self.cache.set_sync(|| self.kept.insert(fingerprint.to_owned(), kept));
                self.from_platform.add(1);
                Ok(grant)
            }
            (Err(why), Some(kept)) => {
                tracing::debug!(?why, "a stale answer");
                self.stale.add(1);
                Ok(kept.grant)
            }
            (Err(why), None) => {
                self.none.add(1);
                Err(why)
            }
        }
    }
}
