//! The chosen SLO: how it is, what is left of its budget, how fast that burns, and what its users get.

use kilter_contract::slo;

use super::super::class::Class;
use super::super::context::Context;
use super::super::expr::{equal, one_of, select};
use super::super::windows::{self, Severity};
use super::model::{Color, Drawing, Empty, Panel, Query, Section, Unit};
use super::status::{ALERT_STATES, STATES, Scope};
use crate::model::{Duration, Slo};

/// Columns of each of the eight numbers of the first row.
const EIGHTH: u32 = 3;

/// The panels about one SLO, which a variable chooses.
pub(super) fn sections(context: &Context<'_>) -> Vec<Section> {
    let promise = Promise { context, scope: Scope::chosen(context.estate, context.service.name.as_str()) };
    let mut panels = promise.numbers();
    panels.extend(promise.history());
    vec![Section { title: "The promise: $slo".to_owned(), panels }]
}

/// Every `by` label of the service's SLOs, sorted: each is a variable of the dashboard.
pub(super) fn groups(context: &Context<'_>) -> Vec<String> {
    let mut all: Vec<String> = context.service.slos.iter().flat_map(|it| it.by.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

/// The total of the chosen SLO: its labels have the groups.
pub(super) fn total(context: &Context<'_>) -> String {
    Scope::chosen(context.estate, context.service.name.as_str()).recorded(slo::TOTAL_RATE)
}

struct Promise<'a> {
    context: &'a Context<'a>,
    scope: Scope<'a>,
}

impl Promise<'_> {
    /// A recorded series of the chosen SLO and of its chosen groups, with more matchers. "All" matches what lacks the
    /// label too.
    fn chosen(&self, series: &str, more: &[String]) -> String {
        let groups = groups(self.context).into_iter().map(|it| format!("{it}=~\"${it}\""));
        select(series, &self.scope.matchers().into_iter().chain(groups).chain(more.iter().cloned()).collect::<Vec<_>>())
    }

    /// The budget's series are evaluated every two minutes: read the last value.
    fn budget(&self, series: &str) -> String {
        format!("last_over_time({}[{}])", self.chosen(series, &[]), self.context.timing.budget_lookback)
    }

    /// A legend that also names the group.
    fn legend(&self, text: &str) -> String {
        let labels: String = groups(self.context).iter().map(|it| format!(" {{{{{it}}}}}")).collect();
        format!("{text}{labels}")
    }

    /// An expression of SLOs that differ in what it says: a branch for each, of which the chosen SLO has one.
    fn branches<T: PartialEq>(&self, of: impl Fn(&Slo) -> T, expr: impl Fn(T, &[String]) -> String) -> String {
        let mut all: Vec<(T, Vec<&str>)> = Vec::new();
        for slo in &self.context.service.slos {
            let (value, name) = (of(slo), slo.name.as_str());
            match all.iter_mut().find(|(it, _)| *it == value) {
                Some((_, names)) => names.push(name),
                None => all.push((value, vec![name])),
            }
        }
        let alone = all.len() == 1;
        let matchers = |names: &[&str]| if alone { vec![] } else { vec![one_of(slo::SLO_LABEL, names)] };
        all.into_iter().map(|(value, names)| expr(value, &matchers(&names))).collect::<Vec<_>>().join(" or ")
    }

    /// The compliance window, scaled as the rules are.
    fn window(&self, slo: &Slo) -> Duration {
        self.context.estate.time_scale.apply(slo.window)
    }

    /// Seconds of the compliance window of the chosen SLO.
    fn seconds(&self) -> String {
        let expr = |window: Duration, own: &[String]| {
            let of = select(slo::OBJECTIVE, &[self.scope.matchers(), own.to_vec()].concat());
            format!("0 * {of} + {}", window.secs_text())
        };
        format!("scalar({})", self.branches(|it| self.window(it), expr))
    }

    /// The burn rate of the long window that pages first.
    fn burn(&self) -> String {
        let long = |slo: &Slo| windows::pairs(slo).first().map_or(Duration::from_mins(60), |it| it.long);
        self.branches(long, |window, own| self.chosen(&slo::burn_rate(&window.to_string()), own))
    }

    fn numbers(&self) -> Vec<Panel> {
        let context = self.context;
        let (remaining, seconds) = (self.budget(slo::BUDGET_REMAINING), self.seconds());
        let budget = self.scope.recorded(slo::ERROR_BUDGET);
        let join = format!("on ({}) group_left ()", self.scope.join());
        let step = context.timing.rate.secs_text();
        // Of a share of time nothing can be counted.
        let counted = |slo: &Slo| (!slo.sli.is_time_weighted()).then(|| self.window(slo));
        let allowed = self.branches(counted, |window, own| {
            let none = || vec![equal(slo::SLO_LABEL, "")];
            let total = self.chosen(slo::TOTAL_RATE, &window.map_or_else(none, |_| own.to_vec()));
            let range = window.unwrap_or(context.timing.rate);
            format!("sum_over_time({total}[{range}:{}])", context.timing.rate)
        });
        let burn = self.burn();
        let value = |title, description, expr, unit| Panel::value(title, description, expr, unit, EIGHTH);
        vec![
            value("Status", "How the SLO is, in a word, as `kilter status` has it: PAGE and BURNING are alerts that fire, EXHAUSTED is a budget that is spent, NO DATA that nobody knows.", self.scope.status(), Unit::Word).words(STATES),
            value("Objective", "The promised share of good events.", self.scope.recorded(slo::OBJECTIVE), Unit::Share).decimals(self.digits()).share(),
            value("SLI", "The share of good events over the compliance window so far, as it counts for the budget.", format!("1 - {} * {join} {budget}", self.budget(slo::PERIOD_BURN_RATE)), Unit::Share).decimals(self.digits() + 1).share(),
            value("Budget left", "The share of the error budget that is left; below zero the promise is broken.", remaining.clone(), Unit::Share).decimals(1),
            value("Outage left", "How long a total outage may last before the budget is spent.", format!("clamp_min({remaining}, 0) * {join} {budget} * {seconds}"), Unit::Seconds).decimals(1).zero_based(),
            value("Failures left", "How many more events may fail, at the traffic of the window so far.", format!("clamp_min({remaining}, 0) * {join} {budget} * ({allowed}) * {step}"), Unit::Count).zero_based().or_empty("not counted"),
            value("Burn rate now", "How many times too fast the budget burns, over the long window that pages first.", burn.clone(), Unit::Times).decimals(1).zero_based().or_empty("no traffic"),
            value("Exhausted in", "When the budget is spent if it goes on burning as in the last hour; nothing when it outlasts the window.", format!("clamp_min({remaining}, 0) * {seconds} / (({burn}) > 0) < {seconds}"), Unit::Seconds).decimals(1).zero_based().or_empty("not soon"),
        ]
    }

    /// Digits after the point that the most exact objective needs, in percent.
    fn digits(&self) -> u32 {
        let digits = |it: &Slo| it.objective.percent().trim_end_matches('%').split_once('.').map_or(0, |it| it.1.len());
        self.context.service.slos.iter().map(digits).max().and_then(|it| u32::try_from(it).ok()).unwrap_or(0)
    }

    fn history(&self) -> Vec<Panel> {
        let objective = self.scope.recorded(slo::OBJECTIVE);
        let (error, total) = (self.chosen(slo::ERROR_RATE, &[]), self.chosen(slo::TOTAL_RATE, &[]));
        let limit = |expr: String, legend: &str| Query::over_time(expr, legend).drawn(Color::Grey, true);
        let over_time =
            |expr: String, text: &str, color| Query::over_time(expr, &self.legend(text)).drawn(color, false);
        vec![
            self.alerts(),
            Panel {
                pinned: self.context.service.slos.iter().map(|it| self.window(it)).max(),
                ..Panel::lines("Budget over the window", "The share of the error budget that is left, over the whole compliance window. Zero is the promise; a steep fall is an incident, a slope is a leak.", Unit::Share, 12)
                    .asks(over_time(self.budget(slo::BUDGET_REMAINING), "left", Color::Blue))
                    .asks(limit(format!("0 * {objective}"), "broken below"))
            },
            self.burns(),
            Panel::lines("SLI over five minutes", "The share of good events, against the objective.", Unit::Share, 12)
                .asks(over_time(format!("1 - {error} / ({total} > 0)"), "good", Color::Blue))
                .asks(limit(objective, "objective"))
                .decimals(self.digits())
                .or_empty("no traffic"),
            Panel::lines("Events", "All and bad events. With little traffic every failure weighs much.", Unit::PerSecond, 12)
                .asks(over_time(total, "all", Color::Blue))
                .asks(over_time(error, "bad", Color::Vermillion))
                .zero_based(),
        ]
    }

    /// A row for pages and one for tickets, which are always there, and one for each alert that ever fired.
    fn alerts(&self) -> Panel {
        let budget = self.scope.recorded(slo::ERROR_BUDGET);
        let state = |more: &[String], by: &str| {
            let (firing, pending) = (self.scope.alerts("firing", more), self.scope.alerts("pending", more));
            format!("max{by} (2 * {firing}) or max{by} ({pending})")
        };
        let all = |severity| {
            let more = [self.scope.severity(severity)];
            Query::over_time(
                format!("{} or 0 * max({budget})", state(&more, "")),
                &format!("any {}", severity.as_str()),
            )
        };
        let each = Query::over_time(state(&[], " by (alertname, severity)"), "{{alertname}} {{severity}}");
        let service = format!(
            "max by (alertname, severity) (2 * ALERTS{{{},slo=\"\",alertstate=\"firing\"}})",
            self.scope.service.join(",")
        );
        let of_service = Query::over_time(service, "{{alertname}} {{severity}} (service)");
        Panel::new(
            "Alerts",
            "What fires, and since when: of this SLO, and of the service as a whole.",
            Drawing::States,
            Unit::Word,
            (24, 6),
        )
        .asks(all(Severity::Page))
        .asks(all(Severity::Ticket))
        .asks(each)
        .asks(of_service)
        .words(ALERT_STATES)
    }

    fn burns(&self) -> Panel {
        let classes = self.context.classes();
        let mut windows: Vec<Duration> =
            classes.iter().flat_map(|it| &it.pairs).flat_map(|(pair, _)| [pair.long, pair.short]).collect();
        windows.sort_unstable();
        windows.dedup();
        let burns = windows.iter().map(|it| {
            let name = it.to_string();
            (self.chosen(&slo::burn_rate(&name), &[]), self.legend(&name))
        });
        let about = format!("How many times too fast the budget burns: 1 spends exactly all of it. {}", words(classes));
        let mut panel = Panel::lines("Burn rate by window", &about, Unit::Times, 12)
            .drawn(Drawing::LogLines)
            .asks_all(burns)
            .zero_based()
            .or_empty("no traffic");
        for class in classes {
            let own: Vec<String> = class.number.iter().map(|_| one_of(slo::SLO_LABEL, &class.names())).collect();
            let of = select(slo::OBJECTIVE, &[self.scope.matchers(), own].concat());
            for (pair, factor) in &class.pairs {
                let legend = format!("{} above {factor} ({})", pair.severity.as_str(), pair.long);
                let limit = Query::over_time(format!("0 * {of} + {factor}"), &legend);
                panel = panel.asks(limit.drawn(Color::Grey, true));
            }
        }
        Panel { empty: Empty::Missing, ..panel }
    }
}

/// `Page above 14.4 (1h) or 6 (6h), ticket above 3 (1d) or 1 (3d), each with its short window.`
fn words(classes: &[Class<'_>]) -> String {
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
