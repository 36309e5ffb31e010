//! Times at which a test can run. promtool's clock begins on Thursday, 1 January 1970, at midnight UTC, and a schedule
//! that holds there would cut the test out.

use super::super::super::context::Context;
use super::super::super::maintenance::{AFTER, WEEK, week};
use crate::model::{Duration, Slo, Weekly};

/// Minutes from Sunday midnight to promtool's beginning.
const THURSDAY: u64 = 4 * 1_440;
const MINUTE: u64 = 60_000;

/// The schedule of an SLO.
pub(in super::super) fn of(slo: &Slo) -> &[Weekly] {
    slo.policy.maintenance.as_ref().map_or(&[], |it| &it.schedule)
}

/// The first multiple of a unit at which so much time is free of maintenance.
pub(in super::super) fn lead(
    context: &Context<'_>,
    schedule: &[Weekly],
    unit: Duration,
    length: Duration,
) -> Option<Duration> {
    let mut real = Duration::ZERO;
    while context.estate.time_scale.apply(real).millis() <= u64::from(WEEK) * MINUTE {
        if free(context, schedule, real, length) {
            return Some(real);
        }
        real = real.plus(unit);
    }
    None
}

/// Whether so much time is free of maintenance from then on.
fn free(context: &Context<'_>, schedule: &[Weekly], real: Duration, length: Duration) -> bool {
    let scaled = |real: Duration| context.estate.time_scale.apply(real).millis();
    let from = THURSDAY * MINUTE + scaled(real);
    let to = from + scaled(length) + MINUTE;
    // One week later too, for a test that runs over its end.
    let weeks = [0, u64::from(WEEK), 2 * u64::from(WEEK)];
    week(schedule, AFTER)
        .into_iter()
        .map(|(begin, end)| (u64::from(begin), u64::from(end)))
        .all(|(begin, end)| weeks.iter().all(|week| to <= (week + begin) * MINUTE || from >= (week + end) * MINUTE))
}
