//! Generated promtool tests: proof, per SLO, that its alerts fire when they must and are silent otherwise.
//!
//! | test | timeline | what must hold |
//! |---|---|---|
//! | full outage pages | an hour and more healthy, everything fails, recovery | page within the workbook's time plus one evaluation, once; gone after the slowest short window and the time that pages are kept; the budget is spent as the workbook says |
//! | slow burn tickets, just below stays silent | 0.9 of the lowest factor, then 0.9 of the lowest page factor | first nothing at all, then a ticket and never a page |
//! | missing data alert | healthy, then no series | page (by policy) and ticket, for the group that vanished |
//! | zero traffic is silent | series that never rise | nothing at all |
//! | lost traffic alerts | healthy, then no event | [`TRAFFIC_LOST`](kilter_contract::slo::TRAFFIC_LOST) |
//! | missing data count as errors (`no_data: bad`) | healthy, no series, healthy | page as early as an outage, and the budget is spent |
//! | maintenance counts for nothing | everything fails and vanishes while it is active, healthy | nothing at all, and the budget is whole |
//! | what does not come back from maintenance is missing | no series, while it is active and afterwards | page (by policy) and ticket when it is over |
//! | a spent budget tickets | the recorded budget falls below zero | [`ERROR_BUDGET_EXHAUSTED`](kilter_contract::slo::ERROR_BUDGET_EXHAUSTED) |
//!
//! | the last success outlives its process | a success, then a process that knows of none | nothing while it is recent enough, then a page |
//! | causes ticket | a resource, breaker, replica, process in trouble beside one that is nearly so | a ticket for the one, with its text |
//!
//! Maintenance is fed as it is recorded; what begins it is proven for all in `codegen/tests/it/scenarios`. promtool's clock
//! begins on a Thursday at midnight: where a schedule holds then, its tests begin later, after series without events.
//!
//! An SLI that weighs time has no traffic to lose. With `by` labels there are two groups; incidents strike the first, and
//! the second must stay silent. Expected times
//! come from `theory`, which never looks at the plan. What is fed comes from the SLO and the estate's selector
//! (`inputs`). Where a series cannot be invented from an expression, the tests begin one step later in the chain and say so
//! in their names: at the recorded pair for SLIs whose expression makes both sides (a ratio, slices, native histograms);
//! at the recorded total for `events` that are more than sums of `rate` or `increase`, whose burn alerts are then not
//! proven. One SLO per service also pins every alert's text (one `alert_rule_test` per kind).
//!
//! Names have the form `<service>/<slo>: <what it proves>`; tests of the service as a whole are named `<service>: ...`.
//! promtool 2.42 prints the name only with a failed `alert_rule_test` (`    name: <name>,`); a failed query is printed as
//! `    expr: "<query>", time: <time>,`, so every query ends in a PromQL comment ` # <name>`. Either line tells which SLO
//! failed. Times hold for the closed ranges of Prometheus 2 and the left-open ones of Prometheus 3.

mod cases;
mod causes;
mod estate;
mod file;
mod inputs;
mod matching;
mod memory;
mod text;
mod theory;
mod traffic;

pub use estate::estate_tests;
pub use file::{AlertTest, ExpectedAlert, InputSeries, Labels, QueryTest, Sample, Test, TestFile, selector};

use super::RuleGroup;
use super::context::Context;
use crate::render::engine::{TemplateError, Templates};

/// The tests of one service, against its rule file beside them, which holds these groups.
pub fn tests(context: &Context<'_>, groups: &[RuleGroup], templates: &Templates) -> Result<TestFile, TemplateError> {
    let mut tests = Vec::new();
    for slo in &context.service.slos {
        tests.extend(cases::of_slo(context, slo, templates)?);
    }
    tests.extend(cases::of_service(context, templates)?);
    tests.extend(causes::tests(context, templates)?);
    Ok(TestFile {
        source: context.service.source.clone(),
        rule_files: vec![format!("{}.rules.yaml", context.service.name)],
        evaluation_interval: context.timing.interval,
        group_eval_order: groups.iter().map(|group| group.name.clone()).collect(),
        tests,
    })
}
