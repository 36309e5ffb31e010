//! Which policy an SLO ends up with, from `kilter.yaml`, its service and itself; and that the whole is proven.

use std::fs;
use std::path::PathBuf;

use kilter_codegen::diagnostic::report;
use kilter_codegen::load::LoadOptions;
use kilter_codegen::model::{Estate, NoData, Severity, Slo, TimeScale};
use kilter_codegen::pipeline;

use crate::support::{tool, written};

const ESTATE: &str = r#"
services: ["slo.yaml"]
severities: {page: critical}
labels: {unit: retail, tenant: all}
maintenance: {schedule: [{days: [sunday], from: "02:00", to: "04:00"}]}
windows: [{severity: page, share: 4%, long: 1h, short: 10m}]
tiers:
  low: {pages: ticket, min_errors: 7}
  payments: {no_data: bad, windows: [{severity: page, share: 1%, long: 30m, short: 5m}]}
"#;

const SERVICE: &str = r#"
apiVersion: kilter/v1
service: shop
team: store
tier: payments
labels: {tenant: shop}
slos:
  - name: inherits
    description: As the service.
    objective: 99.9%
    sli: {http_server: {routes: ["/a"], slower_than: 1s}}
  - name: low
    description: Of another tier, whose windows are the estate's.
    objective: 99%
    tier: low
    sli: {http_server: {routes: ["/b"], slower_than: 1s}}
  - name: own
    description: Everything of its own.
    objective: 99%
    tier: low
    min_errors: 1
    no_data: page
    labels: {tenant: own}
    maintenance: {while: 'maintenance_mode == 1'}
    windows: [{severity: page, share: 2%, long: 2h, short: 10m}]
    sli: {http_server: {routes: ["/c"], slower_than: 1s}}
  - name: background
    description: A tier of Kilter's, above the estate's windows.
    objective: 99%
    tier: background
    sli: {http_server: {routes: ["/d"], slower_than: 1s}}
"#;

fn windows(slo: &Slo) -> Vec<(Severity, String, String)> {
    let pairs = slo.policy.windows.iter().flatten();
    pairs.map(|it| (it.severity, it.share.to_string(), it.long.to_string())).collect()
}

fn slo<'a>(estate: &'a Estate, name: &str) -> &'a Slo {
    estate.services[0].slos.iter().find(|it| it.name.as_str() == name).expect("an SLO")
}

#[test]
fn the_narrower_scope_wins() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("kilter.yaml"), ESTATE).expect("a file");
    fs::write(folder.path().join("slo.yaml"), SERVICE).expect("a file");
    let options = LoadOptions { paths: Vec::<PathBuf>::new(), config: None, current: folder.path().to_path_buf() };
    let made = pipeline::run(&options, TimeScale::REAL).expect("the generator runs");
    let said = report::human(&made.diagnostics, &made.sources, false);
    let (estate, plan, artifacts) = made.output.unwrap_or_else(|| panic!("{said}"));

    let it = slo(&estate, "inherits");
    assert_eq!(it.policy.tier.as_deref(), Some("payments"));
    assert_eq!((it.no_data, it.min_errors), (NoData::Bad, 5));
    assert_eq!(windows(it), [(Severity::Page, "0.01".into(), "30m".into())]);
    assert_eq!(it.policy.extra.labels["tenant"], "shop");
    assert_eq!(it.policy.extra.labels["unit"], "retail");
    assert_eq!(it.policy.maintenance.as_ref().map(|it| it.schedule.len()), Some(1));

    // A tier that wakes nobody has its tickets for missing data too.
    let it = slo(&estate, "low");
    assert_eq!((it.no_data, it.min_errors), (NoData::Ticket, 7));
    assert_eq!(windows(it), [(Severity::Ticket, "0.04".into(), "1h".into())]);

    let it = slo(&estate, "own");
    assert_eq!((it.no_data, it.min_errors), (NoData::Page, 1));
    assert_eq!(windows(it), [(Severity::Page, "0.02".into(), "2h".into())]);
    assert_eq!(it.policy.extra.labels["tenant"], "own");
    let maintenance = it.policy.maintenance.as_ref().expect("its own");
    assert_eq!((maintenance.promql.as_deref(), maintenance.schedule.len()), (Some("maintenance_mode == 1"), 0));

    let it = slo(&estate, "background");
    assert_eq!((it.no_data, it.min_errors), (NoData::Ignore, 20));
    assert_eq!(windows(it), [(Severity::Ticket, "0.04".into(), "1h".into())]);

    let folder = written(&artifacts);
    for path in ["rules/shop.rules.yaml", "rules/kilter.rules.yaml"] {
        let (ok, said) = tool("promtool", &["check", "rules", path], folder.path());
        assert!(ok, "{said}");
    }
    let severities: Vec<&str> = plan.routing.inhibit_rules[0].source_matchers.iter().map(String::as_str).collect();
    assert_eq!(severities, ["severity=\"critical\""]);
}
