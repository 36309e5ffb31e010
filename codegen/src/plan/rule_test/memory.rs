//! The memory of a freshness SLO: what a job's process forgets when it restarts, the rules must not.

use kilter_contract::{job, slo as names};

use super::super::context::Context;
use super::file::{InputSeries, Labels, QueryTest, Sample, Test, selector};
use super::inputs::{Inputs, identity};
use super::theory;
use crate::model::{Duration, Sli, Slo};

const STEP: Duration = Duration::from_secs(30);
/// A job that may be silent for longer is not awaited: the test would take minutes.
const PATIENCE: Duration = Duration::from_mins(3 * 60);

/// One success, then the process goes, then another comes that knows of none. In time nothing happens; in the end it pages.
pub(super) fn of_slo(context: &Context<'_>, slo: &Slo) -> Option<Test> {
    let Sli::Freshness { job: name, within } = &slo.sli else { return None };
    let minutes = Duration::from_mins;
    let budget = slo.objective.error_budget().to_f64();
    let mut target = Inputs::target(context.estate, context.service)?;
    let by: Labels = slo
        .by
        .iter()
        .map(|label| (label.clone(), target.get(label).cloned().unwrap_or_else(|| "a".to_owned())))
        .collect();
    target.extend(by.clone());
    target.insert(job::NAME.key.to_owned(), name.clone());
    let mut recorded = identity(context.estate, context.service, slo);
    recorded.extend(by);
    let alerts = |severity: &str| {
        let mut labels = recorded.clone();
        labels.insert("alertname".to_owned(), names::ERROR_BUDGET_BURN.to_owned());
        labels.insert("alertstate".to_owned(), "firing".to_owned());
        labels.insert(names::SEVERITY_LABEL.to_owned(), severity.to_owned());
        selector("ALERTS", &labels)
    };
    let title = format!("{}/{}: the last success outlives its process", context.service.name, slo.name);
    let scaled = |real: Duration| context.estate.time_scale.apply(real);
    let ask = |expr: String, at: Duration, value: Option<f64>| QueryTest {
        expr: format!("{expr} # {title}"),
        eval_time: scaled(at),
        exp_samples: value.map(|value| Sample { labels: "{}".to_owned(), value }).into_iter().collect(),
    };
    let error = |wanted: &str| format!("count({} == {wanted})", selector(names::ERROR_RATE, &recorded));
    let page = &context.estate.policy.severities.page;
    let ever = |until: Duration| format!("count(count_over_time({}[{}]))", alerts(page), scaled(until));
    let mut queries = Vec::new();
    // The success was a second after the beginning.
    let fresh = Duration::from_millis(within.millis() / STEP.millis() * STEP.millis()).min(minutes(40));
    queries.push(ask(error("0"), fresh, Some(1.0)));
    queries.push(ask(ever(fresh), fresh, None));
    let mut end = fresh;
    let detection = theory::detection(&theory::page(slo), budget, 1.0, *within);
    if let Some(late) = detection.filter(|_| *within <= PATIENCE) {
        let last = Duration::from_millis(within.millis() / STEP.millis() * STEP.millis());
        // Errors of time count seconds, and the low-traffic guard asks for some of them in whole rate windows.
        end = Duration::from_millis(within.plus(late).millis().div_ceil(STEP.millis()) * STEP.millis())
            .plus(STEP.times(3));
        queries.push(ask(ever(last), last, None));
        queries.push(ask(format!("count({})", alerts(page)), end, Some(1.0)));
    }
    let rest = end.millis() / STEP.millis();
    Some(Test {
        name: title.clone(),
        interval: scaled(STEP),
        input_series: vec![InputSeries {
            series: selector(job::LAST_SUCCESS.name, &target),
            values: format!("1+0x19 stale _x19 0+0x{rest}"),
        }],
        alert_rule_test: vec![],
        promql_expr_test: queries,
    })
}
