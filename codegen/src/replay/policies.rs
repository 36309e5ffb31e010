//! What is measured becomes what counts, as in [`crate::plan::maintenance`]: missing data that are bad are filled in, and
//! maintenance is cut out.

use super::Rules;
use super::grid::{Clock, Sampled, millis};
use crate::model::NoData;
use crate::plan::maintenance::WEEK;

/// A pair as it is recorded, and what is recorded beside it.
pub(super) struct Counted<'a> {
    pub(super) error: Vec<f64>,
    pub(super) total: Vec<f64>,
    /// The total before anything was done to it, where that is another series.
    pub(super) measured: Option<Sampled<'a>>,
    /// A value while maintenance is active.
    pub(super) active: Option<Sampled<'a>>,
}

pub(super) fn counted<'a>(
    rules: &Rules,
    clock: &'a Clock,
    mut error: Vec<f64>,
    mut total: Vec<f64>,
    condition: &[bool],
) -> Counted<'a> {
    if !rules.measured {
        return Counted { error, total, measured: None, active: None };
    }
    let measured = Sampled::new(clock, total.clone(), rules.rate);
    if rules.no_data == NoData::Bad {
        let remembered = measured.last_on_grid(rules.ticket_memory);
        for index in 0..clock.len {
            let ran = clock.index(clock.at(index) - millis(rules.rate)).is_some();
            if let Some(last) = remembered[index].filter(|_| total[index].is_nan() && ran) {
                total[index] = last;
            }
            if error[index].is_nan() {
                error[index] = total[index];
            }
        }
    }
    let active = rules.maintained.then(|| {
        let scheduled = rules.maintenance();
        let active = |index: usize| {
            condition.get(index).copied().unwrap_or(false)
                || scheduled.iter().any(|(from, to)| (*from..*to).contains(&minute_of_week(clock.at(index))))
        };
        let values: Vec<f64> = (0..clock.len).map(|it| if active(it) { 1.0 } else { f64::NAN }).collect();
        for (index, _) in values.iter().enumerate().filter(|(_, it)| !it.is_nan()) {
            (error[index], total[index]) = (f64::NAN, f64::NAN);
        }
        Sampled::new(clock, values, rules.rate)
    });
    Counted { error, total, measured: Some(measured), active }
}

/// Minutes since Sunday 00:00 UTC. The epoch began on a Thursday.
pub(crate) fn minute_of_week(moment: i64) -> u16 {
    let minute = (moment.div_euclid(60_000) + 4 * 1_440).rem_euclid(i64::from(WEEK));
    u16::try_from(minute).unwrap_or(0)
}
