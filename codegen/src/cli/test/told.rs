//! Who is told of what: the routes that amtool has confirmed, by receiver.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::measured::columns;

/// Who, of which severity, for which team, about which service.
type Whom = (String, String, String, String);

/// What one receiver is told of one service.
#[derive(Debug, Default)]
struct What {
    alerts: BTreeSet<String>,
    slos: BTreeSet<String>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Told {
    by: BTreeMap<Whom, What>,
}

impl Told {
    /// Notes a confirmed route; `label` looks a label of the alert up.
    pub(super) fn note<'a>(&mut self, subject: &str, receiver: &str, label: &dyn Fn(&str) -> Option<&'a str>) {
        let text = |key: &str| label(key).unwrap_or_default().to_owned();
        let whom = (receiver.to_owned(), text("severity"), text("team"), text("service"));
        let what = self.by.entry(whom).or_default();
        what.alerts.insert(text("alertname"));
        what.slos.extend(label("slo").map(|_| subject.to_owned()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by.is_empty()
    }

    /// For people: a line for each receiver, severity, team and service.
    pub(super) fn table(&self) -> String {
        let mut rows = vec![["receiver", "severity", "team", "service", "slos", "alerts"].map(str::to_owned)];
        let or_dash = |text: &str| if text.is_empty() { "-" } else { text }.to_owned();
        for ((receiver, severity, team, service), what) in &self.by {
            let slos = if what.slos.is_empty() { String::new() } else { what.slos.len().to_string() };
            let alerts = what.alerts.iter().cloned().collect::<Vec<_>>().join(", ");
            rows.push([receiver, severity, team, service, &slos, &alerts].map(|it| or_dash(it)));
        }
        columns(&rows)
    }

    /// For programs: who is told of one SLO, of a service as a whole, or of the estate.
    pub(super) fn json(&self, subject: &str) -> Vec<Value> {
        let about = |((_, _, _, service), what): &(&Whom, &What)| match subject {
            "the estate" => service.is_empty(),
            _ => what.slos.contains(subject) || (service == subject && what.slos.is_empty()),
        };
        let one = |((receiver, severity, team, _), what): (&Whom, &What)| json!({"receiver": receiver, "severity": severity, "team": team, "alerts": what.alerts});
        self.by.iter().filter(about).map(one).collect()
    }
}
