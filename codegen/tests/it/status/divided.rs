//! Rules of the server that divide an SLO otherwise than the file: no number of one group is taken for all of them.

use std::fs;

use kilter_codegen::load::LoadOptions;
use kilter_codegen::model::TimeScale;
use kilter_codegen::pipeline;
use kilter_codegen::prometheus::{Labels, Point, Sample};
use kilter_codegen::status::observed::Observed;
use kilter_codegen::status::{self, Report};

use super::{file, slo};

/// What a server records of one SLO whose groups have these labels; each group burns its place in the list.
fn recorded(groups: &[&[(&str, &str)]], budget: f64) -> Vec<Sample> {
    let sample = |name: &str, more: &[(&str, &str)], value: f64| {
        let fixed = [("__name__", name), ("service", "shop"), ("slo", "pay"), ("replica", "a")];
        let labels: Labels =
            fixed.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Sample { labels, point: Point { at: 0, value } }
    };
    let of_group = |(place, labels): (usize, &&[(&str, &str)])| {
        let burn = place as f64 / 10.0;
        let rates = ["1h", "5m"].map(|it| sample(&format!("slo:burn_rate:{it}"), labels, 20.0));
        let known =
            [("slo:total:rate5m", 10.0), ("slo:period_coverage:ratio", 1.0), ("slo:period_burn_rate:ratio", burn)];
        known.map(|(name, value)| sample(name, labels, value)).into_iter().chain(rates).collect::<Vec<_>>()
    };
    let all = groups.iter().enumerate().flat_map(of_group);
    all.chain([sample("slo:error_budget:ratio", &[], budget)]).collect()
}

fn report(by: &str, samples: &[Sample]) -> (Report, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("slo.yaml"), file("shop", &slo("pay", by))).expect("a file");
    let options = LoadOptions { paths: vec!["slo.yaml".into()], config: None, current: folder.path().to_path_buf() };
    let made = pipeline::run(&options, TimeScale::REAL).expect("the pipeline runs");
    let (estate, ..) = made.output.unwrap_or_else(|| panic!("refused: {:#?}", made.diagnostics));
    let mut observed = Observed::at(0);
    observed.add_recorded(&estate, samples);
    let services: Vec<_> = estate.services.iter().collect();
    let report = status::report(&estate, &services, &observed, "here");
    let text = status::human(&report, false);
    (report, text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn rows_are_those_of_the_server_and_say_so() {
    let regions: &[&[(&str, &str)]] = &[&[("region", "eu")], &[("region", "us")]];
    for (by, groups, rows, said) in [
        (
            "",
            regions,
            vec!["shop/pay {region=\"eu\"}", "shop/pay {region=\"us\"}"],
            "divide it by region, the file not at all:",
        ),
        ("by: [region], ", &[&[]], vec!["shop/pay"], "divide it not at all, the file by region:"),
        (
            "by: [zone], ",
            regions,
            vec!["shop/pay {region=\"eu\"}", "shop/pay {region=\"us\"}"],
            "divide it by region, the file by zone:",
        ),
        ("by: [region], ", regions, vec!["shop/pay {region=\"eu\"}", "shop/pay {region=\"us\"}"], ""),
        ("", &[&[]], vec!["shop/pay"], ""),
    ] {
        let (report, text) = report(by, &recorded(groups, 0.01));
        let mut names: Vec<String> = report.slos.iter().map(status::Row::name).collect();
        names.sort();
        assert_eq!(names, rows, "{by}: {text}");
        assert_eq!(text.contains("the server's rules divide"), !said.is_empty(), "{by}: {text}");
        assert!(text.contains(said), "{by}: no `{said}` in {text}");
        assert!(report.slos.iter().all(|it| it.served_by.is_some() != said.is_empty()), "{by}");
        // Each has its own number: the first group spent nothing, the second a tenth.
        let left = report.slos.iter().map(|it| it.budget.expect("a budget").left);
        let mut left: Vec<String> = left.map(|it| format!("{it:.1}")).collect();
        left.sort_by(|a, b| b.cmp(a));
        assert_eq!(left, ["1.0", "0.9"][..rows.len()], "{by}");
    }
}

#[test]
fn another_objective_and_a_burn_without_an_alert_are_told() {
    let (report, text) = report("", &recorded(&[&[]], 0.0005));
    assert_eq!(
        (report.slos[0].objective.as_str(), report.slos[0].served_objective.as_deref()),
        ("99%", Some("99.95%"))
    );
    assert!(text.contains("the server judges by 99.95%: "), "{text}");
    // By the file's objective it burns a twentieth.
    assert!(!text.contains("min_errors"), "{text}");
    let (_, text) = self::report("", &recorded(&[&[]], 0.01));
    assert!(text.contains("20.0x 1h is above the 13.4x of an alert: fewer events failed than `min_errors`"), "{text}");
}
