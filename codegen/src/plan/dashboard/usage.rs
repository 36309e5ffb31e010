//! USE: utilization, saturation and errors of every resource on one set of panels, whatever kind it is; and the process.

use kilter_contract::{db, identity, process, resource};

use super::super::context::Context;
use super::super::expr::{equal, select};
use super::super::resources::{self, NAME, TYPE};
use super::instances;
use super::model::{Drawing, Panel, Query, Section, Unit};

const HALF: u32 = 12;
const QUARTER: u32 = 6;

/// The sections about what the service holds, and about its processes.
pub(super) fn sections(context: &Context<'_>) -> Vec<Section> {
    let usage = Usage { context };
    vec![
        Section { title: "Resources: used, waited for, refused".to_owned(), panels: usage.resources() },
        Section { title: "Processes, versions and telemetry".to_owned(), panels: usage.processes() },
    ]
}

struct Usage<'a> {
    context: &'a Context<'a>,
}

impl Usage<'_> {
    fn own(&self, series: &str, more: &[String]) -> String {
        select(series, &[instances(self.context), more.to_vec()].concat())
    }

    fn rate(&self, series: &str) -> String {
        format!("rate({}[$__rate_interval])", self.own(series, &[]))
    }

    /// A query of the resources of the contract, and one of the pools, which have a label of their own.
    fn both(resources: String, pools: String) -> [Query; 2] {
        let pool = format!("{} {{{{{}}}}}", resources::DB_POOL, db::POOL.key);
        [Query::over_time(resources, &format!("{{{{{TYPE}}}}} {{{{{NAME}}}}}")), Query::over_time(pools, &pool)]
    }

    fn resources(&self) -> Vec<Panel> {
        let (of_type, pool) = (format!("{TYPE}, {NAME}"), db::POOL.key);
        let used = self.own(db::CONNECTION_COUNT.name, &[equal(db::CONNECTION_STATE.key, db::USED)]);
        let share = [
            format!(
                "max by ({of_type}) ({} / ({} > 0))",
                self.own(resource::USAGE.name, &[]),
                self.own(resource::LIMIT.name, &[])
            ),
            format!(
                "max by ({pool}) ({used} / ignoring ({}) ({} > 0))",
                db::CONNECTION_STATE.key,
                self.own(db::CONNECTION_MAX.name, &[])
            ),
        ];
        let files =
            format!("max({} / ({} > 0))", self.own(process::OPEN_FDS.name, &[]), self.own(process::MAX_FDS.name, &[]));
        let busy = format!(
            "max({} / ({} > 0))",
            self.rate(process::TOKIO_BUSY.name),
            self.own(process::TOKIO_WORKERS.name, &[])
        );
        let pending = [
            format!("sum by ({of_type}) ({})", self.own(resource::PENDING.name, &[])),
            format!("sum by ({pool}) ({})", self.own(db::CONNECTION_PENDING.name, &[])),
        ];
        let queued = format!("sum({})", self.own(process::TOKIO_GLOBAL_QUEUE.name, &[]));
        let wait = |by: &str, series: &str| {
            format!("histogram_quantile(0.99, sum by ({by}) ({}))", self.rate(&format!("{series}_bucket")))
        };
        let waits = [
            wait(&format!("le, {of_type}"), resource::WAIT_TIME.name),
            wait(&format!("le, {pool}"), db::CONNECTION_WAIT_TIME.name),
        ];
        let errors = [
            format!("sum by ({of_type}) ({})", self.rate(resource::ERRORS.name)),
            format!("sum by ({pool}) ({})", self.rate(db::CONNECTION_TIMEOUTS.name)),
        ];
        let panel = |title, about, unit, [resources, pools]: [String; 2]| {
            let [first, second] = Self::both(resources, pools);
            Panel::lines(title, about, unit, HALF).asks(first).asks(second).zero_based()
        };
        vec![
            panel("Utilization", "Used, as a share of the limit: pools, queues, semaphores, memory and processor of the container, file descriptors, workers of the runtime. The fullest instance counts; what has no limit has no line.", Unit::Share, share)
                .asks(Query::over_time(files, "file descriptors"))
                .asks(Query::over_time(busy, "tokio workers")),
            panel("Saturation: what waits", "Requests that wait for a resource, all instances together. Anything but short peaks is too little of it.", Unit::Plain, pending)
                .asks(Query::over_time(queued, "tokio tasks")),
            panel("Saturation: how long", "How long all but one in a hundred requests wait for a resource; of the runtime, how much later than asked a task runs.", Unit::Seconds, waits)
                .asks(Query::over_time(wait("le", process::TOKIO_SCHEDULING_DELAY.name), "tokio tasks"))
                .or_empty("no waits"),
            panel("Errors", "Requests for a resource that were refused or gave up, each second.", Unit::PerSecond, errors).or_empty("no errors"),
        ]
    }

    fn processes(&self) -> Vec<Panel> {
        let per_instance = |series: &str| Query::over_time(self.own(series, &[]), "{{instance}}");
        let version = identity::SERVICE_VERSION.key;
        let versions = format!("count by ({version}) ({})", self.own(identity::BUILD_INFO.name, &[]));
        let up = format!("time() - {}", self.own(process::START_TIME.name, &[]));
        let settings = resources::settings().scaled(self.context.estate.time_scale);
        vec![
            Panel::lines("Processor", "Processor time that each instance uses: 1 is one core.", Unit::Plain, QUARTER)
                .asks(Query::over_time(self.rate(process::CPU.name), "{{instance}}"))
                .zero_based(),
            Panel::lines("Memory", "What the kernel holds in memory for each instance.", Unit::Bytes, QUARTER)
                .asks(per_instance(process::RESIDENT_MEMORY.name))
                .zero_based(),
            Panel::lines("Tasks", "Tasks of the runtime that have not ended: a leak of them only rises.", Unit::Count, QUARTER)
                .asks(per_instance(process::TOKIO_ALIVE_TASKS.name))
                .zero_based(),
            Panel::lines("Uptime", "How long ago each instance started. A line that falls to zero again and again is a process that dies.", Unit::Seconds, QUARTER)
                .asks(Query::over_time(up, "{{instance}}"))
                .zero_based(),
            Panel::lines("Instances by version", "How many instances run each version: a rollout, or one that is stuck halfway.", Unit::Plain, HALF)
                .drawn(Drawing::Stack)
                .asks(Query::over_time(versions, &format!("{{{{{version}}}}}")))
                .zero_based(),
            Panel::lines("Telemetry that is lost", "Spans, exports, folded series and refused metrics, as the alert counts them: what is lost here is missed everywhere else.", Unit::Count, HALF)
                .asks(Query::over_time(resources::telemetry(self.context, &settings), "{{problem}}"))
                .zero_based()
                .or_empty("nothing lost"),
        ]
    }
}
