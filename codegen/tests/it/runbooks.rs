//! Runbooks: their numbers are the workbook's, their queries are PromQL, their links ask what stands below them.

use std::collections::BTreeSet;

use kilter_codegen::model::{Estate, Team};

use crate::rules::shapes;
use crate::support::{availability, estate, planned, slo, tool};

/// The runbook of the first SLO.
fn runbook(estate: &Estate) -> String {
    planned(estate).services[0].runbooks[0].text.clone()
}

fn one() -> Estate {
    estate(vec![slo("buys", "0.999", availability("/orders"))])
}

fn team(escalation: Option<&str>) -> Team {
    let receiver = str::to_owned;
    let (page, ticket) = (receiver("store-pager"), receiver("store-tickets"));
    Team { page, ticket, escalation: escalation.map(receiver), office_hours: None }
}

/// Everything between ```promql and ```.
pub(crate) fn queries(text: &str) -> Vec<&str> {
    text.split("```promql\n").skip(1).filter_map(|it| it.split("```").next()).map(str::trim).collect()
}

#[test]
fn every_query_of_every_kind_is_promql() {
    let mut rules = "groups:\n- name: queries\n  rules:\n".to_owned();
    let mut count = 0;
    for (_, mut estate) in shapes() {
        estate.links.prometheus = Some("https://prometheus.example".to_owned());
        for book in &planned(&estate).services[0].runbooks {
            for query in queries(&book.text) {
                count += 1;
                let query = serde_json::to_string(query).expect("JSON");
                rules.push_str(&format!("  - {{record: query_{count}, expr: {query}}}\n"));
            }
        }
    }
    assert!(count > 150, "{count} queries");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("queries.yaml"), rules).expect("a file");
    let (fine, said) = tool("promtool", &["check", "rules", "queries.yaml"], folder.path());
    assert!(fine, "{said}");
}

#[test]
fn a_link_asks_what_stands_below_it() {
    let mut estate = one();
    assert!(!runbook(&estate).contains("g0.expr="), "a link without an address");
    estate.links.prometheus = Some("https://prometheus.example".to_owned());
    let text = runbook(&estate);
    let links = text.split("g0.expr=").skip(1).filter_map(|it| it.split('&').next());
    let asked: Vec<String> = links.map(decoded).collect();
    assert_eq!(asked, queries(&text));
    assert!(asked.len() >= 8, "{text}");
}

/// What is *emphasised* is the title of a panel. What weighs time has no traffic to look at.
#[test]
fn each_panel_that_it_names_is_on_the_dashboard() {
    let mut with_events = BTreeSet::new();
    for (_, estate) in shapes() {
        let plan = planned(&estate);
        let service = &plan.services[0];
        let board = service.dashboard.as_ref().expect("a dashboard");
        let titles: BTreeSet<&str> =
            board.sections.iter().flat_map(|it| &it.panels).map(|it| it.title.as_str()).collect();
        for (book, slo) in service.runbooks.iter().zip(&estate.services[0].slos) {
            // Without its code.
            let text = book.text.split("```").step_by(2).collect::<String>().replace("**", "");
            let named: BTreeSet<&str> = text.split('*').skip(1).step_by(2).collect();
            let odd: Vec<_> = named.difference(&titles).collect();
            assert!(odd.is_empty() && named.contains("SLI over five minutes"), "{odd:?} of:\n{text}");
            assert_eq!(named.contains("Events"), !slo.sli.is_time_weighted(), "{text}");
            with_events.insert(named.contains("Events"));
        }
    }
    assert_eq!(with_events.len(), 2, "the shapes have both");
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two hex digits"));
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// 99.9% over 30 days (SRE workbook, table 5-8). An hour at 14.4 is 2% of the budget; a total outage needs 0.0144 of the
/// hour to fire, and is below the threshold again when 0.0144 of the short window is left; the hold is 5 or 30 minutes.
#[test]
fn the_numbers_are_those_of_the_workbook() {
    let text = runbook(&one());
    for row in [
        "| 1h | 5m | 14.4 | 1.44% | 2% | 51.8 s | 9.9 min | 2.1 d |",
        "| 6h | 30m | 6 | 0.6% | 5% | 2.2 min | 34.8 min | 5 d |",
        "| 1d | 2h | 3 | 0.3% | 10% | 4.3 min | 2.5 h | 10 d |",
        "| 3d | 6h | 1 | 0.1% | 10% | 4.3 min | 6.5 h | 30 d |",
    ] {
        assert!(text.contains(row), "{row} is not in:\n{text}");
    }
    assert!(text.contains("so 43.2 min of full outage in all"), "{text}");
}

#[test]
fn a_page_says_who_hears_of_it_and_what_users_lose() {
    let mut estate = one();
    let nobody = runbook(&estate);
    assert!(nobody.contains("kilter.yaml names no receivers for store"), "{nobody}");
    assert!(!nobody.contains("Impact:"), "{nobody}");

    estate.services[0].slos[0].impact = Some("Customers leave.".to_owned());
    estate.services[0].mitigations = Some("Of the service.\n".to_owned());
    estate.services[0].slos[0].mitigations = Some("Of the SLO.\n".to_owned());
    estate.teams.insert("store".parse().expect("a name"), team(None));
    let alone = runbook(&estate);
    assert!(alone.contains("Impact: Customers leave.\n"), "{alone}");
    assert!(alone.contains("## What this team does\n\nOf the SLO.\n\nOf the service.\n"), "{alone}");
    assert!(alone.contains("Pages go to `store-pager`, tickets to `store-tickets`."), "{alone}");
    assert!(alone.contains("Nobody else is told"), "{alone}");

    estate.teams.insert("store".parse().expect("a name"), team(Some("store-leads")));
    let watched = runbook(&estate);
    assert!(watched.contains("is told to `store-leads` by itself (`PageUnanswered`)"), "{watched}");
    assert!(!watched.contains("Nobody else is told"), "{watched}");
}
