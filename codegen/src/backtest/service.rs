//! Alerts about a service as a whole: their conditions are asked as they are, and only a variant decides how they are delivered.

use std::collections::BTreeSet;

use kilter_contract::slo::SERVICE_DOWN;

use super::questions::{AskedAlert, millis};
use super::result::Fired;
use crate::model::{Estate, Severity};
use crate::plan::alerting;
use crate::plan::context::Context;
use crate::prometheus::Series;
use crate::replay;

/// How an alert is delivered by the rules of an estate: a service none of whose SLOs pages wakes nobody when it is down.
pub(super) fn severity(alert: &AskedAlert, estate: &Estate, context: Option<&Context<'_>>) -> Severity {
    match context {
        Some(context) if alert.name == SERVICE_DOWN => alerting::down_severity(context),
        _ if alert.severity == estate.policy.severities.page => Severity::Page,
        _ => Severity::Ticket,
    }
}

/// When an alert fired, each with the moment at which its condition began to hold. How it is delivered is a variant's own.
pub(super) fn fired(service: &str, alert: &AskedAlert, severity: Severity, answer: &[Series]) -> Vec<(i64, Fired)> {
    let step = millis(alert.question.step).max(1);
    let start = alert.question.start;
    let moments = || (0..alert.question.points()).map(|it| start + step * i64::try_from(it).unwrap_or(0));
    let mut all = Vec::new();
    for series in answer {
        let known: BTreeSet<i64> = series.points.iter().map(|it| it.at).collect();
        let held = moments().map(|at| (at, known.contains(&at)));
        for firing in replay::firings(held, alert.hold, alert.keep) {
            let mut labels = series.labels.clone();
            labels.remove("__name__");
            let fired = Fired {
                service: service.to_owned(),
                slo: None,
                labels,
                alert: alert.name.clone(),
                severity,
                from: firing.from,
                // What holds at the first moment that is read has held for nobody knows how long.
                since_before: firing.active == start,
                until: firing.until,
                windows: None,
            };
            all.push((firing.active, fired));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtest::questions::Question;
    use crate::model::Duration;
    use crate::prometheus::{Labels, Point};

    #[test]
    fn what_held_at_the_first_moment_began_before_it() {
        let minute = Duration::from_mins(1);
        let question = Question { query: "up == 0".to_owned(), start: 0, end: 1_200_000, step: minute };
        let (name, severity) = (SERVICE_DOWN.to_owned(), "page".to_owned());
        let alert = AskedAlert { name, severity, hold: minute, keep: Duration::ZERO, question };
        let times = (0..3).chain(10..15).map(|it| Point { at: it * 60_000, value: 1.0 });
        let answer = [Series { labels: Labels::new(), points: times.collect() }];
        let all = fired("shop", &alert, Severity::Page, &answer);
        let is: Vec<_> = all.iter().map(|(_, it)| (it.from / 60_000, it.since_before)).collect();
        assert_eq!(is, [(1, true), (11, false)]);
    }
}
