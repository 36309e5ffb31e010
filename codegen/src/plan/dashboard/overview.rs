//! The whole estate on one page: every SLO, the most urgent first, and whether what watches them is well.

use kilter_contract::slo;

use super::super::expr::{equal, quote, select};
use super::super::links::{OVERVIEW, dashboard_uid, overview_runbook};
use super::super::windows::{self, Severity};
use super::model::{Cell, Color, Column, Dashboard, Drawing, Link, Mark, Panel, Query, Section, State, Table, Unit};
use super::status::{ALERT_STATES, STATES, Scope};
use crate::model::Estate;

/// Plans it; `None` for an estate without services.
pub fn overview(estate: &Estate) -> Option<Dashboard> {
    if estate.services.is_empty() {
        return None;
    }
    let it = Overview { estate, scope: Scope::all(estate) };
    let firing = Mark {
        name: "Pages".to_owned(),
        expr: it.scope.alerts("firing", &[it.scope.severity(Severity::Page)]),
        text: "{{alertname}} {{service}} {{slo}}".to_owned(),
        color: Color::Vermillion,
    };
    Some(Dashboard {
        uid: OVERVIEW.to_owned(),
        title: "SLO overview".to_owned(),
        description: crate::render::rules::banner("", &estate.source, estate.time_scale).trim_end().to_owned(),
        links: Vec::new(),
        variables: Vec::new(),
        marks: vec![firing],
        sections: vec![
            Section { title: "Every SLO, the most urgent first".to_owned(), panels: it.slos() },
            Section { title: "What happened".to_owned(), panels: it.history() },
            Section { title: "Whether anybody would be told".to_owned(), panels: it.health() },
        ],
    })
}

struct Overview<'a> {
    estate: &'a Estate,
    scope: Scope<'a>,
}

impl Overview<'_> {
    fn slos(&self) -> Vec<Panel> {
        let status = self.scope.status();
        let by = self.scope.join();
        let urgent = STATES.iter().rev().filter(|it| it.word != "PAUSED");
        let mut counts =
            Panel::new("SLOs by status", "How many SLOs are in each state.", Drawing::Value, Unit::Plain, (24, 4));
        for State { value, word, color } in urgent {
            let count = format!("count(({status}) == {value}) or vector(0)");
            counts = counts.asks(Query { legend: (*word).to_owned(), ..Query::now(count) }.drawn(*color, false));
        }
        let lookback = windows::timing().scaled(self.estate.time_scale);
        let period =
            format!("last_over_time({}[{}])", self.scope.recorded(slo::PERIOD_BURN_RATE), lookback.budget_lookback);
        let budget = self.scope.recorded(slo::ERROR_BUDGET);
        let sli = format!("min by ({by}) (1 - {period} * on ({by}) group_left () {budget})");
        let remaining = format!("min by ({by}) ({})", self.scope.remaining());
        let burn = self.burn();
        let seconds = self.seconds();
        let exhausted = format!(
            "(clamp_min({remaining}, 0) * on ({by}) ({seconds}) / on ({by}) ({burn} > 0)) < on ({by}) ({seconds})"
        );
        let none = format!("0 * max by ({by}) ({budget})");
        let of_slos = ["slo!=\"\"".to_owned()];
        let alerts = format!("count by ({by}) ({}) or {none}", self.scope.alerts("firing", &of_slos));
        let facts =
            format!("max by ({by}, {}, objective, window) ({})", slo::TEAM_LABEL, self.scope.recorded(slo::INFO));
        let queries = [self.with_dashboard(&status), facts, sli, remaining, burn, exhausted, alerts];
        let mut table = Panel::new(
            "SLOs",
            "Status, budget and burn of every SLO. A row leads to its dashboard and its runbook.",
            Drawing::Table(self.table()),
            Unit::Plain,
            (24, 12),
        );
        table.queries = queries.into_iter().map(Query::now).collect();
        vec![counts, table]
    }

    /// The status with the address of the service's dashboard as a label. Only long names have one that is not their own.
    fn with_dashboard(&self, status: &str) -> String {
        let label = |of: &str, value: &str, name: &str| {
            format!(
                "label_replace({of}, \"dashboard\", {}, {}, {})",
                quote(value),
                quote(slo::SERVICE_LABEL),
                quote(name)
            )
        };
        let plain = label(&format!("({status})"), "slo-$1", "(.+)");
        let services = self.estate.services.iter().map(|it| it.name.as_str());
        let long = services.filter(|it| dashboard_uid(it) != format!("slo-{it}"));
        long.fold(plain, |of, name| label(&of, &dashboard_uid(name), name))
    }

    /// The burn rate of the window that pages first, whichever that is for an SLO.
    fn burn(&self) -> String {
        let slos = self.estate.services.iter().flat_map(|it| &it.slos);
        let mut all: Vec<_> = slos.filter_map(|it| windows::pairs(it).first().map(|it| it.long)).collect();
        all.sort_unstable();
        all.dedup();
        let by = self.scope.join();
        let of =
            all.iter().map(|it| format!("max by ({by}) ({})", self.scope.recorded(&slo::burn_rate(&it.to_string()))));
        format!("({})", of.collect::<Vec<_>>().join(" or "))
    }

    /// Seconds of each SLO's compliance window, as its facts name it.
    fn seconds(&self) -> String {
        let mut all: Vec<_> = self.estate.services.iter().flat_map(|it| &it.slos).map(|it| it.window).collect();
        all.sort_unstable();
        all.dedup();
        let by = self.scope.join();
        let of = all.iter().map(|it| {
            let facts = select(slo::INFO, &[self.scope.matchers(), vec![equal("window", &it.to_string())]].concat());
            format!("0 * max by ({by}) ({facts}) + {}", self.estate.time_scale.apply(*it).secs_text())
        });
        of.collect::<Vec<_>>().join(" or ")
    }

    fn table(&self) -> Table {
        let column = |title: &str, of, width: u32, unit| Column {
            title: title.to_owned(),
            of,
            width: (width > 0).then_some(width),
            unit,
            decimals: None,
            states: Vec::new(),
            empty: "",
            links: Vec::new(),
            shown: true,
        };
        let label = |title, name: &str, width| column(title, Cell::Label(name.to_owned()), width, Unit::Word);
        let number = |title, n, width, unit, digits| Column {
            decimals: Some(digits),
            ..column(title, Cell::Query(n), width, unit)
        };
        let link =
            |title: &str, url: &str| Link { title: title.to_owned(), url: url.to_owned(), tooltip: String::new() };
        let dashboard = link("Dashboard", "/d/${__data.fields.dashboard}?var-slo=${__data.fields.slo}");
        let mut links = vec![dashboard];
        links.extend(overview_runbook(self.estate).map(|it| link("Runbook", &it)));
        let mut columns = vec![
            Column { states: STATES.to_vec(), ..column("Status", Cell::Query(0), 120, Unit::Word) },
            label("service", slo::SERVICE_LABEL, 0),
            Column { links, ..label("slo", slo::SLO_LABEL, 0) },
        ];
        columns.extend(self.estate.identity.keys().map(|it| label(it, it, 0)));
        columns.extend([
            label("team", slo::TEAM_LABEL, 0),
            label("objective", "objective", 95),
            label("window", "window", 85),
            number("SLI", 2, 95, Unit::Share, 3),
            number("Budget left", 3, 110, Unit::Share, 1),
            number("Burn rate", 4, 100, Unit::Times, 1),
            Column { empty: "not soon", ..number("Exhausted in", 5, 120, Unit::Seconds, 1) },
            number("Alerts", 6, 80, Unit::Plain, 0),
            Column { shown: false, ..label("dashboard", "dashboard", 0) },
        ]);
        Table { columns, sort: vec![("Status".to_owned(), true), ("Budget left".to_owned(), false)] }
    }

    fn history(&self) -> Vec<Panel> {
        let join = self.scope.join();
        let budget = format!("min by ({join}) ({})", self.scope.remaining());
        let firing = format!(
            "max by (service, slo, alertname, severity) (2 * {})",
            self.scope.alerts("firing", &["alertname!=\"Watchdog\"".to_owned()])
        );
        vec![
            Panel::new("Alerts", "What fired, where and for how long.", Drawing::States, Unit::Word, (12, 9))
                .asks(Query::over_time(firing, "{{service}} {{slo}} {{alertname}} {{severity}}"))
                .words(ALERT_STATES)
                .or_empty("nothing fired"),
            Panel::new(
                "Budget left",
                "The share of each error budget that is left. Zero is the promise.",
                Drawing::Lines,
                Unit::Share,
                (12, 9),
            )
            .asks(Query::over_time(budget, "{{service}} {{slo}}"))
            .asks(Query::over_time("vector(0)".to_owned(), "broken below").drawn(Color::Grey, true)),
        ]
    }

    fn health(&self) -> Vec<Panel> {
        let services: Vec<String> = self
            .estate
            .services
            .iter()
            .map(|it| {
                let own = self.estate.selector.replace("{{service}}", it.name.as_str());
                let matchers: Vec<String> = std::iter::once(own).chain(self.scope.matchers()).collect();
                let up = format!("sum({})", select("up", &matchers));
                format!("label_replace({up}, \"service\", {}, \"\", \"\")", quote(it.name.as_str()))
            })
            .collect();
        let watchdog = select("ALERTS", &[equal("alertname", slo::WATCHDOG), equal("alertstate", "firing")]);
        let health = self.estate.target.health();
        let ours = format!("{}=~{}", health.label, quote(&format!("{}slo-.*", health.before.0)));
        let own = |metric: &str| select(metric, std::slice::from_ref(&ours));
        let failures: Vec<String> = health
            .failures
            .iter()
            .map(|it| format!("sum by ({}) (increase({}[$__rate_interval]))", health.label, own(it)))
            .collect();
        let group = health.label;
        let took = match health.quantile {
            Some((label, value)) => {
                format!("max by ({group}) ({})", select(health.duration, &[ours.clone(), equal(label, value)]))
            }
            None => format!("max by ({group}) ({})", own(health.duration)),
        };
        let legend = format!("{{{{{group}}}}}");
        let mut all = vec![
            Panel::value(
                "Alerting is alive",
                "The alert that always fires: without it no other can.",
                format!("max({watchdog}) or vector(0)"),
                Unit::Word,
                4,
            )
            .words(&[
                State { value: 0, word: "DEAD", color: Color::Vermillion },
                State { value: 1, word: "ALIVE", color: Color::Blue },
            ]),
            Panel::new(
                "Instances up",
                "How many instances of each service answer their scrapes.",
                Drawing::Lines,
                Unit::Plain,
                (10, 8),
            )
            .asks(Query::over_time(services.join(" or "), "{{service}}"))
            .zero_based(),
            Panel::new(
                "Time to evaluate",
                "How long each group of rules takes; near its interval it is late.",
                Drawing::Lines,
                Unit::Seconds,
                (10, 8),
            )
            .asks(Query::over_time(took, &legend))
            .zero_based(),
        ];
        if !failures.is_empty() {
            all.push(
                Panel::new(
                    "Rules that fail",
                    "Evaluations that failed, by group: what such a rule watches is not watched.",
                    Drawing::Lines,
                    Unit::Count,
                    (24, 6),
                )
                .asks(Query::over_time(failures.join(" or "), &legend))
                .zero_based()
                .or_empty("none failed"),
            );
        }
        all
    }
}
