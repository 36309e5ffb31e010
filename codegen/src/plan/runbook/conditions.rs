//! What a promise leaves out, what counts without being measured, and what never alerts: in words.

use crate::model::{Maintenance, NoData, Slo, Weekly};
use crate::numbers::{counted, list};

/// A condition of a promise: a name, what it says, and the query that decides.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Condition {
    /// Its name.
    pub name: &'static str,
    /// What it says; with a query, that is its end.
    pub said: String,
    /// PromQL.
    pub query: Option<String>,
}

/// What differs from every moment and every event being counted.
pub fn counting(slo: &Slo) -> Vec<Condition> {
    let one = |name, said: String, query| Condition { name, said, query };
    let mut all = Vec::new();
    if let Some(it) = &slo.policy.maintenance {
        if !it.schedule.is_empty() {
            all.push(one("Maintenance", format!("not counted: {}", schedule(it)), None));
        }
        let query = it.promql.clone();
        all.extend(
            query
                .map(|it| one("Maintenance", "not counted: while there is a value above zero of".to_owned(), Some(it))),
        );
    }
    if slo.no_data == NoData::Bad {
        all.push(one("Missing data", "count as errors".to_owned(), None));
    }
    all
}

/// The guard against little traffic, unless it is off.
pub fn guard(slo: &Slo) -> Option<Condition> {
    let said = || format!("need at least {} in their long window", least(slo));
    (slo.min_errors > 0).then(|| Condition { name: "Burn alerts", said: said(), query: None })
}

/// So many errors; an SLI that weighs time has seconds.
pub fn least(slo: &Slo) -> String {
    let unit = if slo.sli.is_time_weighted() { "bad second" } else { "error" };
    counted(usize::try_from(slo.min_errors).unwrap_or(usize::MAX), unit)
}

/// When there is maintenance.
pub fn maintenance(it: &Maintenance) -> String {
    let scheduled = (!it.schedule.is_empty()).then(|| schedule(it));
    let query = it.promql.as_ref().map(|it| format!("while there is a value above zero of {it}"));
    scheduled.into_iter().chain(query).collect::<Vec<_>>().join("; ")
}

/// `friday, 23:30 to 00:30 UTC`.
fn schedule(it: &Maintenance) -> String {
    let one = |it: &Weekly| {
        let days: Vec<String> =
            it.days.iter().filter_map(|it| Weekly::DAYS.get(usize::from(*it))).map(|it| (*it).to_owned()).collect();
        let days = if days.len() == Weekly::DAYS.len() { "every day".to_owned() } else { list(&days) };
        // The end of a day is 24:00; what ends on the next day is past that.
        let end = if it.to > DAY { it.to - DAY } else { it.to };
        format!("{days}, {} to {} UTC", clock(it.from), clock(end))
    };
    it.schedule.iter().map(one).collect::<Vec<_>>().join("; ")
}

const DAY: u16 = 1_440;

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_in_the_slo_file() {
        let weekly = |days: &[u16], from, to| Weekly { days: days.to_vec(), from, to };
        let schedule = vec![weekly(&[1, 5], 1_410, 1_470), weekly(&[0, 1, 2, 3, 4, 5, 6], 0, 1_440)];
        let both = Maintenance { promql: Some("a == 1".to_owned()), schedule };
        assert_eq!(
            maintenance(&both),
            "monday and friday, 23:30 to 00:30 UTC; every day, 00:00 to 24:00 UTC; while there is a value above zero of a == 1"
        );
    }
}
