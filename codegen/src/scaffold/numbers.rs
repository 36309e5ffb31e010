//! Objectives and thresholds: what the traffic that was seen meets today, or plain defaults.

use super::Seen;
use crate::exposition::Histogram;
use crate::model::Duration;

/// Objectives from strict to lax, as text and as a share.
const LADDER: &[(&str, f64)] =
    &[("99.9%", 0.999), ("99.5%", 0.995), ("99%", 0.99), ("95%", 0.95), ("90%", 0.9), ("80%", 0.8), ("50%", 0.5)];

/// With fewer events one failure more or less changes the picture.
const ENOUGH: f64 = 1_000.0;

/// The objective for a share of good events: the default, unless the traffic misses that today.
pub(super) fn objective(default: &'static str, seen: &Seen) -> &'static str {
    let good = 1.0 - seen.bad / seen.events.max(1.0);
    let from = LADDER.iter().position(|(text, _)| *text == default).unwrap_or(0);
    let met = LADDER[from..].iter().find(|(_, share)| good >= *share).filter(|_| seen.events >= ENOUGH);
    met.map_or(default, |(text, _)| text)
}

/// In words: how many there were, and how many of them were bad.
pub(super) fn told(seen: &Seen, what: &str, bad: &str) -> String {
    if seen.events < 1.0 {
        return format!("No {what} seen yet, so the objective is a usual one.");
    }
    let share = percent(seen.bad / seen.events);
    let few = if seen.events < ENOUGH { "; too few to tell" } else { "" };
    format!("{:.0} {what} seen, {share} of them {bad}{few}.", seen.events)
}

/// A latency SLO: the bound, its objective and why.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Latency {
    pub(super) threshold: Duration,
    pub(super) objective: &'static str,
    pub(super) why: String,
}

/// The smallest bound that 99% of the events do not exceed, or fewer where even the largest bound is exceeded by more.
/// Bounds are seconds; only whole milliseconds can be asked for.
pub(super) fn latency(seen: &Histogram, what: &str, default: Option<Duration>) -> Option<Latency> {
    let usable: Vec<(Duration, f64)> =
        seen.buckets.iter().filter_map(|(bound, below)| Some((millis(*bound)?, *below))).collect();
    if seen.count < 1.0 {
        let middle = usable.get(usable.len() / 2).map(|(bound, _)| *bound);
        let known = |it: &Duration| usable.is_empty() || usable.iter().any(|(bound, _)| bound == it);
        let threshold = default.filter(known).or(middle)?;
        let why = format!("No {what} seen yet, so the threshold is a guess.");
        return Some(Latency { threshold, objective: "99%", why });
    }
    let few = if seen.count < ENOUGH { "; too few to tell" } else { "" };
    for (objective, share) in LADDER.iter().filter(|(_, share)| (0.9..=0.99).contains(share)) {
        let Some((bound, below)) = usable.iter().find(|(_, below)| *below >= seen.count * share) else { continue };
        let met = percent(*below / seen.count);
        let why = format!("{met} of {:.0} {what} took at most {bound}, the nearest bound{few}.", seen.count);
        return Some(Latency { threshold: *bound, objective, why });
    }
    let (bound, below) = usable.last()?;
    let why = format!(
        "Only {} of {:.0} {what} took at most {bound}, the largest bound: this alerts at once.",
        percent(below / seen.count),
        seen.count
    );
    Some(Latency { threshold: *bound, objective: "90%", why })
}

/// A bound in seconds as a duration, when it has whole milliseconds.
fn millis(seconds: f64) -> Option<Duration> {
    let millis = seconds * 1_000.0;
    let whole = millis.round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and a day of milliseconds")]
    ((whole - millis).abs() < 1e-6 && (1.0..=86_400_000.0).contains(&whole))
        .then_some(Duration::from_millis(whole as u64))
}

/// `0.21%`; what is not everything is never shown as 100%.
fn percent(share: f64) -> String {
    let hundredths = share * 10_000.0;
    let shown = if share < 1.0 { hundredths.floor().min(9_999.0) } else { hundredths.floor() };
    let text = format!("{:.2}", shown / 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_what_the_traffic_meets() {
        for (events, bad, chosen) in
            [(100_000.0, 50.0, "99.9%"), (100_000.0, 400.0, "99.5%"), (1_000.0, 600.0, "99.9%"), (10.0, 5.0, "99.9%")]
        {
            let seen = Seen { events, bad, durations: Histogram::default() };
            assert_eq!(objective("99.9%", &seen), chosen, "{bad} of {events}");
        }
    }

    #[test]
    fn thresholds_are_bounds_near_the_99th_percentile() {
        let at = |buckets: &[(f64, f64)], count| {
            let seen = Histogram { buckets: buckets.to_vec(), count };
            latency(&seen, "requests", Some(Duration::from_millis(250)))
                .map(|it| (it.threshold.to_string(), it.objective))
        };
        let some = |threshold: &str, objective| Some((threshold.to_owned(), objective));
        assert_eq!(at(&[(0.1, 9_800.0), (0.25, 9_950.0), (0.5, 10_000.0)], 10_000.0), some("250ms", "99%"));
        assert_eq!(at(&[(0.1, 9_600.0), (0.25, 9_650.0)], 10_000.0), some("100ms", "95%"));
        assert_eq!(at(&[(0.1, 10.0)], 10_000.0), some("100ms", "90%"));
        assert_eq!(
            at(&[(0.000_25, 10_000.0), (0.5, 10_000.0)], 10_000.0),
            some("500ms", "99%"),
            "no whole milliseconds"
        );
        assert_eq!(
            at(&[(0.1, 0.0), (0.2, 0.0), (0.4, 0.0)], 0.0),
            some("200ms", "99%"),
            "the default is no bound here"
        );
        assert_eq!(at(&[], 0.0), some("250ms", "99%"));
        assert_eq!(at(&[], 9.0), None);
    }
}
