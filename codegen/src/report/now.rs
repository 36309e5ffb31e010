//! What a Prometheus says of each SLO, put into the page: words and a sign for its state, never a colour alone.

use std::collections::BTreeMap;

use serde::Serialize;

use super::page::{Asked, Page, Urgent};
use super::slo;
use crate::numbers::{grouped, percent_down, seconds};
use crate::status::{self, Report, Row, State};

/// An SLO as it is; of several groups the one that is worst off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Now {
    /// In words.
    pub state: String,
    /// The sign that goes with it.
    pub sign: String,
    /// Its class in the style.
    pub class: String,
    /// Share of good events in the window.
    pub sli: String,
    /// What is left of the budget, in percent.
    pub left: String,
    /// The same between 0 and 100, for a bar; none when it is unknown, which an empty one would tell as nothing left.
    pub meter: Option<String>,
    /// The same as time and as events.
    pub left_words: Option<String>,
    /// How fast it burns.
    pub burn: Option<String>,
    /// When it is spent at that.
    pub exhausted: Option<String>,
    /// What else must be said.
    pub notes: Vec<String>,
    /// The group that this is of, and how many there are.
    pub group: Option<String>,
}

/// The words, the sign and the class of a state.
const fn looks(state: State) -> (&'static str, &'static str, &'static str) {
    match state {
        State::Page => ("a page fires", "▲", "spent"),
        State::Missing => ("no data", "?", "blind"),
        State::Exhausted => ("budget spent", "✕", "spent"),
        State::Ticket => ("a ticket fires", "◆", "burning"),
        State::Pending => ("an alert is pending", "◇", "burning"),
        State::Maintenance => ("maintenance", "‖", "blind"),
        State::Fine => ("fine", "✓", "fine"),
    }
}

/// Adds what a Prometheus says.
pub fn add(page: &mut Page, report: &Report) {
    page.asked = Some(Asked { address: report.prometheus.clone(), at: status::utc(report.at) });
    // The most urgent come first, so the first of an SLO is its worst group.
    let mut rows: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in &report.slos {
        let id = slo::id(&row.service, &row.slo);
        let all = rows.entry(id.clone()).or_default();
        if all.is_empty() && row.state != State::Fine {
            let (why, sign, class) = looks(row.state);
            let name = format!("{}/{}", row.service, row.slo);
            page.urgent.push(Urgent { id, name, why: why.to_owned(), sign: sign.to_owned(), class: class.to_owned() });
        }
        all.push(row);
    }
    for slo in page.services.iter_mut().flat_map(|it| &mut it.slos) {
        slo.now = rows.get(&slo.id).and_then(|all| Some(now(all.first()?, all.len(), report.at)));
    }
    for service in &report.services {
        let alerts: Vec<&str> = service.alerts.iter().filter(|it| it.firing).map(|it| it.name.as_str()).collect();
        if !alerts.is_empty() {
            page.notes.push(format!("{} as a whole: {} fires.", service.service, alerts.join(", ")));
        }
    }
    page.notes.extend(report.warnings.iter().map(|it| format!("Prometheus warned: {it}")));
}

fn now(row: &Row, groups: usize, at: i64) -> Now {
    let (state, sign, class) = looks(row.state);
    let unknown = || "unknown".to_owned();
    let events = |it: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what is printed")]
        let whole = it.floor().clamp(0.0, 1e18) as u128;
        format!(" or {} failures", grouped(whole))
    };
    let words = |it: &status::Budget| {
        let outage = seconds((it.outage_minutes * 60.0).max(0.0));
        format!("{outage} of outage{}", it.events.map(events).unwrap_or_default())
    };
    let values: Vec<String> = row.group.iter().map(|(key, value)| format!("{key} {value}")).collect();
    Now {
        state: state.to_owned(),
        sign: sign.to_owned(),
        class: class.to_owned(),
        sli: row.sli.map_or_else(unknown, |it| percent_down(it, 4)),
        left: row.budget.map_or_else(unknown, |it| percent_down(it.left, 1)),
        meter: row.budget.map(|it| format!("{:.1}", it.left.clamp(0.0, 1.0) * 100.0)),
        left_words: row.budget.as_ref().map(words),
        burn: row.burn.as_ref().map(|it| {
            format!("{:.1} times as fast as promised over {} (alerts above {})", it.rate, it.window, it.threshold)
        }),
        exhausted: row
            .exhausted_in_seconds
            .filter(|it| *it > 0.0)
            .map(|it| format!("spent in {} at that", seconds(it))),
        notes: status::notes(row, at),
        group: (!values.is_empty()).then(|| format!("{} (the worst of {groups})", values.join(", "))),
    }
}
