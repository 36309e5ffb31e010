//! What the alerts would have done over the past, from the outcome of `kilter backtest`.

use super::page::Page;
use super::slo::{Figure, History, SloView};
use crate::backtest::per_week;
use crate::backtest::result::{Backtest, Fired, Verdict};
use crate::model::Severity;
use crate::numbers::{counted, grouped, list, percent, percent_down, seconds};
use crate::plot::{self, Axis, Bar, Bars, Lines, Look, Panel, Plot, Row, Scale, Series, Unit};
use crate::status;

/// At most so many groups have a line of their own.
const LINES: usize = 6;

/// Adds it to every SLO that the outcome is about.
pub fn add(page: &mut Page, outcome: &Backtest) {
    for slo in page.services.iter_mut().flat_map(|it| &mut it.slos) {
        slo.history = of(outcome, slo);
    }
    page.notes.extend(outcome.warnings.iter().map(|it| format!("Prometheus warned: {it}")));
}

/// What an SLO's alerts did, in order.
fn fired<'a>(outcome: &'a Backtest, service: &str, slo: &str) -> Vec<&'a Fired> {
    let all = outcome.variants.first().map(|it| it.fired.as_slice()).unwrap_or_default();
    all.iter().filter(|it| it.service == service && it.slo.as_deref() == Some(slo)).collect()
}

fn count(all: &[&Fired], severity: Severity) -> usize {
    all.iter().filter(|it| it.severity == severity).count()
}

/// Pages and tickets of an SLO before and after a change, in a sentence; `None` where one of them knows nothing of it.
pub fn compared(before: Option<(&Backtest, &str, &str)>, after: (&Backtest, &str, &str)) -> Option<String> {
    let counts = |(outcome, service, slo): (&Backtest, &str, &str)| {
        let known = outcome.slos.iter().any(|it| it.service == service && it.slo == slo && !it.groups.is_empty());
        let all = fired(outcome, service, slo);
        known.then(|| [Severity::Page, Severity::Ticket].map(|it| count(&all, it)))
    };
    let [pages, tickets] = counts(after)?;
    // Where history begins later, only that much is told of.
    let length = seconds((after.0.to - after.0.begins.unwrap_or(after.0.from)) as f64 / 1_000.0);
    let both = |then: usize, now: usize| if then == now { now.to_string() } else { format!("{then} → {now}") };
    Some(match before.and_then(counts) {
        Some([was, were]) => {
            format!("over the last {length}: {} pages, {} tickets", both(was, pages), both(were, tickets))
        }
        None => format!("over the last {length} it would have made {pages} pages and {tickets} tickets"),
    })
}

fn of(outcome: &Backtest, view: &SloView) -> Option<History> {
    let slo = outcome.slos.iter().find(|it| it.service == view.service && it.slo == view.name)?;
    let all = fired(outcome, &view.service, &view.name);
    let (pages, tickets) = (count(&all, Severity::Page), count(&all, Severity::Ticket));
    let mut said = vec![format!(
        "{}{} and {}.",
        counted(pages, "page"),
        per_week(pages, outcome.judged_of(slo)).map_or(String::new(), |it| format!(" ({it:.1} a week)")),
        counted(tickets, "ticket")
    )];
    for group in &slo.groups {
        let labels: Vec<String> = group.labels.iter().map(|(key, value)| format!("{key} {value}")).collect();
        let name = if labels.is_empty() { String::new() } else { format!("{}: ", labels.join(", ")) };
        let left = group.budget.last().map(|(_, it)| format!(", {} of the budget left at the end", percent(*it)));
        let left = left.unwrap_or_default();
        let gaps = (group.coverage < 0.995).then(|| percent(group.coverage));
        let Some(sli) = group.sli else {
            let gaps = gaps.map(|it| format!("; the server has data for {it} of the time only")).unwrap_or_default();
            let none = if name.is_empty() { "No" } else { "no" };
            said.push(format!("{name}{none} {} were counted{left}{gaps}.", view.things));
            continue;
        };
        let gaps = gaps.map(|it| format!(", data for {it} of the time")).unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what is printed")]
        let events = grouped(group.events.clamp(0.0, 1e18) as u128);
        said.push(format!("{name}{} good of {events} {}{left}{gaps}.", percent_down(sli, 4), view.things));
    }
    if slo.groups.is_empty() {
        said.push("The server has no data of it.".to_owned());
    }
    said.extend(incidents(outcome, view));
    let advice = outcome.advice.iter().filter(|it| it.service == view.service && it.slo == view.name);
    said.extend(advice.map(|it| it.text.clone()));
    let span = format!("{} to {}", status::utc(outcome.from), status::utc(outcome.to));
    Some(History { figure: Some(figure(outcome, view, &all, &said)), span, said })
}

/// Incidents that this SLO should have told of, or did.
fn incidents(outcome: &Backtest, view: &SloView) -> Vec<String> {
    let verdicts = outcome.variants.first().map(|it| it.verdicts.as_slice()).unwrap_or_default();
    let all = outcome.incidents.as_deref().unwrap_or_default().iter().zip(verdicts);
    let sentence = |(incident, verdict): (&crate::backtest::Incident, &Verdict)| {
        let name = &incident.name;
        let own = incident.slo.as_deref() == Some(&view.name)
            && incident.service.as_deref().is_none_or(|it| it == view.service);
        match verdict {
            Verdict::Detected { after, slo, spent, .. } if own || slo.as_deref() == Some(&view.name) => {
                let spent = spent.map(|it| format!(", with {} of the budget spent", percent(it))).unwrap_or_default();
                Some(format!("Incident {name}: paged {} after it began{spent}.", seconds(*after as f64 / 1_000.0)))
            }
            Verdict::Missed { ticket } if own => {
                let ticket = if *ticket { ", although there was a ticket" } else { "" };
                Some(format!("Incident {name}: nobody was paged{ticket}."))
            }
            Verdict::NotJudged { why } if own => Some(format!("Incident {name}: not judged, {why}.")),
            _ => None,
        }
    };
    all.filter_map(sentence).collect()
}

fn figure(outcome: &Backtest, view: &SloView, all: &[&Fired], said: &[String]) -> Figure {
    let row = |name: &str, look: Look, severity: Severity| Row {
        name: name.to_owned(),
        look,
        bars: all
            .iter()
            .filter(|it| it.severity == severity)
            .map(|it| Bar { from: it.from, until: it.until, label: String::new() })
            .collect(),
    };
    let mut rows = vec![row("page", Look::Page, Severity::Page), row("ticket", Look::Ticket, Severity::Ticket)];
    let own = outcome.incidents.as_deref().unwrap_or_default().iter().filter(|it| {
        it.service.as_deref().is_none_or(|it| it == view.service) && it.slo.as_deref().is_none_or(|it| it == view.name)
    });
    let bars: Vec<Bar> = own.map(|it| Bar { from: it.start, until: Some(it.end), label: String::new() }).collect();
    if !bars.is_empty() {
        rows.insert(0, Row { name: "incident".to_owned(), look: Look::Other, bars });
    }
    let groups =
        outcome.slos.iter().filter(|it| it.service == view.service && it.slo == view.name).flat_map(|it| &it.groups);
    let series = groups.take(LINES).map(|it| {
        let values: Vec<String> = it.labels.values().cloned().collect();
        let name = if values.is_empty() { "left".to_owned() } else { list(&values) };
        Series { name, points: it.budget.iter().map(|(at, left)| (*at, Some(*left))).collect() }
    });
    let plot = Plot {
        id: format!("history-{}-{}-{}", view.service.len(), view.service, view.name),
        title: format!("{}/{}: budget and alerts", view.service, view.name),
        description: said.join(" "),
        from: outcome.from,
        until: outcome.to,
        axis: Axis::Utc,
        panels: vec![
            Panel::Lines(Lines {
                title: "Error budget left".to_owned(),
                unit: Unit::Share,
                scale: Scale::Linear,
                series: series.collect(),
                thresholds: Vec::new(),
            }),
            Panel::Bars(Bars { title: "Alerts".to_owned(), rows }),
        ],
    };
    let caption = "What is left of the error budget, and when alerts would have fired.".to_owned();
    Figure { svg_html: plot::svg(&plot), caption }
}
