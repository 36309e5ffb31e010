//! What a rule, a panel or a runbook queries exists: every selector names a series of one of the four sources (the contract, what
//! the rules record, Prometheus itself, the metrics that an SLO file names), every matcher and `by` label belongs to
//! that series, every `le` is one of its bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use kilter_contract::{Instrument, PROMETHEUS_SERIES, Signal, Values, find_series, resilience, slo};
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, LabelModifier, VectorMatchCardinality, VectorSelector, token};
use serde_json::Value;

use crate::tidy::root;

/// Labels that Prometheus puts on everything that it scrapes.
const TARGET_LABELS: &[&str] = &["job", "instance"];

/// One PromQL text and where it stands.
struct Query {
    place: String,
    text: String,
}

/// What is known of the generated estate.
struct Known {
    /// Recorded series with the labels that they can have.
    recorded: BTreeMap<String, BTreeSet<String>>,
    /// Metrics that an SLI names itself.
    named_by_slos: BTreeSet<String>,
}

fn yaml(path: &std::path::Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn paths(folder: &str, ending: &str) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = fs::read_dir(root().join(folder))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no {folder}/*{ending}");
    found
}

fn rules() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for path in paths("rules", ".rules.yaml") {
        for group in yaml(&path)["groups"].as_array().expect("groups") {
            for rule in group["rules"].as_array().expect("rules") {
                let name = rule["record"].as_str().or(rule["alert"].as_str()).expect("a name");
                all.push((format!("{}: {}: {name}", path.display(), group["name"]), rule.clone()));
            }
        }
    }
    all
}

/// The text of each `query "..."` or query `...` in a Go template.
fn template_queries(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, quoted) in text
        .match_indices("| query")
        .map(|(at, _)| (at, true))
        .chain(text.match_indices("query ").map(|(at, _)| (at, false)))
    {
        let side = if quoted { &text[..at] } else { &text[at + "query ".len()..] };
        let literal = if quoted {
            side.rfind('`').and_then(|end| side[..end].rfind('`').map(|start| side[start + 1..end].to_owned()))
        } else if let Some(rest) = side.strip_prefix('`') {
            rest.split_once('`').map(|(text, _)| text.to_owned())
        } else {
            None
        };
        // A query that is built with printf holds format verbs: its literals stand for any label value.
        found.extend(literal.map(|text| text.replace("%q", "\"any\"").replace("%s", "any")));
    }
    found
}

fn queries() -> Vec<Query> {
    let mut all = Vec::new();
    for (place, rule) in rules() {
        all.push(Query { place: place.clone(), text: rule["expr"].as_str().expect("an expr").to_owned() });
        for (key, text) in rule["annotations"].as_object().into_iter().flatten() {
            for text in template_queries(text.as_str().expect("a text")) {
                all.push(Query { place: format!("{place}: {key}"), text });
            }
        }
    }
    for path in [paths("dashboards", ".json"), paths("perses", ".json")].concat() {
        let board: Value = serde_json::from_str(&fs::read_to_string(&path).expect("a dashboard")).expect("JSON");
        let before = all.len();
        collect_targets(&board, &path.display().to_string(), &mut all);
        assert!(all.len() > before + 12, "{}: hardly any query was found", path.display());
    }
    let services = ["git-https", "identity", "repositories"].map(|it| format!("rules/runbooks/{it}"));
    for path in services.iter().flat_map(|it| paths(it, ".md")) {
        let text = fs::read_to_string(&path).expect("a runbook");
        let found = text.split("```promql\n").skip(1).filter_map(|it| it.split("```").next());
        let before = all.len();
        all.extend(found.map(|it| Query { place: path.display().to_string(), text: it.trim().to_owned() }));
        assert!(all.len() > before + 2, "{}: hardly any query was found", path.display());
    }
    all
}

fn collect_targets(value: &Value, place: &str, all: &mut Vec<Query>) {
    match value {
        Value::Object(fields) => {
            let place = fields
                .get("title")
                .and_then(Value::as_str)
                .map_or(place.to_owned(), |title| format!("{place}: {title}"));
            // Grafana's queries and those of Perses, where a variable has what it selects in a list.
            let asked = fields.get("expr").or(fields.get("query")).and_then(Value::as_str);
            let listed =
                fields.get("matchers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let not_a_query =
                |it: &&str| *it == "prometheus" || it.starts_with("label_values(") || fields.contains_key("options");
            for text in asked.into_iter().filter(|it| !not_a_query(it)).chain(listed) {
                let text = ["$__rate_interval", "$__interval", "$__range"]
                    .iter()
                    .fold(text.to_owned(), |text, it| text.replace(it, "5m"));
                all.push(Query { place: place.clone(), text });
            }
            fields.values().for_each(|value| collect_targets(value, &place, all));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_targets(value, place, all)),
        _ => {}
    }
}

/// Every vector selector below an expression, with the labels that aggregations above it keep.
pub(crate) fn selectors<'a>(expr: &'a Expr, by: &[String], found: &mut Vec<(&'a VectorSelector, Vec<String>)>) {
    match expr {
        Expr::VectorSelector(selector) => found.push((selector, by.to_vec())),
        Expr::MatrixSelector(selector) => found.push((&selector.vs, by.to_vec())),
        Expr::Subquery(inner) => selectors(&inner.expr, by, found),
        Expr::Paren(inner) => selectors(&inner.expr, by, found),
        Expr::Unary(inner) => selectors(&inner.expr, by, found),
        Expr::Binary(inner) => {
            // What `group_left` brings comes from the right.
            let brought = match inner.modifier.as_ref().map(|it| &it.card) {
                Some(VectorMatchCardinality::ManyToOne(labels)) => labels.labels.as_slice(),
                _ => &[],
            };
            let own: Vec<String> = by.iter().filter(|it| !brought.contains(it)).cloned().collect();
            selectors(&inner.lhs, &own, found);
            // The right side of these says only which elements of the left stay.
            let filters = [token::T_LAND, token::T_LUNLESS].contains(&inner.op.id());
            selectors(&inner.rhs, if filters { &[] } else { by }, found);
        }
        Expr::Call(call) => call.args.args.iter().for_each(|it| selectors(it, by, found)),
        Expr::Aggregate(inner) => {
            let mut below = by.to_vec();
            if let Some(LabelModifier::Include(labels)) = &inner.modifier {
                below = labels.labels.clone();
            }
            selectors(&inner.expr, &below, found);
        }
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

fn known() -> Known {
    let mut recorded: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, rule) in rules() {
        if let Some(name) = rule["record"].as_str() {
            let labels = recorded.entry(name.to_owned()).or_default();
            labels.extend(rule["labels"].as_object().into_iter().flatten().map(|(key, _)| key.clone()));
            labels.extend([slo::SERVICE_LABEL.to_owned(), slo::SLO_LABEL.to_owned()]);
        }
    }
    let mut named_by_slos = BTreeSet::new();
    for path in
        fs::read_dir(root().join("examples")).expect("examples").map(|it| it.expect("an entry").path().join("slo.yaml"))
    {
        if !path.exists() {
            continue;
        }
        for slo in yaml(&path)["slos"].as_array().expect("slos") {
            let by = slo["by"].as_array().into_iter().flatten().map(|it| it.as_str().expect("a label").to_owned());
            let by: Vec<String> = by.collect();
            recorded.values_mut().for_each(|labels| labels.extend(by.clone()));
            named_by_slos.extend(named(&slo["sli"]));
        }
    }
    Known { recorded, named_by_slos }
}

/// Metrics that the PromQL of an SLI names; of a histogram all its series.
fn named(sli: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let kinds = ["events", "ratio", "latency", "uptime", "slices"].iter().filter_map(|kind| sli[*kind].as_object());
    let queries = kinds.flatten().filter(|(key, _)| !["slower_than", "type", "unit"].contains(&key.as_str()));
    for (key, text) in queries {
        let text = text.as_str().expect("PromQL").replace("$window", "5m");
        let expr = promql_parser::parser::parse(&text).expect("PromQL of an SLO file");
        let mut found = Vec::new();
        selectors(&expr, &[], &mut found);
        let forms: &[&str] = if key == "histogram" { &["", "_bucket", "_count"] } else { &[""] };
        let names = found.into_iter().filter_map(|(it, _)| it.name.clone());
        all.extend(names.flat_map(|name| forms.iter().map(move |form| format!("{name}{form}"))));
    }
    all
}

/// The alternatives of a regex without metacharacters, its literal text with one alternative.
fn alternatives(matcher: &Matcher) -> Vec<String> {
    match &matcher.op {
        MatchOp::Equal | MatchOp::NotEqual => vec![matcher.value.clone()],
        MatchOp::Re(_) | MatchOp::NotRe(_) => matcher.value.split('|').map(|it| it.replace('\\', "")).collect(),
    }
}

fn wrong_matcher(signal: &Signal, series: &str, matcher: &Matcher) -> Option<String> {
    let key = matcher.name.as_str();
    if key == "le" && series.ends_with("_bucket") {
        let Instrument::Histogram(buckets) = signal.instrument else { return Some(format!("{series} has no le")) };
        let bounds = buckets.le();
        // `1(\.0)?` matches both spellings of a whole bound, which Prometheus 2 and 3 store.
        let bound = matcher.value.replace("(\\.0)?", ".0").replace('\\', "");
        return (!bounds.contains(&bound) && bound != "+Inf").then(|| format!("le={bound} is no bound of {series}"));
    }
    let label = signal.label(key)?; // a label that the signal lacks is told by the caller
    if matcher.value.is_empty() || matcher.value.contains('$') {
        return None;
    }
    let wild =
        |it: &str| it.contains(['.', '*', '+', '[']) && matches!(label.values, Values::StatusCode | Values::ErrorType);
    let bad = alternatives(matcher).into_iter().find(|it| !it.is_empty() && !wild(it) && !label.values.allows(it));
    bad.map(|it| format!("{key}={it} cannot occur on {series}"))
}

fn check(query: &Query, known: &Known, wrong: &mut Vec<String>) {
    let expr = match promql_parser::parser::parse(&query.text) {
        Ok(expr) => expr,
        Err(error) => return wrong.push(format!("{}: {error}: {}", query.place, query.text)),
    };
    let mut found = Vec::new();
    selectors(&expr, &[], &mut found);
    for (selector, by) in found {
        let Some(series) = selector.name.as_deref() else {
            wrong.push(format!("{}: a selector without a name", query.place));
            continue;
        };
        // Calls that were rejected stand beside those that were made: one line, without the label that these have.
        let beside = series == resilience::DEPENDENCY_REJECTED.name && query.text.contains("_duration_seconds_count");
        let by = by.into_iter().filter(|_| !beside);
        let used = selector.matchers.matchers.iter().map(|it| it.name.clone()).chain(by);
        let mut complain = |text: String| wrong.push(format!("{}: {text}\n    {}", query.place, query.text));
        if let Some(signal) = find_series(series) {
            let own = |key: &str| {
                TARGET_LABELS.contains(&key)
                    || signal.label(key).is_some()
                    || (key == "le" && series.ends_with("_bucket"))
            };
            used.filter(|key| !own(key)).for_each(|key| complain(format!("{series} has no label {key}")));
            for matcher in selector.matchers.matchers.iter().filter(|it| !TARGET_LABELS.contains(&it.name.as_str())) {
                if let Some(text) = wrong_matcher(signal, series, matcher) {
                    complain(text);
                }
            }
        } else if let Some(labels) = known.recorded.get(series) {
            used.filter(|key| !labels.contains(key))
                .for_each(|key| complain(format!("{series} is recorded without {key}")));
        } else {
            let own = PROMETHEUS_SERIES.contains(&series)
                || series.starts_with("scrape_")
                || series.starts_with("prometheus_");
            if !own && !known.named_by_slos.contains(series) {
                complain(format!("{series} is in none of the four sources"));
            }
        }
    }
}

#[test]
fn every_query_asks_for_what_exists() {
    let (known, queries) = (known(), queries());
    assert!(queries.len() > 50, "{} queries: the check would prove little", queries.len());
    let mut wrong = Vec::new();
    for query in &queries {
        check(query, &known, &mut wrong);
    }
    assert!(wrong.is_empty(), "{} of {} queries:\n{}", wrong.len(), queries.len(), wrong.join("\n"));
}

/// The check itself: each of these is wrong in one way.
#[test]
fn a_query_for_what_does_not_exist_is_found() {
    let known = Known {
        recorded: BTreeMap::from([("slo:error:rate5m".to_owned(), BTreeSet::from(["service".to_owned()]))]),
        named_by_slos: BTreeSet::from(["hooks_total".to_owned()]),
    };
    for (text, wrong_in) in [
        ("rate(http_server_request_duration_seconds_count{http_route=\"/a\"}[5m])", 0),
        ("http_server_request_duration_seconds_bucket{le=~\"0\\\\.25\"}", 0),
        ("sum by (job) (hooks_total) / on () up", 0),
        ("rate(http_server_request_duration_seconds[5m])", 1),
        ("http_server_request_duration_seconds_count{host=\"a\"}", 1),
        ("http_server_request_duration_seconds_count{http_request_method=\"FETCH\"}", 1),
        ("http_server_request_duration_seconds_bucket{le=\"0.3\"}", 1),
        ("sum by (region) (http_server_active_requests)", 1),
        ("slo:error:rate5m{team=\"a\"}", 1),
        ("nobody_knows_me", 1),
        ("sum(", 1),
    ] {
        let mut wrong = Vec::new();
        check(&Query { place: String::new(), text: text.to_owned() }, &known, &mut wrong);
        assert_eq!(wrong.len(), wrong_in, "{text}: {wrong:?}");
    }
}
