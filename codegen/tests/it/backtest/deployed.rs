//! The deployed rules, at a thirtieth of the time, on a service that fails for some seconds: what they fired is in `ALERTS`.
//! A backtest of the raw series afterwards must say the same.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kilter_codegen::model::Severity;
use kilter_harness::{Prometheus, PrometheusConfig, Target, until};

use super::{SLO, outcome, requests};
use crate::cli::{kilter, said};

/// How long every request fails.
const OUTAGE: Duration = Duration::from_secs(5);
/// Five minutes.
const WHOLE: Duration = Duration::from_secs(10);
/// Between two evaluations of the rules, in milliseconds.
const INTERVAL: i64 = 1_000;

/// One pair for pages, so that the test need not wait for the half hour of the second.
const WINDOWS: &str =
    "windows: [{severity: page, share: 2%, long: 1h, short: 5m}, {severity: ticket, share: 10%, long: 1d, short: 2h}]";

/// A service with a hundred requests a second, for as long as the test runs; its outage begins when it is told.
fn serve(outage: Arc<OnceLock<Instant>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let began = Instant::now();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut request, mut part) = (Vec::new(), [0; 1_024]);
            while !request.windows(4).any(|it| it == b"\r\n\r\n") {
                match stream.read(&mut part) {
                    Ok(read) if read > 0 => request.extend_from_slice(&part[..read]),
                    _ => break,
                }
            }
            let now = began.elapsed().as_secs_f64();
            let bad = outage.get().map_or(0.0, |it| it.elapsed().min(OUTAGE).as_secs_f64()) * 100.0;
            let page = format!("{} {:.0}\n{} {bad:.0}\n", requests(false), now * 100.0 - bad, requests(true))
                .replace("job=\"shop\",", "");
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{page}", page.len());
        }
    });
    address
}

#[expect(clippy::cast_possible_truncation, reason = "a time of today")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

#[test]
fn a_backtest_says_what_the_deployed_rules_fired() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::write(path.join("slo.yaml"), SLO.replace("window: 7d", WINDOWS)).expect("a file");
    let made = kilter(&["generate", "slo.yaml", "--only", "rules", "--time-scale", "1/30"], path);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    let outage = Arc::new(OnceLock::new());
    let address = serve(Arc::clone(&outage));
    let mut config = PrometheusConfig::new(vec![Target { job: "shop".to_owned(), address }]);
    config.rule_files = vec![path.join("rules/shop.rules.yaml")];
    config.time_divisor = 30;
    let prometheus = Prometheus::start(path, config).expect("Prometheus starts");

    // Conditions read what was recorded at whole five minutes, which are ten seconds here. In the first of them a rule
    // that is evaluated a moment later than the backtest looks may have nothing to read where the backtest has.
    let recorded_before = || Ok(prometheus.value("slo:error:rate5m offset 11s")?.map(drop));
    until("a history of eleven seconds", Duration::from_secs(60), recorded_before).expect("a history");
    // And one that begins within the second before such a moment is seen there by rules that are evaluated just then, and ten
    // seconds later by others. So it begins after one, and is over before the next.
    let into = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() % WHOLE.as_millis();
    let (into, after) = (Duration::from_millis(u64::try_from(into).expect("seconds")), Duration::from_secs(2));
    std::thread::sleep((WHOLE + after).saturating_sub(into));
    outage.set(Instant::now()).expect("the only outage");

    let is = |it: &kilter_harness::Alert, severity: &str| {
        let (name, of) = (it.label("alertname"), it.label("severity"));
        (it.state.as_str(), name, of) == ("firing", "ErrorBudgetBurn", severity)
    };
    let fires = |severity: &str| prometheus.alerts().map(|all| all.iter().any(|it| is(it, severity)));
    until("the page", Duration::from_secs(40), || Ok(fires("page")?.then_some(()))).expect("a page");
    until("the end of the page", Duration::from_secs(60), || Ok((!fires("page")?).then_some(()))).expect("its end");
    std::thread::sleep(Duration::from_secs(2));
    prometheus.no_rule_errs().expect("no rule errs");

    // What the rules recorded of themselves, evaluation by evaluation.
    let query = "ALERTS{alertstate=\"firing\",alertname=\"ErrorBudgetBurn\"}";
    let mut recorded: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for series in prometheus.query_range(query, Duration::from_secs(120), Duration::from_millis(500)).expect("alerts") {
        let at = |it: Option<&(f64, f64)>| millis(it.expect("a point").0);
        recorded.insert(series.labels["severity"].clone(), (at(series.points.first()), at(series.points.last())));
    }

    let args = ["--since", "2m", "--time-scale", "1/30", "--quiet"];
    let (found, status) = outcome(&prometheus.url(), &args, path);
    assert_eq!((status, found.step), (Some(0), INTERVAL));
    let burns: Vec<_> = found.variants[0].fired.iter().filter(|it| it.alert == "ErrorBudgetBurn").collect();
    assert_eq!(burns.len(), recorded.len(), "{burns:?} but {recorded:?}");
    for (severity, name) in [(Severity::Page, "page"), (Severity::Ticket, "ticket")] {
        let burn = burns.iter().find(|it| it.severity == severity).unwrap_or_else(|| panic!("no {name}: {burns:?}"));
        let (from, last) = recorded[name];
        assert!((burn.from - from).abs() <= 2 * INTERVAL, "the {name} began at {}, really at {from}", burn.from);
        if let Some(until) = burn.until.filter(|_| severity == Severity::Page) {
            // `last` is the last moment at which it fired; the next evaluation is the end.
            assert!(
                (until - INTERVAL - last).abs() <= 2 * INTERVAL,
                "the {name} ended at {until}, really after {last}"
            );
        }
    }
    let page = burns.iter().find(|it| it.severity == Severity::Page).expect("a page");
    assert!(page.until.is_some(), "the page has ended: {page:?}");
}
