//! The same truth, measured by a real VictoriaMetrics with vmalert, whose MetricsQL reads ranges in its own way.

use std::fmt::Write as _;

use super::*;
use kilter_harness::{Alert, VictoriaMetrics, Vmalert, free_port};

/// VictoriaMetrics has no native histograms, and the generator says so.
const WITHOUT: &[&str] = &["native"];

#[test]
fn vmalert_measures_the_truth_on_victoria_metrics() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = VictoriaMetrics::start(&folder.path().join("storage")).expect("VictoriaMetrics starts");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    // Some of it is still to come, so that the last five minutes are full whenever the rules run.
    storage.import(&in_milliseconds(&History::until(now + 120).text())).expect("the history");
    let target = "vmalert=1.79".parse().expect("a target");
    let rules = rules(folder.path(), target, WITHOUT);
    let nobody = format!("127.0.0.1:{}", free_port().expect("a port"));
    let vmalert = Vmalert::start(&folder.path().join("vmalert"), &rules, &storage, &nobody).expect("vmalert starts");

    let now = || storage.query(MEASURED).map(|it| measured(&it));
    let found = until("every SLO is measured", Duration::from_secs(60), || {
        Ok(Some(now()?).filter(|it| it.len() > SLOS.len() - WITHOUT.len() + GROUPS.len()))
    })
    .expect("measures");
    let wrong = wrong(&found, WITHOUT);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What is recorded is read by the next rules, and by those after them.
    let paged = |it: &Alert| {
        (it.label("alertname"), it.label("slo"), it.label("severity")) == ("ErrorBudgetBurn", "broken", "page")
    };
    until("the page", Duration::from_secs(60), || Ok(vmalert.alerts()?.iter().any(paged).then_some(())))
        .expect("a page");
    vmalert.no_rule_errs().expect("no rule errs");
}

/// OpenMetrics counts seconds, its import milliseconds.
fn in_milliseconds(text: &str) -> String {
    let mut lines = String::with_capacity(text.len() * 2);
    for line in text.lines().filter(|it| !it.starts_with('#')) {
        let _ = writeln!(lines, "{line}000");
    }
    lines
}
