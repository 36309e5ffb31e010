//! What a service declares, checked before anything runs: everything that is wrong is told at once.

use kilter_contract::{CATALOG, Instrument, Signal, Values, error_type};

use crate::bounds::Bounds;
use crate::service::Service;
use crate::signal::family::BUDGET;
use crate::signal::histogram::MOST_BOUNDS;
use crate::signal::http::BUDGET as ROUTE_BUDGET;

/// Most kinds of errors.
const ERROR_KINDS: usize = 64;
/// Most signals of a service's own.
const SIGNALS: usize = 200;
/// Labels that Prometheus sets itself at each scrape.
const OF_THE_SCRAPE: &[&str] = &["job", "instance"];

/// The service's bounds, and everything that is wrong with what it declares.
pub(crate) fn read(service: &Service) -> (Bounds, Vec<String>) {
    let mut wrong = Vec::new();
    error_kinds(service.error_kinds, &mut wrong);
    routes(service, &mut wrong);
    signals(service.signals, &mut wrong);
    let (bounds, more) = Bounds::read(service.bounds, service.signals);
    wrong.extend(more);
    (bounds, wrong)
}

fn error_kinds(kinds: &[&str], wrong: &mut Vec<String>) {
    let bad = kinds.iter().filter(|it| !error_type::is_declarable(it));
    wrong.extend(bad.map(|it| format!("  error kind `{it}` is not [a-z][a-z0-9_]* of at most 40 characters")));
    if kinds.len() > ERROR_KINDS {
        wrong.push(format!("  {} error kinds are declared; {ERROR_KINDS} are the most", kinds.len()));
    }
}

fn routes(service: &Service, wrong: &mut Vec<String>) {
    if service.routes.len() > ROUTE_BUDGET {
        wrong.push(format!("  {} routes are declared; {ROUTE_BUDGET} are the most", service.routes.len()));
    }
    if service.timeout_status != 0 && !(400..600).contains(&service.timeout_status) {
        wrong.push(format!("  timeout status {} is not from 400 to 599", service.timeout_status));
    }
    for route in service.routes {
        if !route.path().starts_with('/') {
            wrong.push(format!("  route `{}` does not begin with `/`", route.path()));
        }
        if !(100..600).contains(&route.success_status()) {
            wrong.push(format!("  route `{}`: {} is no HTTP status", route.path(), route.success_status()));
        }
    }
}

fn signals(own: &[Signal], wrong: &mut Vec<String>) {
    if own.len() > SIGNALS {
        wrong.push(format!("  {} signals are declared; {SIGNALS} are the most", own.len()));
    }
    let collide = |one: &Signal, other: &Signal| {
        one.series().iter().any(|it| other.claims(it)) || other.series().iter().any(|it| one.claims(it))
    };
    for (index, signal) in own.iter().enumerate() {
        let name = signal.name;
        if let Some(other) = CATALOG.iter().copied().flatten().find(|it| collide(it, signal)) {
            wrong.push(format!("  signal `{name}` has a name of the contract's `{}`", other.name));
        }
        if let Some(other) = own[..index].iter().find(|it| collide(it, signal)) {
            wrong.push(format!("  signal `{name}` has a name of another signal, `{}`", other.name));
        }
        let of_the_scrape = signal.labels.iter().filter(|it| OF_THE_SCRAPE.contains(&it.key));
        wrong.extend(of_the_scrape.map(|it| format!("  signal `{name}`: the label `{}` is Prometheus' own", it.key)));
        if let Some(sets) = closed_sets(signal).filter(|it| *it > BUDGET) {
            wrong.push(format!("  signal `{name}`: its labels have {sets} sets of values; {BUDGET} are the most"));
        }
        if let Instrument::Histogram(buckets) = signal.instrument {
            let count = buckets.nanos().len();
            if count > MOST_BOUNDS {
                wrong.push(format!("  signal `{name}` has {count} bucket bounds; {MOST_BOUNDS} are the most"));
            }
        }
    }
}

/// How many sets of values the closed labels of a signal can have; `None` when it has none.
fn closed_sets(signal: &Signal) -> Option<usize> {
    let sizes = signal.labels.iter().filter_map(|it| match it.values {
        Values::Closed(set) => Some(set.len() + usize::from(it.optional)),
        _ => None,
    });
    sizes.reduce(usize::saturating_mul)
}

/// Every set of values of a signal whose labels are all closed and always there, when they are at most this many.
pub(crate) fn every_set(signal: &Signal, most: usize) -> Vec<Vec<Option<&'static str>>> {
    let mut all: Vec<Vec<Option<&'static str>>> = vec![Vec::new()];
    for label in signal.labels {
        let Values::Closed(set) = label.values else { return Vec::new() };
        if label.optional || all.len().saturating_mul(set.len()) > most {
            return Vec::new();
        }
        let longer = |it: &Vec<Option<&'static str>>, value| it.iter().copied().chain([Some(value)]).collect();
        all = all.iter().flat_map(|it| set.iter().map(move |value| longer(it, *value))).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    mod good {
        use kilter_contract::{Label, Values, signals};
        const SIZE: Label = Label::new("size", "order.size", Values::Closed(&["small", "large"]), false, "Size.");
        const WHO: Label = Label::new("tenant", "tenant", Values::Configured, false, "Tenant.");
        signals! {
            family "orders";
            /// Placed.
            PLACED = counter "orders_placed_total", otel "orders.placed", unit Count, help "Placed.", labels [SIZE];
            /// Open.
            OPEN = gauge "orders_open", otel "orders.open", unit Count, help "Open.", labels [SIZE, WHO];
        }
    }

    mod bad {
        use kilter_contract::{Label, Values, signals};
        const LETTERS: Values = Values::Closed(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]);
        const A: Label = Label::new("a", "a", LETTERS, false, "A.");
        const B: Label = Label::new("b", "b", LETTERS, false, "B.");
        const C: Label = Label::new("c", "c", LETTERS, false, "C.");
        const JOB: Label = Label::new("job", "job", Values::Configured, false, "Job.");
        signals! {
            family "orders";
            /// A form of the contract's.
            TAKEN = gauge "http_server_request_duration_seconds_count", otel "x", unit Count, help "X.", labels [];
            /// The stem of a counter of the contract.
            STEM = gauge "telemetry_violations", otel "x", unit Count, help "X.", labels [];
            /// First of two.
            ORDERS = counter "orders_total", otel "orders", unit Count, help "X.", labels [];
            /// Its stem again.
            AGAIN = gauge "orders", otel "orders", unit Count, help "X.", labels [JOB];
            /// Too many.
            MANY = counter "many_total", otel "many", unit Count, help "X.", labels [A, B, C];
        }
    }

    #[test]
    fn everything_wrong_is_told_and_what_is_right_is_not() {
        let (_, wrong) = read(&Service::new("shop", "1").signals(good::SIGNALS));
        assert_eq!(wrong, Vec::<String>::new());
        let (_, wrong) =
            read(&Service::new("shop", "1").signals(bad::SIGNALS).bounds("orders_total 1").error_kinds(&["X"]));
        let told = [
            "  error kind `X` is not [a-z][a-z0-9_]* of at most 40 characters",
            "  signal `http_server_request_duration_seconds_count` has a name of the contract's `http_server_request_duration_seconds`",
            "  signal `telemetry_violations` has a name of the contract's `telemetry_violations_total`",
            "  signal `orders` has a name of another signal, `orders_total`",
            "  signal `orders`: the label `job` is Prometheus' own",
            "  signal `many_total`: its labels have 1331 sets of values; 1000 are the most",
            "  bounds, line 1: `orders_total` is no histogram of durations of this service",
        ];
        assert_eq!(wrong, told);
    }

    #[test]
    fn few_sets_are_all_known() {
        assert_eq!(every_set(&good::PLACED, 64), [[Some("small")], [Some("large")]]);
        assert!(every_set(&good::OPEN, 64).is_empty() && every_set(&bad::MANY, 64).is_empty());
        assert_eq!(every_set(&bad::ORDERS, 64), [Vec::new()]);
    }
}
