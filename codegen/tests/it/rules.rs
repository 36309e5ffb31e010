//! The rules as text: what promtool accepts, how many there are, and what no alert may do.

use kilter_codegen::model::{
    Check, Duration, Estate, EventSide, Family, Histogram, NoData, Resource, Sli, Slo, TimeScale,
};
use kilter_codegen::plan::class::classes;
use kilter_codegen::plan::{Rule, RuleFile};
use kilter_contract::slo as slo_names;

use crate::support::{artifacts, availability, estate, events, latency, planned, red, slo, tool, written};

fn rules(file: &RuleFile) -> Vec<&Rule> {
    file.groups.iter().flat_map(|group| &group.rules).collect()
}

/// An SLO of each kind, some with groups.
fn kinds() -> Vec<Slo> {
    let dependency: &[(&'static str, &[&str])] = &[("dependency", &["identity"])];
    let text = str::to_owned;
    let histogram = |native| {
        let (metric, matchers) = (text("hooks_seconds"), text("zone=\"a\""));
        Sli::Latency(Histogram { metric, matchers, threshold: "0.25".parse().expect("a decimal"), native })
    };
    let families = Family::ALL.iter().map(|family| {
        let only: &[(&'static str, &[&str])] = if family.calls_a_dependency() { dependency } else { &[] };
        (family.key().replace('_', "-"), Sli::Red(red(*family, only)))
    });
    let others = [
        ("fresh", Sli::Freshness { job: text("gc"), within: Duration::from_mins(60) }),
        ("ratio", Sli::Ratio(EventSide::Good(text("avg_over_time(hooks_ratio[$window])")))),
        ("classic", histogram(false)),
        ("native", histogram(true)),
        ("uptime", Sli::Uptime { up: text("max by (region) (hooks_up)") }),
        ("gauge", Sli::Uptime { up: text("hooks_up") }),
        ("slices", Sli::Slices { good: text("sum by (region) (rate(hooks_total[$window])) > bool 1") }),
    ];
    let named = families.chain(others.map(|(name, sli)| (text(name), sli)));
    let mut all: Vec<Slo> = named.map(|(name, sli)| slo(&name, "0.99", sli)).collect();
    for by in all.iter_mut().filter(|it| ["uptime", "slices", "gauge", "native", "db"].contains(&it.name.as_str())) {
        by.by = vec![text("region")];
    }
    all
}

/// One estate per shape that rules can take.
pub(crate) fn shapes() -> Vec<(&'static str, Estate)> {
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
        ("every kind", estate(kinds())),
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

/// At most six for an SLO, twenty for a service and twenty for each policy class, however much the SLO file says.
#[test]
fn the_number_of_rules_is_bounded() {
    let off = |kind: &str, name: String| Resource {
        kind: kind.to_owned(),
        name,
        saturated_for: None,
        near_limit: "0.8".parse().ok(),
        fills_within: None,
        lag: None,
        off: vec![Check::Erroring],
    };
    for (name, mut estate) in shapes() {
        let classes = classes(&estate.services[0], usize::MAX).len();
        let count = |estate: &Estate| rules(&planned(estate).services[0].rules).len();
        let all = count(&estate);
        let most = 6 * estate.services[0].slos.len() + 20 + 20 * classes;
        assert!(all <= most, "{name}: {all} rules, at most {most}");
        let file = &planned(&estate).services[0].rules;
        let per_service = rules(file).iter().filter(|rule| of_service(rule)).count();
        assert!(per_service <= 20, "{name}: {per_service} rules of the service as a whole");
        estate.services[0].resources = (0..30).map(|n| off(["queue", "db_pool"][n % 2], format!("r{n}"))).collect();
        assert_eq!(count(&estate), all, "{name}: exceptions of resources add rules");
    }
}

/// Whether a rule is neither one SLO's nor one class' own.
fn of_service(rule: &Rule) -> bool {
    match rule {
        Rule::Recording { labels, .. } => !labels.contains_key("slo"),
        Rule::Alerting { alert, .. } => slo_names::PER_SERVICE.contains(&alert.as_str()),
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
    let (_, estate) = shapes().into_iter().find(|(name, _)| *name == "identity").expect("the shape");
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
