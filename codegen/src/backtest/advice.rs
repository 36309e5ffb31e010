//! What the data say about an SLO: only what they show, with the numbers. The options for services with little traffic are
//! those of The Site Reliability Workbook, chapter 5, "Low-Traffic Services and Error Budget Alerting".

use super::Period;
use super::history::Group;
use super::result::{Advice, Group as Described, NotJudged};
use crate::model::{Decimal, Duration, Service, Severity, Slo};
use crate::numbers::{percent_apart, span_of};
use crate::replay::{Replay, Rules};

/// The group over the judged time.
pub fn described(group: &Group, replay: &Replay, period: &Period, points: usize) -> Described {
    let (bad, all) = group.events(period.from, period.to);
    let budget: Vec<(i64, f64)> = (replay.budget.iter())
        .filter(|it| (period.from..=period.to).contains(&it.at))
        .filter_map(|it| Some((it.at, it.remaining?)))
        .collect();
    let every = budget.len().div_ceil(points.max(1)).max(1);
    let last = budget.len().saturating_sub(1);
    let kept =
        budget.iter().enumerate().filter(|(at, _)| (last - at).is_multiple_of(every)).map(|(_, it)| *it).collect();
    Described {
        labels: group.labels.clone(),
        coverage: group.coverage(period),
        first: group.first(),
        gaps: group.gaps(period),
        sli: (all > 0.0).then(|| 1.0 - (bad / all).clamp(0.0, 1.0)),
        events: all,
        events_per_hour: group.median_of(Duration::from_mins(60), period),
        budget: kept,
    }
}

/// What is told only of a day and more: one page is most of an hour.
const A_DAY: i64 = 86_400_000;

/// What is told of an objective as a whole only of so much time: two bad days are an incident.
const DAYS: i64 = 3 * A_DAY;

/// Everything that the data show of the time since an SLO's history begins; or why they show too little.
pub fn of(
    service: &Service,
    slo: &Slo,
    group: &Group,
    replay: &Replay,
    rules: &Rules,
    period: &Period,
) -> Result<Vec<Advice>, String> {
    let known = group.coverage(period);
    if known < 0.5 || !group.knows(period.from, period.to) {
        return Err(format!("there are data for {} of the judged time, and it takes half of it", percent_apart(known)));
    }
    let left = replay.budget.iter().filter(|it| it.at <= period.to).filter_map(|it| it.remaining).next_back();
    let texts =
        [traffic(slo, group, rules, period), objective(slo, group, rules, period, left), always_firing(replay, period)];
    let advice = |(kind, text): (&str, String)| Advice {
        service: service.name.to_string(),
        slo: slo.name.to_string(),
        labels: group.labels.clone(),
        kind: kind.to_owned(),
        text,
    };
    Ok(texts.into_iter().flatten().map(advice).collect())
}

/// What a time is too short for.
pub fn too_short(period: &Period) -> Option<&'static str> {
    match period.length() {
        ..A_DAY => Some("advice on objectives, thresholds and alerts that always fire"),
        A_DAY..DAYS => Some("advice on objectives"),
        _ => None,
    }
}

/// The same in a sentence, of everything or of one SLO.
pub fn withheld(what: &str, of: Option<&str>, period: &Period) -> NotJudged {
    let why = format!(
        "what is judged is {}: thresholds and alerts are told of from a day on, objectives from three days on",
        span_of(period.length())
    );
    NotJudged { what: of.map_or(what.to_owned(), |it| format!("{what}, of {it}")), why }
}

/// What one failure does to the first pair of windows.
fn traffic(slo: &Slo, group: &Group, rules: &Rules, period: &Period) -> Option<(&'static str, String)> {
    let first = rules.pairs_of(Severity::Page).next().or_else(|| rules.pairs_of(Severity::Ticket).next())?;
    if slo.sli.is_time_weighted() {
        return None;
    }
    let long = first.long;
    // Windows are named at real time; the data are as they are, so the scale of the rules is that of the time too.
    let scaled = Duration::from_millis(long.millis() * rules.window.millis() / slo.window.millis().max(1));
    let events = group.median_of(scaled, period)?;
    let (_, all) = group.events(period.from, period.to);
    if all <= 0.0 {
        return None;
    }
    let what = if first.severity == Severity::Page { "page" } else { "ticket" };
    let count = number(events);
    if slo.min_errors > 0 && events < f64::from(slo.min_errors) {
        let text = format!(
            "the median {long} has {count} events, fewer than `min_errors: {}`: not even a total outage of {long} reaches the first {what}. Consider `min_errors: 1`, a longer first window, synthetic requests, or one SLO together with services of the same users",
            slo.min_errors
        );
        return Some(("cannot_page", text));
    }
    if events <= 0.0 {
        return None;
    }
    let burn = 1.0 / events / rules.error_budget;
    let factor = first.factor.to_f64();
    if burn < factor {
        return None;
    }
    let needed = number((1.0 / factor / rules.error_budget).ceil());
    let guard = match slo.min_errors {
        0 => format!("so each single failure is a {what}"),
        1 => format!("so each single failure is a {what}, `min_errors: 1` or not"),
        some => format!("so only `min_errors: {some}` keeps one failure from being a {what}"),
    };
    let held = 1.0 - 1.0 / events / factor;
    let lower = if held > 0.0 { format!(", an objective of at most {}", percent_apart(held)) } else { String::new() };
    let text = format!(
        "at this traffic ({count} events in the median {long}) one failure burns {} times, above the {what}'s {}: {guard}. Consider synthetic requests up to {needed} events in {long}, one SLO together with services of the same users, retries that make one failure harmless{lower}, or longer windows",
        number(burn),
        first.factor
    );
    Some(("low_traffic", text))
}

/// An objective that is never met, or that is met by far.
///
/// `left` is the share of the budget that is left.
fn objective(
    slo: &Slo,
    group: &Group,
    rules: &Rules,
    period: &Period,
    left: Option<f64>,
) -> Option<(&'static str, String)> {
    let (bad, all) = group.events(period.from, period.to);
    if all <= 0.0 || period.length() < A_DAY {
        return None;
    }
    let ratio = (bad / all).clamp(0.0, 1.0);
    let (budget, is) = (rules.error_budget, percent_apart(1.0 - ratio));
    let latency = slo.sli.kind() == "latency";
    if latency && ratio > 0.5 {
        let text = format!(
            "{} of all events are slower than the threshold: it lies below what the service usually needs. Consider a threshold that the objective can be kept with",
            percent_apart(ratio)
        );
        return Some(("threshold", text));
    }
    if let Some(days) = missed_days(group, rules, period).filter(|_| ratio > budget) {
        let next = nines(ratio).map_or(String::new(), |it| {
            format!(" Consider {}, which these data meet, until the service is better.", percent_of(it))
        });
        let text = format!(
            "the objective of {} was missed on each of {days} days: {is} of events were good. At that no compliance window ends with budget left.{next}",
            slo.objective.percent()
        );
        return Some(("never_met", text));
    }
    if latency && ratio < budget / 100.0 {
        let text = format!(
            "only {} of events are slower than the threshold, a hundredth of the budget or less: nearly all of the budget is there for latencies that do not occur. Consider a lower threshold",
            percent_apart(ratio)
        );
        return Some(("threshold", text));
    }
    let unspent = left.is_some_and(|it| it > 0.9) && period.length() >= DAYS;
    if unspent && ratio < budget / 10.0 && all * budget >= 10.0 {
        let tighter = nines(ratio * 2.0).filter(|it| *it > slo.objective.fraction());
        let next = tighter.map_or(String::new(), |it| format!(" These data meet {} as well.", percent_of(it)));
        let text = format!(
            "{is} of events were good: less than a tenth of the budget of {} was spent.{next} Consider whether users would notice worse; if not, the budget is there to be spent",
            slo.objective.percent()
        );
        return Some(("always_met", text));
    }
    None
}

/// The days of the time when each of them spent more than its share.
fn missed_days(group: &Group, rules: &Rules, period: &Period) -> Option<usize> {
    let days = (0..period.length() / A_DAY).map(|it| period.from + it * A_DAY);
    let ratios: Vec<f64> = (days.map(|from| group.events(from, from + A_DAY - 1)))
        .filter(|(_, all)| *all > 0.0)
        .map(|(bad, all)| bad / all)
        .collect();
    let missed = ratios.len() >= 3 && ratios.iter().all(|it| *it > rules.error_budget);
    missed.then_some(ratios.len())
}

/// The tightest usual objective that a share of bad events still meets.
fn nines(bad: f64) -> Option<Decimal> {
    const USUAL: [(u128, u32); 9] =
        [(9_999, 4), (9_995, 4), (999, 3), (998, 3), (995, 3), (99, 2), (98, 2), (95, 2), (9, 1)];
    USUAL.into_iter().map(|(units, scale)| Decimal::new(units, scale)).find(|it| 1.0 - it.to_f64() > bad)
}

fn always_firing(replay: &Replay, period: &Period) -> Option<(&'static str, String)> {
    if period.length() < A_DAY {
        return None;
    }
    let within =
        |from: i64, until: Option<i64>| (until.unwrap_or(period.to).min(period.to) - from.max(period.from)).max(0);
    let share = |severity| {
        // A budget that is spent stays so for weeks; what it says is told above.
        let lasting = kilter_contract::slo::ERROR_BUDGET_EXHAUSTED;
        let of = replay.alerts.iter().filter(|it| it.severity == severity && it.name != lasting);
        let time = of.map(|it| it.firings.iter().map(|it| within(it.from, it.until)).sum::<i64>()).max().unwrap_or(0);
        time as f64 / period.length().max(1) as f64
    };
    let (page, ticket) = (share(Severity::Page), share(Severity::Ticket));
    let text = |what: &str, share: f64| {
        format!(
            "a {what} fires for {} of the time: nobody looks at one that is always there. Mend what it tells of, or promise less",
            percent_apart(share)
        )
    };
    if page > 0.05 {
        Some(("always_firing", text("page", page)))
    } else {
        (ticket > 0.5).then(|| ("always_firing", text("ticket", ticket)))
    }
}

/// Three digits that matter.
pub(super) fn number(value: f64) -> String {
    if value >= 100.0 || value.fract().abs() < 1e-9 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn percent_of(share: Decimal) -> String {
    format!("{}%", share.shift_right(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_honest() {
        assert_eq!([5.0, 83.333, 7.1, 1234.0].map(number), ["5", "83.3", "7.10", "1234"]);
        assert_eq!(nines(0.0007).map(percent_of).as_deref(), Some("99.9%"));
        assert_eq!(nines(0.2), None);
    }
}
