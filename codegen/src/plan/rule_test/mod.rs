//! Generated promtool tests: proof that the alerts of a service fire when they must and are silent otherwise.
//!
//! One timeline drives all SLOs of a service that can be driven beside each other (`tracks`); what is asked for is asked of
//! each SLO. So the number of tests does not grow with that of the SLOs.
//!
//! | test | timeline | what must hold |
//! |---|---|---|
//! | a full outage | an hour healthy, everything fails, recovery | the first pair alerts within the workbook's time plus one evaluation, once; gone after the slowest short window that fired and the time that alerts are kept |
//! | one second off the grid | the same, with samples and an outage that meet no evaluation | as early, and one sample |
//! | what comes and goes | no event, traffic, none, no series, traffic | silence; [`TRAFFIC_LOST`](kilter_contract::slo::TRAFFIC_LOST); page (by policy) and ticket for missing data, for the group that vanished; all end |
//! | the same off the grid | nothing is scraped at an evaluation | the same |
//! | few events, and a failure that no series counted before | one event in two seconds | no error is no missing data, a rate below one is a rate, and an instance without the threshold's bucket is in neither side |
//! | few events, and none is good yet | total events, and later the first good one | what no series says is good is an error |
//! | groups of one SLO (`cases/groups.rs`) | one for each edge of the shared rules, at the recorded pair | fires on one side, silent on the other |
//! | counters that begin again, instances that join | just below every threshold | nothing at all, and the burn rate stays |
//! | burns of 10x, 3x, 1.5x | hours and days | silence until 0.9 of the workbook's time, the alert by that time, its end; what it has cost |
//! | a pair by itself | a burn that no other pair of the severity sees | the same |
//! | just below | 0.9 of the lowest factor, then of the lowest that pages | nothing; then a ticket and never a page |
//! | missing data count as errors (`no_data: bad`) | healthy, no series, healthy | page as early as an outage, and the budget is spent |
//! | rules that have just begun wait | measured once, then nothing, from the first evaluation on | no error and no total until the rules have run for five minutes |
//! | maintenance counts for nothing | everything fails and vanishes while it is active, healthy | nothing at all, and the budget is whole |
//! | what does not come back from maintenance is missing | no series, while it is active and afterwards | page (by policy) and ticket when it is over |
//! | a spent budget | the recorded budget falls below zero, and rises | [`ERROR_BUDGET_EXHAUSTED`](kilter_contract::slo::ERROR_BUDGET_EXHAUSTED), for a day more |
//! | the last success outlives its process | a success, then a process that knows of none | nothing while it is recent enough, then a page |
//! | causes | a resource, breaker, replica, process in trouble beside those that are nearly so, and beside another service | a ticket for the one, with its text, in time; it ends in time |
//! | a service that is down one second off the grid | down, up, gone | as soon |
//! | causes one second off the grid | the same, with samples that meet no evaluation | as early |
//! | what fills up | hours of growth | a ticket before it is full |
//!
//! promtool's time goes into evaluations, each of all rules: some 20 ms with five SLOs. So only what is early or late by
//! seconds is evaluated every 30 s. Hours are evaluated every 5 minutes, days every hour; promtool has one interval per
//! file, hence a file for each. Nothing is scaled: the rules under test are those that run. The history of a long window is
//! pressed into one evaluation with so many times the traffic, which is the same to a window that weighs events.
//!
//! Maintenance is fed as it is recorded; what begins it is proven for all in `codegen/tests/it/scenarios`. promtool's clock
//! begins on a Thursday at midnight: where a schedule holds then, its tests begin later, after series without events; a
//! test that is longer than any time between two maintenances is left out.
//!
//! Beside a full outage fails, all the time, what the SLO does not ask for (another service, another route). Series that
//! are scraped are fed on the grid of evaluations and off it: an outage, what comes and goes, a slow burn. Longer burns, the
//! spent budget and the groups only read what is recorded, which is on the grid by itself.
//!
//! An SLI that weighs time has no traffic to lose. With `by` labels there are two groups; incidents strike the first, and
//! the second must stay silent. Expected times come from `theory`, which never looks at the plan. What is fed comes from the
//! SLO and the estate's selector (`inputs`). Where a series cannot be invented from an expression, the tests begin one step
//! later in the chain and say so: at the recorded pair for SLIs whose expression makes both sides (a ratio, slices, native
//! histograms); at the recorded total for `events` that are more than sums of `rate` or `increase`, whose burn alerts are
//! then not proven. Texts are pinned once per service (one `alert_rule_test` per kind), where
//! no other SLO's alerts would have to be foretold.
//!
//! Names have the form `<service>: <what it proves>`. Every query ends in a PromQL comment, ` # <service>/<slo>: <what>`:
//! promtool 2.42 prints a failed query as `    expr: "<query>", time: <time>,`, and the name of a test only with a failed
//! `alert_rule_test` (`    name: <name>,`). Times hold for the closed ranges of Prometheus 2 and the left-open ones of
//! Prometheus 3.

mod cases;
mod causes;
mod estate;
mod file;
mod inputs;
mod leadership;
mod matching;
mod measure;
mod memory;
mod stage;
mod subject;
mod text;
mod theory;
mod tracks;
mod traffic;

pub use estate::estate_tests;
pub use file::{AlertTest, ExpectedAlert, InputSeries, Labels, QueryTest, Sample, Test, TestFile, selector};
pub use measure::{MEASURE, Measure};

use super::RuleGroup;
use super::context::Context;
use crate::render::engine::{TemplateError, Templates};
use stage::{Grid, Made};

/// The tests of one service, against its rule file beside them, which holds these groups: a file for each pace of
/// evaluations that they need.
pub fn tests(
    context: &Context<'_>,
    groups: &[RuleGroup],
    templates: &Templates,
) -> Result<Vec<TestFile>, TemplateError> {
    let mut all = cases::tests(context, templates)?;
    let fine = |test| Made { grid: Grid::Fine, test, measures: Vec::new() };
    all.extend(context.service.slos.iter().filter_map(|slo| memory::of_slo(context, slo)).map(fine));
    all.extend(causes::tests(context, templates)?);
    let mut files: Vec<TestFile> = Vec::new();
    for grid in Grid::ALL {
        let own: Vec<&Made> = all.iter().filter(|it| it.grid == grid).collect();
        if own.is_empty() {
            continue;
        }
        files.push(TestFile {
            source: context.service.source.clone(),
            rule_files: vec![format!("{}.rules.yaml", context.service.name)],
            evaluation_interval: context.estate.time_scale.apply(grid.step()),
            group_eval_order: groups.iter().map(|group| group.name.clone()).collect(),
            tests: own.iter().map(|it| it.test.clone()).collect(),
            part: grid.part(),
            measures: own.iter().flat_map(|it| it.measures.clone()).collect(),
        });
    }
    Ok(files)
}
