//! Times at which a test can run. promtool's clock begins on Thursday, 1 January 1970, at midnight UTC, and a schedule
//! that holds there would cut the test out.

use super::super::super::context::Context;
use super::super::super::maintenance::{AFTER, WEEK, week};
use super::RATE;
use crate::model::{Duration, Slo, Weekly};

/// Minutes from Sunday midnight to promtool's beginning.
const THURSDAY: u64 = 4 * 1_440;

/// The schedule of an SLO.
pub(super) fn of(slo: &Slo) -> &[Weekly] {
    slo.policy.maintenance.as_ref().map_or(&[], |it| &it.schedule)
}

/// The first multiple of the rate window at which so much time is free of maintenance.
pub(super) fn lead(context: &Context<'_>, schedule: &[Weekly], length: Duration) -> Option<Duration> {
    let busy: Vec<(u64, u64)> = week(schedule, AFTER).into_iter().map(|(from, to)| (from.into(), to.into())).collect();
    let scaled = |real: Duration| context.estate.time_scale.apply(real).millis();
    let minute = 60_000;
    let free = |from: u64, to: u64| {
        // One week later too, for a test that runs over its end.
        let weeks = [0, u64::from(WEEK), 2 * u64::from(WEEK)];
        weeks
            .iter()
            .all(|week| busy.iter().all(|(begin, end)| to <= (week + begin) * minute || from >= (week + end) * minute))
    };
    let mut real = Duration::from_secs(0);
    while scaled(real) <= u64::from(WEEK) * minute {
        let from = THURSDAY * minute + scaled(real);
        if free(from, from + scaled(length) + minute) {
            return Some(real);
        }
        real = real.plus(RATE);
    }
    None
}
