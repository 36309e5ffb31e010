//! What is done to a pair after its SLI was lowered, whatever its kind: missing data count as errors (`no_data: bad`), and
//! maintenance is cut out. What is no longer in the pair is in no budget and in no alert.

use kilter_contract::slo;

use super::context::Context;
use super::expr::sum_by;
use super::sli::Pair;
use crate::model::{Maintenance, NoData, Slo, Weekly};

/// Minutes of a week.
pub const WEEK: u16 = 7 * DAY;
const DAY: u16 = 1_440;

/// A pair as it is recorded, and what is recorded before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Series and expressions, each after those that it reads.
    pub before: Vec<(&'static str, String)>,
    /// The pair.
    pub pair: Pair,
}

/// Whether what is measured and what counts are two things for this SLO; then the first is recorded too.
pub const fn has_measured(slo: &Slo) -> bool {
    slo.policy.maintenance.is_some() || matches!(slo.no_data, NoData::Bad)
}

/// Applies an SLO's policies to its pair.
pub fn watched(context: &Context<'_>, slo: &Slo, mut pair: Pair) -> Watched {
    if !has_measured(slo) {
        return Watched { before: Vec::new(), pair };
    }
    let recorded = |series: &str| context.recorded(series, &[slo.name.as_str()]);
    let (measured, counted) = (recorded(slo::MEASURED_RATE), recorded(slo::TOTAL_RATE));
    let mut before = Vec::new();
    if let Some(maintenance) = &slo.policy.maintenance {
        before.push((slo::MAINTENANCE, active(context, maintenance)));
    }
    // What fills in zeros or subtracts must see what was measured, not what counts.
    pair.error = pair.error.replace(&counted, &measured);
    before.push((slo::MEASURED_RATE, std::mem::replace(&mut pair.total, measured.clone())));
    if slo.no_data == NoData::Bad {
        missing_is_bad(context, slo, &measured, &counted, &mut pair);
    }
    if slo.policy.maintenance.is_some() {
        let active = recorded(slo::MAINTENANCE);
        for side in [&mut pair.total, &mut pair.error] {
            *side = format!("({side})\nunless on () {active}");
        }
    }
    Watched { before, pair }
}

/// Where nothing is measured that was within a day, the last known traffic counts, and all of it as errors; so does all
/// traffic that nothing tells the errors of. Only where the rules ran five minutes before: while Prometheus itself was
/// down nobody knows anything, and its first evaluation afterwards must not page.
fn missing_is_bad(context: &Context<'_>, slo: &Slo, measured: &str, counted: &str, pair: &mut Pair) {
    let (memory, step) = (context.timing.missing_ticket_memory, context.timing.rate);
    let ran = context.recorded(slo::ERROR_BUDGET, &[slo.name.as_str()]);
    let on = context.join().join(", ");
    pair.total =
        format!("{measured}\nor last_over_time({measured}[{memory}:{step}]) and on ({on}) {ran} offset {step}");
    pair.error = format!("{}\nor {}", pair.error, sum_by(&slo.by, counted));
}

/// An alert about the service as a whole, silent while it is in maintenance: when every promise of it is.
pub fn unless_maintained(context: &Context<'_>, expr: String) -> String {
    let slos = &context.service.slos;
    if slos.is_empty() || slos.iter().any(|it| it.policy.maintenance.is_none()) {
        return expr;
    }
    let active = context.recorded(slo::MAINTENANCE, &[]);
    format!("({expr})\nunless on () count({active}) == {}", slos.len())
}

/// 1 during maintenance and for the length of the rate afterwards, which still holds what happened in it.
pub(super) fn active(context: &Context<'_>, maintenance: &Maintenance) -> String {
    let (rate, step) = (context.timing.rate, context.timing.interval);
    let condition =
        maintenance.promql.iter().map(|it| format!("count_over_time((({it}) > 0)[{}:{step}])", rate.plus(step)));
    let all: Vec<String> = condition.chain(scheduled(&maintenance.schedule)).collect();
    format!("group({})", all.join("\n  or "))
}

/// Minutes by which a schedule is longer in the rules than written: the rate over five minutes still holds its end.
pub const AFTER: u16 = 5;

/// `day_of_week() * 1440 + hour() * 60 + minute() >= 120 < 245`. A schedule is wall-clock time: no time scale divides it.
fn scheduled(schedule: &[Weekly]) -> Vec<String> {
    let (daily, weekly): (Vec<Weekly>, Vec<Weekly>) = schedule.iter().cloned().partition(|it| it.days.len() == 7);
    let daily = intervals(daily.iter().map(|it| (it.from, it.to + AFTER)), DAY);
    let weekly = intervals(begins(&weekly, AFTER), WEEK);
    let one = |clock: &str, (from, to): (u16, u16)| format!("{clock} >= {from} < {to}");
    let daily = daily.into_iter().map(|it| one("hour() * 60 + minute()", it));
    let weekly = weekly.into_iter().map(|it| one("day_of_week() * 1440 + hour() * 60 + minute()", it));
    daily.chain(weekly).collect()
}

/// Minutes of the week, from Sunday 00:00 UTC, in which a schedule holds: apart and in order.
pub fn week(schedule: &[Weekly], after: u16) -> Vec<(u16, u16)> {
    intervals(begins(schedule, after), WEEK)
}

fn begins(schedule: &[Weekly], after: u16) -> impl Iterator<Item = (u16, u16)> + '_ {
    schedule.iter().flat_map(move |it| it.days.iter().map(move |day| (day * DAY + it.from, day * DAY + it.to + after)))
}

/// Intervals on a clock that begins again after `length`, joined where they touch.
fn intervals(all: impl Iterator<Item = (u16, u16)>, length: u16) -> Vec<(u16, u16)> {
    let mut split: Vec<(u16, u16)> = Vec::new();
    for (from, to) in all {
        if to <= length {
            split.push((from, to));
        } else {
            split.extend([(from, length), (0, (to - length).min(length))]);
        }
    }
    split.sort_unstable();
    let mut joined: Vec<(u16, u16)> = Vec::new();
    for (from, to) in split.into_iter().filter(|(from, to)| from < to) {
        match joined.last_mut().filter(|(_, end)| *end >= from) {
            Some((_, end)) => *end = to.max(*end),
            None => joined.push((from, to)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weekly(days: &[u16], from: u16, to: u16) -> Weekly {
        Weekly { days: days.to_vec(), from, to }
    }

    #[test]
    fn schedules_become_minutes_of_the_week() {
        assert_eq!(week(&[weekly(&[0], 120, 240)], 0), [(120, 240)]);
        // Saturday night into Sunday, and two that touch.
        assert_eq!(week(&[weekly(&[6], 1_400, 1_500)], 0), [(0, 60), (10_040, 10_080)]);
        assert_eq!(week(&[weekly(&[1], 0, 60), weekly(&[1], 60, 120)], 0), [(1_440, 1_560)]);
        let always: Vec<u16> = (0..7).collect();
        assert_eq!(week(&[weekly(&always, 0, DAY)], 0), [(0, WEEK)]);
    }

    #[test]
    fn schedules_become_promql() {
        let daily: Vec<u16> = (0..7).collect();
        assert_eq!(
            scheduled(&[weekly(&[0], 120, 240), weekly(&daily, 1_380, 1_500)]),
            [
                "hour() * 60 + minute() >= 0 < 65",
                "hour() * 60 + minute() >= 1380 < 1440",
                "day_of_week() * 1440 + hour() * 60 + minute() >= 120 < 245"
            ]
        );
    }
}
