//! The rules as text: what promtool accepts, how many there are, and what no alert may do.

use kilter_codegen::model::{Estate, NoData, TimeScale};
use kilter_codegen::plan::{Rule, RuleFile};

use crate::support::{artifacts, availability, estate, events, latency, planned, slo, tool, written};

fn rules(file: &RuleFile) -> Vec<&Rule> {
    file.groups.iter().flat_map(|group| &group.rules).collect()
}

/// One estate per shape that rules can take.
fn shapes() -> Vec<(&'static str, Estate)> {
    let everything = || {
        let mut by = slo("hooks", "0.99", events("rate(hooks_failed_total[$window])", "rate(hooks_total[$window])"));
        by.by = vec!["region".to_owned()];
        vec![slo("avail", "0.999", availability("/{a}/b.c")), slo("latency", "0.99", latency("/x", 1_000_000_000)), by]
    };
    let mut identity = estate(everything());
    identity.identity = [("environment".to_owned(), "prod".to_owned())].into();
    let mut classes = estate(everything());
    classes.services[0].slos[1].no_data = NoData::Ignore;
    classes.services[0].slos[2].min_errors = 0;
    classes.services[0].slos[0].window = "7d".parse().expect("a window");
    let mut scaled = estate(everything());
    scaled.time_scale = TimeScale::one_in(20).expect("a scale");
    let low = estate(vec![slo("low", "0.8", availability("/a"))]);
    vec![
        ("plain", estate(everything())),
        ("identity", identity),
        ("classes", classes),
        ("scaled", scaled),
        ("low objective", low),
    ]
}

#[test]
fn promtool_accepts_every_shape() {
    for (name, estate) in shapes() {
        let artifacts = artifacts(&estate);
        let folder = written(&artifacts);
        for path in ["rules/shop.rules.yaml", "rules/kilter.rules.yaml"] {
            let (ok, said) = tool("promtool", &["check", "rules", path], folder.path());
            assert!(ok, "{name}: {said}");
            let planned = planned(&estate);
            let file = if path.contains("shop") { &planned.services[0].rules } else { &planned.estate_rules };
            let counted = format!("{} rules found", rules(file).len());
            assert!(said.contains(&counted), "{name}: {path} has {counted}, but promtool says: {said}");
        }
    }
}

#[test]
fn at_most_six_rules_per_slo_and_twenty_per_service_and_class() {
    for (name, estate) in shapes() {
        let plan = planned(&estate);
        let classes = if name == "classes" { 3 } else { 1 + usize::from(name != "low objective") };
        let most = 6 * estate.services[0].slos.len() + 20 * classes;
        let count = rules(&plan.services[0].rules).len();
        assert!(count <= most, "{name}: {count} rules, at most {most}");
    }
}

/// After a restart with a changed team such a join fails every evaluation for five minutes.
#[test]
fn no_alert_reads_metadata_and_each_names_its_service() {
    for (name, estate) in shapes() {
        for rule in rules(&planned(&estate).services[0].rules) {
            let Rule::Alerting { alert, expr, labels, .. } = rule else { continue };
            assert!(!expr.contains("slo:info") && !expr.contains("group_left"), "{name}: {alert} joins");
            assert!(expr.contains("shop"), "{name}: {alert} does not select its service");
            assert_eq!(labels["team"], "store");
        }
    }
}

#[test]
fn identity_is_on_every_series_and_join() {
    let (_, estate) = shapes().remove(1);
    for rule in rules(&planned(&estate).services[0].rules) {
        let (name, expr) = match rule {
            Rule::Recording { record, expr, .. } => (record, expr),
            Rule::Alerting { alert, expr, .. } => (alert, expr),
        };
        let names_user_series = expr.contains("hooks_");
        let constant = expr.starts_with("vector(");
        let selectors = expr.matches('{').count() - expr.matches("/{a}").count();
        let identified = expr.matches("environment=\"prod\"").count();
        assert!(constant || names_user_series || selectors == identified, "{name}: {expr}");
        assert!(!expr.contains("on (service, slo)"), "{name} joins without identity: {expr}");
    }
}

/// Every link of an alert leads somewhere: the runbook has a heading for each section that an alert names.
#[test]
fn runbooks_have_every_section_that_alerts_link_to() {
    for (name, estate) in shapes() {
        let plan = planned(&estate);
        let text = &plan.services[0].runbooks[0].text;
        let headings: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .map(|it| {
                it.to_lowercase()
                    .chars()
                    .filter(|c| c.is_alphanumeric() || " -".contains(*c))
                    .collect::<String>()
                    .replace(' ', "-")
            })
            .collect();
        let mut links = 0;
        for rule in rules(&plan.services[0].rules) {
            let Rule::Alerting { alert, annotations, .. } = rule else { continue };
            let section = annotations["runbook_url"].split_once('#').expect("a section").1;
            assert!(headings.iter().any(|it| it == section), "{name}: {alert} links to #{section}: {headings:?}");
            links += 1;
        }
        assert!(links >= 6, "{name}: {links} links");
        let first_action = text.lines().position(|line| line.contains("Roll it back")).expect("an action");
        assert!(first_action < 20, "{name}: the first action comes late");
    }
}
