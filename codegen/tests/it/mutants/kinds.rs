//! Kinds of SLIs that the example does not have.

use kilter_codegen::model::{Duration, EventSide, Family, Histogram, NoData, Sli, Slo};

use super::files::{self, Subject};
use crate::support::{artifacts, estate, events, red, served, slo};

/// A service for every few kinds: beside many others a proof would take long.
pub(super) fn subjects() -> Vec<Subject> {
    let text = |it: &str| it.to_owned();
    let histogram = |metric: &str, native| {
        let threshold = "0.25".parse().expect("a decimal");
        Sli::Latency(Histogram { metric: text(metric), matchers: text("job=\"hooks\""), threshold, native })
    };
    let mut bad = red(Family::HttpServer, &[("http_route", &["/own"])]);
    bad.bad = vec![("http_response_status_code", vec![text("5xx"), text("429")])];
    let good = Sli::Events {
        side: EventSide::Good(text("rate(ok_total[$window])")),
        total: text("rate(tried_total[$window])"),
    };
    let mut by_route = slo("by-route", "0.95", served(&["/a", "/b"], &[], None));
    by_route.by = vec![text("http_route")];
    let mut missing = slo("missing", "0.99", events("rate(bad_total[$window])", "rate(all_total[$window])"));
    missing.no_data = NoData::Bad;
    let all: [(&str, Vec<Slo>); 5] = [
        ("requests", vec![slo("own-bad", "0.999", Sli::Red(bad)), by_route]),
        ("events", vec![slo("good", "0.99", good), missing]),
        (
            "histograms",
            vec![
                slo("own", "0.99", histogram("hook_seconds", false)),
                slo("native", "0.99", histogram("native_seconds", true)),
            ],
        ),
        (
            "time",
            vec![
                slo("up", "0.99", Sli::Uptime { up: text("probe_success") }),
                slo("loss", "0.99", Sli::Ratio(EventSide::Errors(text("avg_over_time(loss_ratio[$window])")))),
                slo("minutes", "0.99", Sli::Slices { good: text("sum(rate(sold_total[$window])) > bool 1") }),
            ],
        ),
        ("jobs", vec![slo("fresh", "0.99", Sli::Freshness { job: text("gc"), within: Duration::from_mins(90) })]),
    ];
    all.into_iter().map(|(name, slos)| subject(name, slos)).collect()
}

fn subject(name: &str, slos: Vec<Slo>) -> Subject {
    let mut estate = estate(slos);
    estate.services[0].name = name.parse().expect("a name");
    files::subject(&artifacts(&estate), name)
}
