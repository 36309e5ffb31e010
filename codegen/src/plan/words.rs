//! The words of alerts. Each annotation is one Handlebars template, rendered in two dialects: with Go-template
//! placeholders for the rule, and with literal values for the promtool test that pins the text.
//!
//! A query inside an annotation always has an `else`: on an empty result Prometheus would otherwise print
//! `<error expanding template ...>` into the page.

use std::collections::BTreeMap;

use kilter_contract::slo;
use serde::Serialize;

use super::class::Class;
use super::context::Context;
use super::expr::equal;
use super::links;
use crate::model::Decimal;
use crate::render::engine::{TemplateError, Templates};

/// What an alert's templates may say. Every field is text, in one dialect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Words {
    /// Service.
    pub service: String,
    /// SLO, with the `by` labels of its group.
    pub slo: String,
    /// Objective in percent.
    pub objective: String,
    /// Compliance window.
    pub window: String,
    /// Burn rate now.
    pub burn: String,
    /// Which long window fired.
    pub fired: String,
    /// Budget left in percent.
    pub budget_left: String,
    /// Time to exhaustion at this burn rate.
    pub exhaustion: String,
    /// The alert that escalates.
    pub page: String,
    /// How long it has fired.
    pub held: String,
    /// What is in trouble, of an alert on a cause: a resource, a dependency, a replica.
    pub subject: String,
    /// How much, in that alert's own unit.
    pub value: String,
}

impl Words {
    /// With Go-template placeholders, for a rule over all SLOs of a class.
    pub fn placeholders(context: &Context<'_>, class: &Class<'_>, long_windows: &[(String, Decimal)]) -> Self {
        let query = Query::new(context, &class.by());
        let any = class.pairs.first().map(|(pair, _)| pair.long.to_string());
        let first = long_windows.first().map(|(window, _)| window.clone()).or(any).unwrap_or_default();
        Self {
            service: context.service.name.to_string(),
            slo: format!("{{{{ $labels.slo }}}}{}", group(&class.by())),
            // The objective is recorded per SLO, without its groups' labels.
            objective: {
                let query = Query::new(context, &[]);
                query.value(&format!("100 * {}", query.series(slo::OBJECTIVE)), r#"printf "%.12g%%""#)
            },
            window: class.window.to_string(),
            burn: r#"{{ $value | printf "%.1f" }}"#.to_owned(),
            fired: fired(&query, long_windows),
            budget_left: query.value(&budget_left(context, &query), "humanizePercentage"),
            exhaustion: query.value(&exhaustion(context, class, &query, &first), "humanizeDuration"),
            ..Self::default()
        }
    }

    /// The variable of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        Some(match name {
            "service" => &self.service,
            "slo" => &self.slo,
            "objective" => &self.objective,
            "window" => &self.window,
            "burn" => &self.burn,
            "fired" => &self.fired,
            "budget_left" => &self.budget_left,
            "exhaustion" => &self.exhaustion,
            "page" => &self.page,
            "held" => &self.held,
            "subject" => &self.subject,
            "value" => &self.value,
            _ => return None,
        })
    }

    /// The variables that a template may name.
    pub fn variables() -> Vec<String> {
        match serde_json::to_value(Self::default()) {
            Ok(serde_json::Value::Object(map)) => map.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// Words of an example, to try a template on.
    pub fn example() -> Self {
        Self {
            service: "shop".to_owned(),
            slo: "buys".to_owned(),
            objective: "99.9%".to_owned(),
            window: "30d".to_owned(),
            burn: "14.5".to_owned(),
            fired: "1h".to_owned(),
            budget_left: "97%".to_owned(),
            exhaustion: "2d 1h 0m 0s".to_owned(),
            page: "ErrorBudgetBurn".to_owned(),
            held: "30m".to_owned(),
            subject: "queue mail".to_owned(),
            value: "97%".to_owned(),
        }
    }

    /// For a rule about the service as a whole.
    pub fn of_service(context: &Context<'_>) -> Self {
        Self { service: context.service.name.to_string(), ..Self::default() }
    }
}

/// The annotations of an alert from its two templates, with links.
pub fn annotations(
    templates: &Templates,
    name: &str,
    words: &Words,
    links: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut all = links;
    for key in ["summary", "description"] {
        let text = templates.line_of(&format!("alerts/{name}.{key}"), words, |it| words.get(it))?;
        all.insert(key.to_owned(), text);
    }
    Ok(all)
}

/// Links of an alert: its dashboard at the right time range, its runbook at the right section.
pub fn link_annotations(context: &Context<'_>, slo: &str, range: &str, section: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    if let Some(url) = links::dashboard(context, slo, range) {
        all.insert("dashboard_url".to_owned(), url);
    }
    all.insert("runbook_url".to_owned(), links::runbook(context, slo, section));
    all
}

/// PromQL inside a format string of Go.
fn in_format(promql: &str) -> String {
    promql.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%")
}

/// A query inside an annotation: matchers of the alert that is being told about.
struct Query {
    matchers: String,
    arguments: String,
}

impl Query {
    fn new(context: &Context<'_>, by: &[String]) -> Self {
        let fixed = context.service_labels().into_iter().map(|(key, value)| in_format(&equal(&key, &value)));
        let dynamic = std::iter::once(slo::SLO_LABEL).chain(by.iter().map(String::as_str));
        let matchers: Vec<String> = fixed.chain(dynamic.map(|key| format!("{key}=%q"))).collect();
        // Groups of one SLO have labels that another has not, and an absent one is no text to vmalert before 1.91.
        let grouped = by.iter().map(|key| format!(" (or $labels.{key} \"\")"));
        let arguments = std::iter::once(format!(" $labels.{}", slo::SLO_LABEL)).chain(grouped).collect();
        Self { matchers: matchers.join(","), arguments }
    }

    /// A series with matchers, inside the format string.
    fn series(&self, name: &str) -> String {
        format!("{name}{{{}}}", self.matchers)
    }

    /// The piped query. `%` has to be doubled by whoever writes one into `promql`; the matchers use `%q`.
    fn piped(&self, promql: &str) -> String {
        let arguments = self.arguments.repeat(promql.matches(&self.matchers).count());
        format!("printf \"{promql}\"{arguments} | query")
    }

    /// The first value, formatted, or `unknown`.
    fn value(&self, promql: &str, format: &str) -> String {
        format!(
            "{{{{ with {} }}}}{{{{ . | first | value | {format} }}}}{{{{ else }}}}unknown{{{{ end }}}}",
            self.piped(promql)
        )
    }
}

fn budget_left(context: &Context<'_>, query: &Query) -> String {
    format!("last_over_time({}[{}])", query.series(slo::BUDGET_REMAINING), context.timing.budget_lookback)
}

/// Budget left, times the compliance window, over the burn rate (SRE workbook, chapter 5: time to exhaustion).
fn exhaustion(context: &Context<'_>, class: &Class<'_>, query: &Query, long: &str) -> String {
    let window = context.estate.time_scale.apply(class.window).secs_text();
    format!("clamp_min({}, 0) * {window} / {}", budget_left(context, query), query.series(&slo::burn_rate(long)))
}

/// `1h` when that window's burn rate is above its factor, else the next.
fn fired(query: &Query, long_windows: &[(String, Decimal)]) -> String {
    match long_windows {
        [(first, factor), others @ ..] if !others.is_empty() => {
            let condition = query.piped(&format!("{} > {factor}", query.series(&slo::burn_rate(first))));
            let others = fired(query, others);
            format!("{{{{ with {condition} }}}}{first}{{{{ else }}}}{others}{{{{ end }}}}")
        }
        [(only, _), ..] => only.clone(),
        [] => String::new(),
    }
}

/// The group of an SLO with `by` labels: ` (region us)`.
fn group(by: &[String]) -> String {
    by.iter().map(|label| format!("{{{{ with $labels.{label} }}}} ({label} {{{{ . }}}}){{{{ end }}}}")).collect()
}
