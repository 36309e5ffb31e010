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

/// A process that knows of no success has one, then goes, then another comes that knows of none. In time nothing happens; in
/// the end it pages. Beside it an instance whose success is older, and the same job of another service, another job of this
/// one, and what another service records, all of which succeed all the time.
pub(super) fn of_slo(context: &Context<'_>, slo: &Slo) -> Option<Test> {
    let Sli::Freshness { job: name, within } = &slo.sli else { return None };
    let minutes = Duration::from_mins;
    let budget = slo.objective.error_budget().to_f64();
    let target = Inputs::target(context.estate, context.service)?;
    let by: Labels = slo
        .by
        .iter()
        .map(|label| (label.clone(), target.get(label).cloned().unwrap_or_else(|| "a".to_owned())))
        .collect();
    let of_job = |mut labels: Labels, name: &str| {
        labels.extend(by.clone());
        labels.insert(job::NAME.key.to_owned(), name.to_owned());
        labels
    };
    let mut recorded = identity(context.estate, context.service, slo);
    recorded.extend(by.clone());
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
    let success = |labels: &Labels| selector(names::LAST_SUCCESS, labels);
    let mut queries = Vec::new();
    // Nobody knows of a success: there is nothing to say yet.
    let total = selector(names::TOTAL_RATE, &recorded);
    queries.push(ask(format!("count({total})"), STEP, None));
    queries.push(ask(format!("count({} == 1)", success(&recorded)), STEP.times(10), Some(1.0)));
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
    let mut input_series = Vec::new();
    let mut feed = |series: String, values: String| input_series.push(InputSeries { series, values });
    let told = |labels: &Labels| selector(job::LAST_SUCCESS.name, labels);
    let own = of_job(target.clone(), name);
    feed(told(&own), format!("0+0x1 1+0x17 stale _x19 0+0x{rest}"));
    let instance = "instance".to_owned();
    if !by.contains_key(&instance) && !own.contains_key(&instance) {
        let mut older = own.clone();
        older.insert(instance, "older".to_owned());
        feed(told(&older), "0+0x1 0.5+0x17 stale".to_owned());
    }
    // Every success is now.
    let always = format!("1+{}x{}", scaled(STEP).secs_f64(), rest + 40);
    feed(told(&of_job(target, &format!("not {name}"))), always.clone());
    if let Some(stranger) = Inputs::stranger(context.estate, context.service) {
        feed(told(&of_job(stranger, name)), always.clone());
    }
    let mut another = recorded.clone();
    another.insert(names::SERVICE_LABEL.to_owned(), "another".to_owned());
    feed(success(&another), always);
    Some(Test {
        name: title.clone(),
        interval: scaled(STEP),
        input_series,
        alert_rule_test: vec![],
        promql_expr_test: queries,
    })
}
