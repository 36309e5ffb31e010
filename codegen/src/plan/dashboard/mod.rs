//! One dashboard per service, and one of the whole estate: what is promised, what is left, what burns, who spends it, and
//! what users get. Typed panels here; `render::grafana` and `render::perses` make JSON of them.
//!
//! Never colour alone: every state has a word, every limit a name and a dash.

pub mod model;
pub mod overview;
mod promise;
mod red;
mod spenders;
mod status;
mod usage;

use kilter_contract::{identity, process};

use super::context::Context;
use super::expr::{quote, select};
use super::links::{self, dashboard_uid};
use model::{Color, Dashboard, Link, Mark, State, Variable};
use status::Scope;

/// Plans a service's dashboard.
pub fn dashboard(context: &Context<'_>) -> Dashboard {
    let service = context.service.name.as_str();
    let mut sections = promise::sections(context);
    sections.extend(spenders::section(context));
    sections.extend(red::sections(context));
    sections.extend(usage::sections(context));
    Dashboard {
        uid: dashboard_uid(service),
        title: format!("SLO: {service}"),
        description: crate::render::rules::banner("", &context.service.source, context.estate.time_scale)
            .trim_end()
            .to_owned(),
        links: header(context),
        variables: variables(context),
        marks: marks(context),
        sections,
    }
}

/// A number as a state's word, in the label `status`: for what cannot map numbers to words.
pub fn in_words(expr: &str, states: &[State]) -> String {
    let word =
        |it: &State| format!("label_replace(({expr}) == {}, \"status\", {}, \"\", \"\")", it.value, quote(it.word));
    states.iter().map(word).collect::<Vec<_>>().join("\nor\n")
}

/// The service's own series, of the chosen instances.
fn instances(context: &Context<'_>) -> Vec<String> {
    let mut matchers = context.raw_matchers();
    matchers.push("instance=~\"$instance\"".to_owned());
    matchers
}

fn header(context: &Context<'_>) -> Vec<Link> {
    let (estate, service) = (context.estate, context.service.name.as_str());
    let link =
        |title: &str, tooltip: &str, url: String| Link { title: title.to_owned(), url, tooltip: tooltip.to_owned() };
    let of_service = |base: &String| base.replace("{{service}}", service);
    let mut all = vec![link("All SLOs", "Every SLO of the estate, most urgent first", links::overview(estate))];
    let runbook = estate.links.runbooks.as_ref().map(|base| format!("{base}/{service}/${{slo}}.md"));
    all.extend(runbook.map(|it| link("Runbook", "What to do when the chosen SLO alerts", it)));
    all.extend(estate.links.logs.as_ref().map(|it| link("Logs", "What the service wrote", of_service(it))));
    all.extend(
        estate.links.traces.as_ref().map(|it| link("Traces", "Where its requests spent their time", of_service(it))),
    );
    all.extend(
        estate
            .links
            .prometheus
            .as_ref()
            .map(|it| link("Alerts", "The rules, and what they do now", format!("{it}/alerts?search={service}"))),
    );
    all
}

fn variables(context: &Context<'_>) -> Vec<Variable> {
    let values = context.service.slos.iter().map(|it| it.name.to_string()).collect();
    let mut all = vec![Variable::Choice { name: "slo".to_owned(), label: "SLO".to_owned(), values }];
    let total = promise::total(context);
    all.extend(promise::groups(context).into_iter().map(|name| Variable::Values { name, series: total.clone() }));
    all.push(Variable::Values { name: "instance".to_owned(), series: select("up", &context.raw_matchers()) });
    all
}

/// Alerts that fire, versions that are new, and processes that started.
fn marks(context: &Context<'_>) -> Vec<Mark> {
    let scope = Scope::chosen(context.estate, context.service.name.as_str());
    let mark = |name: &str, expr: String, text: &str, color| Mark {
        name: name.to_owned(),
        expr,
        text: text.to_owned(),
        color,
    };
    let version = identity::SERVICE_VERSION.key;
    let (rate, raw) = (context.timing.rate, context.raw_matchers());
    let builds = |before: &str| format!("count by ({version}) ({}{before})", select(identity::BUILD_INFO.name, &raw));
    let deploys = format!("{} unless {}", builds(""), builds(&format!(" offset {rate}")));
    let started = format!("time() - {} < {}", select(process::START_TIME.name, &raw), rate.secs_text());
    vec![
        mark("Alerts", scope.alerts("firing", &[]), "{{alertname}} ({{severity}})", Color::Vermillion),
        mark("Deployments", deploys, &format!("version {{{{{version}}}}}"), Color::Blue),
        mark("Starts", started, "{{instance}} started", Color::Grey),
    ]
}
