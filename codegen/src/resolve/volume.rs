//! How much there is: `traffic` of an SLO, and the `retention` of Prometheus. Nothing is generated from them; they tell
//! whether a promise can be kept, and whether it can be measured.

use super::{Code, Findings, number, printable, text};
use crate::model::{Decimal, Duration, Objective, Pair, Sli};
use crate::yaml::Node;

/// Events in a time.
#[derive(Debug, Clone, Copy)]
struct Traffic {
    events: Decimal,
    per: Duration,
}

const UNITS: &[(&str, Duration)] = &[
    ("s", Duration::from_secs(1)),
    ("m", Duration::from_mins(1)),
    ("h", Duration::from_mins(60)),
    ("d", Duration::from_mins(24 * 60)),
];

impl Traffic {
    fn within(self, time: Duration) -> Decimal {
        let (events, per) = (self.events.times(Decimal::new(time.millis().into(), 0)), self.per.millis());
        events.divided_by(per.into())
    }
}

/// What the stated traffic of an SLO means for its budget and its alerts.
pub(super) fn traffic(
    node: &Node,
    sli: Option<&Sli>,
    (objective, window): (Option<Objective>, Option<Duration>),
    (pairs, min_errors): (&[Pair], u32),
    findings: &mut Findings<'_>,
) {
    let Some((shown, place)) = number(node, "traffic") else { return };
    if sli.is_some_and(Sli::is_time_weighted) {
        let message = "`traffic` counts events, but this SLI weighs time: it has as many seconds by day as by night";
        return findings.error(Code::Conflict, place.range, message, "leave `traffic` out");
    }
    let Some(traffic) = parsed(shown) else {
        let message = format!("`{}` is no number of events in a time", printable(shown));
        return findings.error(Code::BadAmount, place.range, message, "for example: traffic: 50/h; per s, m, h or d");
    };
    let (Some(objective), Some(window)) = (objective, window) else { return };
    let all = traffic.within(window);
    let failures = all.times(objective.error_budget());
    if failures <= Decimal::new(1, 0) {
        let at = node.get("objective").map_or(place.range, |it| it.range);
        let message = format!(
            "at {shown} there are {} events in {window}, of which {} may fail: one failure spends the whole budget",
            short(all),
            short(failures)
        );
        let help = "promise less, over a longer window, or measure probes beside the real traffic";
        findings.warning(Code::TinyBudget, at, message, help);
    }
    let too_few = |pair: &&Pair| traffic.within(pair.long) < Decimal::new(min_errors.into(), 0);
    if let Some(pair) = pairs.iter().find(too_few) {
        let message = format!(
            "at {shown} a total outage is {} errors in {}, but `min_errors` asks for {min_errors}: this window never alerts",
            short(traffic.within(pair.long)),
            pair.long
        );
        let help = "a smaller min_errors alerts, and on less; or measure probes beside the real traffic";
        findings.warning(Code::TooFewEvents, place.range, message, help);
    }
}

/// `50/h`.
fn parsed(text: &str) -> Option<Traffic> {
    let (events, per) = text.split_once('/')?;
    let events: Decimal = events.trim().parse().ok().filter(|it: &Decimal| !it.is_zero())?;
    let whole = Decimal::new(1_000_000_000_000, 0);
    let (_, per) = UNITS.iter().find(|(unit, _)| *unit == per.trim())?;
    // Three decimals and a million million hold everything that anybody serves, and every product of it.
    let exact = events == events.divided_by(1);
    (exact && events < whole).then_some(Traffic { events, per: *per })
}

/// Rounded down to two decimals.
fn short(number: Decimal) -> String {
    let text = number.to_string();
    match text.split_once('.') {
        Some((whole, part)) if part.len() > 2 => format!("{whole}.{}", &part[..2]),
        _ => text,
    }
}

/// `retention` of `kilter.yaml`.
pub(super) fn retention(tree: &Node, findings: &mut Findings<'_>) -> Option<Duration> {
    let (text, place) = text(tree, "retention")?;
    let parsed = text.parse::<Duration>();
    if let Err(error) = parsed {
        let message = format!("`{}` is {error}", printable(text));
        findings.error(Code::BadAmount, place.range, message, "for example: retention: 35d");
    }
    parsed.ok()
}

/// A compliance window that Prometheus does not remember.
pub(super) fn remembered(node: &Node, window: Duration, retention: Duration, findings: &mut Findings<'_>) {
    if window > retention {
        let at = node.get("window").or_else(|| node.get("name")).unwrap_or(node).range;
        let message =
            format!("the window is {window}, but Prometheus keeps {retention}: the budget is that of {retention}");
        let help =
            format!("keep more (--storage.tsdb.retention.time={window}), or take a window of at most {retention}");
        findings.warning(Code::ShortRetention, at, message, help);
    }
}
