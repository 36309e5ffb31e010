//! What the service serves, calls and runs: rate, errors and duration of each family that it has.

use kilter_contract::{cache, db, http, http_client, job, resilience, slo};

use super::super::context::Context;
use super::super::expr::{equal, one_of, select, sum_by};
use super::instances;
use super::model::{Color, Drawing, Panel, Query, Section, State, Unit};
use super::status::Scope;
use crate::model::{Decimal, Family, Slo};

/// What every family has fills a row; what some have more, the next.
const QUARTER: u32 = 6;
const THIRD: u32 = 8;

/// States of a breaker as numbers.
const BREAKER: &[State] = &[
    State { value: 0, word: "closed", color: Color::Blue },
    State { value: 1, word: "half open", color: Color::Purple },
    State { value: 2, word: "OPEN", color: Color::Vermillion },
];

/// A section for each family, in the order of the contract.
pub(super) fn sections(context: &Context<'_>) -> Vec<Section> {
    let red = Red { context };
    Family::ALL
        .iter()
        .filter(|it| red.has(**it))
        .map(|it| Section { title: heading(*it).to_owned(), panels: red.panels(*it) })
        .collect()
}

const fn heading(family: Family) -> &'static str {
    match family {
        Family::HttpServer => "Serving: HTTP requests",
        Family::HttpClient => "Calling: HTTP dependencies",
        Family::RpcServer => "Serving: RPC",
        Family::RpcClient => "Calling: RPC dependencies",
        Family::Db => "Database operations",
        Family::Messaging => "Messages",
        Family::Job => "Jobs",
        Family::Cache => "Caches",
    }
}

/// What is counted, and its verb in titles: `Requests by route`.
const fn nouns(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::HttpServer => ("Requests", "route"),
        Family::HttpClient => ("HTTP calls", "dependency"),
        Family::RpcServer => ("RPC requests", "method"),
        Family::RpcClient => ("RPC calls", "dependency"),
        Family::Db => ("Operations", "operation"),
        Family::Messaging => ("Messages", "destination"),
        Family::Job => ("Runs", "job"),
        Family::Cache => ("Cache operations", "cache"),
    }
}

struct Red<'a> {
    context: &'a Context<'a>,
}

/// A label in a legend.
fn named(label: &str) -> String {
    format!("{{{{{label}}}}}")
}

fn by(labels: &[&str], of: &str) -> String {
    sum_by(&labels.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>(), of)
}

/// Where events lie between the bounds: two kinds of events are two bands, which no quantile tells.
fn heat(noun: &str, lower: &str, buckets: String) -> Panel {
    let about = format!(
        "How many {lower} take how long: each row is a bucket, and the brighter a cell, the more there are. Two bands are two kinds of {lower}. Points lead to traces."
    );
    Panel::lines(&format!("{noun}: how many take how long"), &about, Unit::PerSecond, QUARTER)
        .drawn(Drawing::Heat)
        .asks(Query::over_time(buckets, "{{le}}").with_exemplars())
        .or_empty("no traffic")
}

impl Red<'_> {
    /// A series of the chosen instances.
    fn own(&self, series: &str, more: &[String]) -> String {
        select(series, &[instances(self.context), more.to_vec()].concat())
    }

    fn rate(&self, series: &str, more: &[String]) -> String {
        format!("rate({}[$__rate_interval])", self.own(series, more))
    }

    /// Whether an SLO is about it, or the service says that it has it.
    fn has(&self, family: Family) -> bool {
        let service = self.context.service;
        let about = |it: &Slo| it.sli.red().is_some_and(|it| it.family == family);
        service.slos.iter().any(about) || service.signals.contains(family.signal().name)
    }

    fn panels(&self, family: Family) -> Vec<Panel> {
        let mut all = self.common(family);
        all.extend(match family {
            Family::HttpServer => self.served(),
            Family::HttpClient => {
                let mut all = vec![self.active(http_client::CLIENT_ACTIVE_REQUESTS.name, family)];
                all.extend(self.breakers());
                all
            }
            // Breakers are of a dependency, however it is called: once is enough.
            Family::RpcClient if !self.has(Family::HttpClient) => self.breakers(),
            Family::Db => self.replicas(),
            Family::Job => self.jobs(),
            Family::Cache => vec![self.hits()],
            Family::RpcClient | Family::RpcServer | Family::Messaging => vec![],
        });
        all
    }

    /// Rate and errors by what tells most, and quantiles.
    fn common(&self, family: Family) -> Vec<Panel> {
        let (name, main) = (family.signal().name, family.main_label().key);
        let (noun, per) = nouns(family);
        let lower = format!("{}{}", noun[..1].to_lowercase(), &noun[1..]);
        let lower = if noun.starts_with("HTTP") || noun.starts_with("RPC") { noun } else { &lower };
        // What no route matches is of scanners, and has no name.
        let counted: Vec<String> = if family == Family::HttpServer { vec![format!("{main}!=\"\"")] } else { vec![] };
        let count = format!("{name}_count");
        let mut all = vec![
            Panel::lines(
                &format!("{noun} by {per}"),
                &format!("How many {lower} there are each second, by {per}."),
                Unit::PerSecond,
                QUARTER,
            )
            .drawn(Drawing::Stack)
            .asks(Query::over_time(by(&[main], &self.rate(&count, &counted)), &named(main)))
            .zero_based(),
        ];
        if let Some(outcome) = family.outcomes().last().map(|it| it.label.key).filter(|_| family != Family::Cache) {
            let failed = [counted.clone(), vec![format!("{outcome}!=\"\"")]].concat();
            let query = by(&[main, outcome], &self.rate(&count, &failed));
            let note = if family == Family::HttpServer { " client_disconnect is no availability error." } else { "" };
            all.push(
                Panel::lines(
                    &format!("{noun} that fail"),
                    &format!("How many {lower} fail each second, by {per} and error.{note}"),
                    Unit::PerSecond,
                    QUARTER,
                )
                .drawn(Drawing::Stack)
                .asks(Query::over_time(query, &format!("{} {}", named(main), named(outcome))))
                .zero_based()
                .or_empty("no errors"),
            );
        } else {
            let query = by(&[main, cache::OUTCOME.key], &self.rate(&count, &[]));
            all.push(
                Panel::lines(
                    "Cache outcomes",
                    "Hits, misses and errors each second, by cache.",
                    Unit::PerSecond,
                    QUARTER,
                )
                .drawn(Drawing::Stack)
                .asks(Query::over_time(query, &format!("{} {}", named(main), named(cache::OUTCOME.key))))
                .zero_based(),
            );
        }
        let buckets = by(&["le"], &self.rate(&format!("{name}_bucket"), &counted));
        all.push(self.durations(family, noun, lower, &buckets));
        all.push(heat(noun, lower, buckets));
        all
    }

    /// Quantiles with the traces of single events, and the thresholds of latency SLOs.
    fn durations(&self, family: Family, noun: &str, lower: &str, buckets: &str) -> Panel {
        let quantiles = [("0.5", "p50"), ("0.9", "p90"), ("0.99", "p99")]
            .map(|(q, name)| (format!("histogram_quantile({q}, {buckets})"), name.to_owned()));
        let about = format!(
            "How long {lower} take: half of them, nine in ten, all but one in a hundred; grey lines are what SLOs promise. Points are single {lower}: each leads to its trace."
        );
        let title = format!("{noun}: duration");
        let mut panel = Panel::lines(&title, &about, Unit::Seconds, QUARTER)
            .asks_all(quantiles)
            .zero_based()
            .or_empty("no traffic");
        for query in &mut panel.queries {
            *query = query.clone().with_exemplars();
        }
        let scope = Scope::chosen(self.context.estate, self.context.service.name.as_str());
        for slo in &self.context.service.slos {
            let Some(nanos) = slo.sli.red().filter(|it| it.family == family).and_then(|it| it.slower_than_nanos) else {
                continue;
            };
            // Only the chosen SLO's line is drawn.
            let own = [scope.matchers(), vec![equal(slo::SLO_LABEL, slo.name.as_str())]].concat();
            let limit = format!("0 * {} + {}", select(slo::OBJECTIVE, &own), Decimal::new(u128::from(nanos), 9));
            panel = panel.asks(Query::over_time(limit, &format!("{} at most", slo.name)).drawn(Color::Grey, true));
        }
        panel
    }

    fn active(&self, series: &str, family: Family) -> Panel {
        let (main, (noun, per)) = (family.main_label().key, nouns(family));
        let about =
            format!("How many {noun} have begun and not ended, by {per}. It rises when they become slow or more.");
        Panel::lines(&format!("{noun} in flight"), &about.replace("Requests", "requests"), Unit::Plain, THIRD)
            .asks(Query::over_time(by(&[main], &self.own(series, &[])), &named(main)))
            .zero_based()
    }

    fn served(&self) -> Vec<Panel> {
        let (name, route) = (http::SERVER_REQUEST_DURATION.name, http::ROUTE.key);
        let codes = by(&[http::STATUS.key], &self.rate(&format!("{name}_count"), &[]));
        let routed = [format!("{route}!=\"\"")];
        let slowest = by(&["le", route], &self.rate(&format!("{name}_bucket"), &routed));
        vec![
            Panel::lines(
                "Status codes",
                "Requests each second by status code; those without one ended before a response, or were cut off.",
                Unit::PerSecond,
                THIRD,
            )
            .drawn(Drawing::Stack)
            .asks(Query::over_time(codes, &format!("status {}", named(http::STATUS.key))))
            .zero_based(),
            self.active(http::SERVER_ACTIVE_REQUESTS.name, Family::HttpServer),
            Panel::lines(
                "Slowest percent by route",
                "The time that all but one in a hundred requests of a route take at most.",
                Unit::Seconds,
                THIRD,
            )
            .asks(Query::over_time(format!("histogram_quantile(0.99, {slowest})"), &named(route)))
            .zero_based()
            .or_empty("no traffic"),
        ]
    }

    /// Breakers, and calls that were never made.
    fn breakers(&self) -> Vec<Panel> {
        let dependency = http_client::DEPENDENCY.key;
        let is = |value: u32, state: &str| {
            let state = self.own(resilience::CIRCUIT_BREAKER_STATE.name, &[equal(resilience::STATE.key, state)]);
            format!("max by ({dependency}) ({state} == 1) * 0 + {value}")
        };
        let state = format!("{} or {} or {}", is(2, resilience::OPEN), is(1, "half_open"), is(0, "closed"));
        let reason = resilience::REJECT_REASON.key;
        let rejected = by(&[dependency, reason], &self.rate(resilience::DEPENDENCY_REJECTED.name, &[]));
        vec![
            Panel::new(
                "Circuit breakers",
                "Whether calls to a dependency are let through. The worst of the instances counts.",
                Drawing::States,
                Unit::Word,
                (THIRD, 8),
            )
            .asks(Query::over_time(state, &named(dependency)))
            .words(BREAKER)
            .or_empty("no breakers"),
            Panel::lines(
                "Calls that were rejected",
                "Calls each second that were never made, and why. They are errors of the dependency.",
                Unit::PerSecond,
                THIRD,
            )
            .drawn(Drawing::Stack)
            .asks(Query::over_time(rejected, &format!("{} {}", named(dependency), named(reason))))
            .zero_based()
            .or_empty("none rejected"),
        ]
    }

    /// Where reads go, and how far behind the replicas are.
    fn replicas(&self) -> Vec<Panel> {
        let (namespace, role, replica) = (db::NAMESPACE.key, db::ROLE.key, resilience::REPLICA.key);
        let operations = by(&[namespace, role], &self.rate(&format!("{}_count", db::OPERATION_DURATION.name), &[]));
        let reads = by(&[role, resilience::READ_REASON.key], &self.rate(resilience::REPLICA_READS.name, &[]));
        let lag = format!("max by ({namespace}, {replica}) ({})", self.own(resilience::REPLICA_LAG.name, &[]));
        vec![
            Panel::lines(
                "Operations by server",
                "Where the work is done: a primary that does what replicas should is soon too busy.",
                Unit::PerSecond,
                THIRD,
            )
            .drawn(Drawing::Stack)
            .asks(Query::over_time(operations, &format!("{} {}", named(namespace), named(role))))
            .zero_based(),
            Panel::lines(
                "Reads by reason",
                "Reads that a replica may answer: who answered, and why.",
                Unit::PerSecond,
                THIRD,
            )
            .drawn(Drawing::Stack)
            .asks(Query::over_time(reads, &format!("{}: {}", named(role), named(resilience::READ_REASON.key))))
            .zero_based()
            .or_empty("no replicas"),
            Panel::lines(
                "Replica lag",
                "How far each replica is behind its primary, by its own word.",
                Unit::Seconds,
                THIRD,
            )
            .asks(Query::over_time(lag, &format!("{} {}", named(namespace), named(replica))))
            .zero_based()
            .or_empty("no replicas"),
        ]
    }

    fn jobs(&self) -> Vec<Panel> {
        let name = job::NAME.key;
        let last = format!("time() - max by ({name}) ({})", self.own(job::LAST_SUCCESS.name, &[]));
        vec![
            Panel::lines(
                "Since the last success",
                "How long ago each job last succeeded, as far as processes that run now know.",
                Unit::Seconds,
                THIRD,
            )
            .asks(Query::over_time(last, &named(name)))
            .zero_based()
            .or_empty("no success yet"),
            self.active(job::ACTIVE_RUNS.name, Family::Job),
        ]
    }

    fn hits(&self) -> Panel {
        let (name, outcome) = (cache::NAME.key, cache::OUTCOME.key);
        let gets = |outcomes: &[&str]| {
            let more = [equal(cache::OPERATION.key, cache::GET), one_of(outcome, outcomes)];
            by(&[name], &self.rate(&format!("{}_count", cache::OPERATION_DURATION.name), &more))
        };
        let ratio = format!("{} / ({} > 0)", gets(&[cache::HIT]), gets(&[cache::HIT, cache::MISS, cache::ERROR]));
        Panel::lines("Hit ratio", "The share of reads that a cache answers.", Unit::Share, THIRD)
            .asks(Query::over_time(ratio, &named(name)))
            .share()
            .or_empty("no reads")
    }
}
