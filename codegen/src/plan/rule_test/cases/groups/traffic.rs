//! Traffic that is lost: at least 30 events within five minutes, by the hour before the last five minutes.

use super::super::super::stage::Grid;
use super::super::super::subject::{Subject, traffic_lost};
use super::{Ask, Group, Phase};
use crate::model::Slo;

/// Whether the SLO's traffic can be lost: time does not stop, and what leaves failures out has no rule for it.
pub(super) fn has_traffic(slo: &Slo) -> bool {
    !slo.sli.is_time_weighted() && !slo.sli.leaves_failures_out()
}

pub(super) fn groups(it: &Subject<'_>) -> Vec<Group> {
    let Some(severity) = it.missing.filter(|_| has_traffic(it.slo)) else { return vec![] };
    let told = traffic_lost(severity);
    let silent = |at| Ask::Silent(told, at, at);
    let fires = |at| Ask::Fires(told, at, true);
    let of = |name: &str, rates: &[(u64, f64)], asks: Vec<Ask>| {
        let phases: Vec<Phase> = rates.iter().map(|(minutes, rate)| (*minutes, Some(0.0), Some(*rate))).collect();
        Group { grid: Grid::Hours, name: format!("traffic, {name}"), phases, asks }
    };
    vec![
        // 37.5 events in five minutes.
        of("lost", &[(60, 0.125), (20, 0.0)], vec![silent(60), fires(65)]),
        // 24 events.
        of("too little", &[(60, 0.08), (20, 0.0)], vec![silent(75)]),
        // 180 events, 16 of each five minutes on average.
        of("a burst", &[(50, 0.0), (3, 1.0), (27, 0.0)], vec![silent(75)]),
        // At 60 minutes it is enough; the last five minutes were the only ones.
        of("young", &[(50, 0.0), (5, 2.0), (25, 0.0)], vec![silent(60), fires(65)]),
        // All of it was more than an hour ago.
        of("long ago", &[(10, 2.0), (65, 0.01), (20, 0.0)], vec![silent(90)]),
        // All of it was more than half an hour ago.
        of("half an hour ago", &[(30, 0.001), (5, 3.0), (30, 0.001), (20, 0.0)], vec![fires(70)]),
    ]
}
