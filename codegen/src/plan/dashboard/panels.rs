//! The panels, in reading order: state and budget, burn, what users get, what the service does.

use kilter_contract::slo;
use serde_json::{Value, json};

use super::super::context::Context;
use super::super::expr::{equal, select};
use super::super::windows::{self, Severity};
use super::model::{GridPos, Panel, Target, datasource};
use super::red;
use crate::model::Duration;

/// Every panel of a service.
pub(super) fn all(context: &Context<'_>) -> Vec<Panel> {
    let mut panels = state(context);
    panels.extend(history(context));
    panels.extend(red::panels(context));
    panels
}

/// Every `by` label of the service's SLOs, sorted: each is a variable of the dashboard.
pub(super) fn groups(context: &Context<'_>) -> Vec<String> {
    let mut all: Vec<String> = context.service.slos.iter().flat_map(|it| it.by.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

/// A legend that also names the group.
fn legend(context: &Context<'_>, text: &str) -> String {
    let labels: String = groups(context).iter().map(|it| format!(" {{{{{it}}}}}")).collect();
    format!("{text}{labels}")
}

/// A recorded series of the chosen SLO, the same for all its groups.
fn of_slo(context: &Context<'_>, series: &str) -> String {
    select(series, &slo_matchers(context))
}

/// A recorded series of the chosen SLO and of its chosen groups. "All" matches what lacks the label too.
fn chosen(context: &Context<'_>, series: &str) -> String {
    let groups = groups(context).into_iter().map(|it| format!("{it}=~\"${it}\""));
    select(series, &slo_matchers(context).into_iter().chain(groups).collect::<Vec<_>>())
}

pub(super) fn slo_matchers(context: &Context<'_>) -> Vec<String> {
    let own = [equal(slo::SERVICE_LABEL, context.service.name.as_str()), "slo=\"$slo\"".to_owned()];
    own.into_iter().chain(context.estate.identity.iter().map(|(key, value)| equal(key, value))).collect()
}

/// The budget's series are evaluated every two minutes: read the last value.
fn remaining(context: &Context<'_>) -> String {
    format!("last_over_time({}[{}])", chosen(context, slo::BUDGET_REMAINING), context.timing.budget_lookback)
}

/// Seconds of the compliance window, which all SLOs of most services share.
fn window_seconds(context: &Context<'_>) -> String {
    let longest = context.service.slos.iter().map(|it| it.window).max();
    longest.map(|it| context.estate.time_scale.apply(it).secs_text()).unwrap_or_default()
}

fn first_long(context: &Context<'_>) -> String {
    let classes = context.classes();
    let pair = classes.first().and_then(|it| it.pairs.first());
    pair.map(|(pair, _)| pair.long.to_string()).unwrap_or_default()
}

fn state(context: &Context<'_>) -> Vec<Panel> {
    let budget = of_slo(context, slo::ERROR_BUDGET);
    let (remaining, seconds) = (remaining(context), window_seconds(context));
    let burn = chosen(context, &slo::burn_rate(&first_long(context)));
    let total = chosen(context, slo::TOTAL_RATE);
    let allowed = format!("sum_over_time({total}[{}:{}])", seconds_range(context), context.timing.rate);
    let step = context.timing.rate.secs_text();
    let join = format!("on ({}) group_left ()", context.join().join(", "));
    vec![
        stat("State", "Whether the SLO alerts now.", &format!("max(ALERTS{{{},slo=\"$slo\",alertstate=\"firing\"}}) or 0 * max({budget})", equal("service", context.service.name.as_str())), "none", 4)
            .mapped(&json!([{"type": "value", "options": {"0": {"text": "OK", "color": "blue"}, "1": {"text": "ALERTING", "color": "orange"}}}])),
        stat("Objective", "The promised share of good events.", &of_slo(context, slo::OBJECTIVE), "percentunit", 4).decimals(3),
        stat("Budget left", "Share of the error budget that is left; below zero the promise is broken.", &remaining, "percentunit", 4).decimals(1),
        stat("Full outage left", "How long a total outage may last before the budget is spent.", &format!("clamp_min({remaining}, 0) * {join} {budget} * {seconds}"), "s", 4),
        stat("Failures left", "How many more events may fail, at the traffic of the window so far.", &format!("clamp_min({remaining}, 0) * {join} {budget} * {allowed} * {step}"), "short", 4).decimals(0),
        stat("Time to exhaustion", "When the budget is spent at the burn rate of the long window; no data while nothing burns.", &format!("clamp_min({remaining}, 0) * {seconds} / ({burn} > 0)"), "s", 4),
    ]
}

fn seconds_range(context: &Context<'_>) -> String {
    let longest = context.service.slos.iter().map(|it| it.window).max();
    longest.map(|it| context.estate.time_scale.apply(it).to_string()).unwrap_or_default()
}

/// Every alert window of the service, shortest first.
fn alert_windows(context: &Context<'_>) -> Vec<String> {
    let pairs = context.service.slos.iter().flat_map(windows::pairs);
    let mut all: Vec<Duration> = pairs.flat_map(|pair| [pair.long, pair.short]).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(|it| it.to_string()).collect()
}

/// ` Page above 14.4 (1h) or 6 (6h), ticket above 3 (1d) or 1 (3d), each with its short window.`
fn thresholds_in_words(context: &Context<'_>) -> String {
    let classes = context.classes();
    let severity = |severity: Severity| {
        let pairs = classes.first().map(|it| it.pairs_of(severity)).unwrap_or_default();
        let all: Vec<String> = pairs.iter().map(|(pair, factor)| format!("{factor} ({})", pair.long)).collect();
        (!all.is_empty()).then(|| format!("{} above {}", severity.as_str(), all.join(" or ")))
    };
    let all: Vec<String> = [Severity::Page, Severity::Ticket].into_iter().filter_map(severity).collect();
    let text = all.join(", ");
    let upper: String = text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect();
    format!("{upper}, each with its short window.")
}

fn history(context: &Context<'_>) -> Vec<Panel> {
    let burns: Vec<(String, String)> =
        alert_windows(context).iter().map(|it| (chosen(context, &slo::burn_rate(it)), legend(context, it))).collect();
    let thresholds: Vec<f64> =
        context.classes().first().map_or(Vec::new(), |it| it.pairs.iter().map(|(_, f)| f.to_f64()).collect());
    let (error, total) = (chosen(context, slo::ERROR_RATE), chosen(context, slo::TOTAL_RATE));
    vec![
        series(
            "Budget left",
            "The error budget over time. Zero is the promise.",
            &[(remaining(context), legend(context, "budget left"))],
            "percentunit",
            12,
        ),
        series(
            "Burn rate by window",
            &format!("How many times too fast the budget burns. {}", thresholds_in_words(context)),
            &burns,
            "none",
            12,
        )
        .thresholds(&thresholds),
        series(
            "SLI",
            "Share of good events over five minutes, against the objective.",
            &[
                (format!("1 - {error} / ({total} > 0)"), legend(context, "SLI")),
                (of_slo(context, slo::OBJECTIVE), "objective".to_owned()),
            ],
            "percentunit",
            12,
        ),
        series(
            "Events per second",
            "All and bad events. Little traffic makes every failure weigh much.",
            &[(total, legend(context, "all")), (error, legend(context, "bad"))],
            "reqps",
            12,
        ),
        series(
            "Firing alerts",
            "Which alerts of this service fire, and how severe they are.",
            &[(
                format!("ALERTS{{{},alertstate=\"firing\"}}", equal("service", context.service.name.as_str())),
                legend(context, "{{alertname}} {{slo}} {{severity}}"),
            )],
            "none",
            24,
        ),
    ]
}

fn stat(title: &str, description: &str, expr: &str, unit: &str, w: u32) -> Panel {
    let options = json!({"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "none", "textMode": "value", "graphMode": "none"});
    panel("stat", title, description, vec![target(0, expr, "", true)], unit, (w, 4), options)
}

pub(super) fn series(title: &str, description: &str, queries: &[(String, String)], unit: &str, w: u32) -> Panel {
    let targets = queries.iter().enumerate().map(|(n, (expr, legend))| target(n, expr, legend, false)).collect();
    let options = json!({"legend": {"displayMode": "list", "placement": "bottom", "showLegend": true}, "tooltip": {"mode": "multi", "sort": "desc"}});
    panel("timeseries", title, description, targets, unit, (w, 8), options)
}

fn panel(
    kind: &str,
    title: &str,
    description: &str,
    targets: Vec<Target>,
    unit: &str,
    (w, h): (u32, u32),
    options: Value,
) -> Panel {
    // `continuous-viridis` tells values apart for every kind of colour vision.
    let defaults = json!({"unit": unit, "noValue": "no data", "color": {"mode": if kind == "stat" { "fixed" } else { "palette-classic" }, "fixedColor": "text"}});
    Panel {
        id: 0,
        kind: kind.to_owned(),
        title: title.to_owned(),
        description: description.to_owned(),
        grid_pos: GridPos { x: 0, y: 0, w, h },
        datasource: datasource(),
        targets,
        field_config: json!({"defaults": defaults, "overrides": []}),
        options,
    }
}

fn target(n: usize, expr: &str, legend: &str, instant: bool) -> Target {
    let ref_id = char::from(b'A' + u8::try_from(n % 26).unwrap_or(0)).to_string();
    Target { ref_id, expr: expr.to_owned(), legend_format: legend.to_owned(), instant, range: !instant }
}

impl Panel {
    fn decimals(mut self, n: u32) -> Self {
        self.field_config["defaults"]["decimals"] = json!(n);
        self
    }

    fn mapped(mut self, mappings: &Value) -> Self {
        self.field_config["defaults"]["mappings"] = mappings.clone();
        self
    }

    /// Dashed lines at each threshold.
    fn thresholds(mut self, values: &[f64]) -> Self {
        let mut steps = vec![json!({"value": null, "color": "text"})];
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.dedup();
        steps.extend(sorted.iter().map(|it| json!({"value": it, "color": "orange"})));
        self.field_config["defaults"]["thresholds"] = json!({"mode": "absolute", "steps": steps});
        self.field_config["defaults"]["custom"] =
            json!({"thresholdsStyle": {"mode": "dashed"}, "scaleDistribution": {"type": "log", "log": 2}});
        self
    }
}
