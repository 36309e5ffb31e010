//! What happened, as a drawing.

use super::Simulated;
use super::words::view;
use crate::model::Severity;
use crate::numbers::percent;
use crate::plot::{Axis, Bar, Bars, Lines, Look, Panel, Plot, Row, Scale, Series, Threshold, Unit, elapsed};
use crate::replay::Alert;
use crate::scenario::BEGIN;

/// Bad events, burn rates with their thresholds, the budget, and when each alert fired.
pub fn plot(it: &Simulated, id: &str) -> Plot {
    let (from, until) = view(it);
    Plot {
        id: id.to_owned(),
        title: format!("{}/{}: {} over {}", it.service, it.slo, it.objective.percent(), it.window),
        description: description(it),
        from,
        until,
        axis: Axis::Since(BEGIN),
        panels: vec![bad(it), burn(it), budget(it), alerts(it)],
    }
}

/// Sentences for who does not see it.
fn description(it: &Simulated) -> String {
    let mut all = Vec::new();
    for alert in &it.replay.alerts {
        for firing in alert.since(BEGIN) {
            let end = firing.until.map_or_else(
                || "still fires at the end".to_owned(),
                |it| format!("resolves after {}", elapsed(it - BEGIN)),
            );
            let (name, severity) = (alert.name, alert.severity.as_str());
            all.push(format!("{name} ({severity}) fires after {} and {end}.", elapsed(firing.from - BEGIN)));
        }
    }
    if all.is_empty() {
        all.push("No alert fires.".to_owned());
    }
    if let Some(left) = it.remaining(it.until()) {
        all.push(format!("At the end {} of the error budget is left.", percent(left)));
    }
    all.join(" ")
}

/// Evaluations that are shown, with their moments.
fn shown(it: &Simulated) -> impl Iterator<Item = (usize, i64)> {
    let (from, until) = view(it);
    let (start, step) = (it.pair.start, i64::try_from(it.pair.step.millis()).unwrap_or(1));
    let all = (0_usize..).zip((0..).map(move |index: i64| start + index * step));
    all.skip_while(move |(_, at)| *at < from).take_while(move |(_, at)| *at <= until).take(it.pair.len())
}

fn bad(it: &Simulated) -> Panel {
    let ratio = |index: usize| match (it.pair.error[index], it.pair.total[index]) {
        (Some(error), Some(total)) if total > 0.0 => Some(error / total),
        _ => None,
    };
    Panel::Lines(Lines {
        title: "Bad events".to_owned(),
        unit: Unit::Share,
        scale: Scale::Linear,
        series: vec![Series {
            name: format!("share of the last {}", it.rules.rate),
            points: shown(it).map(|(index, at)| (at, ratio(index))).collect(),
        }],
        thresholds: Vec::new(),
    })
}

/// The long window of each pair, and the factor that it must exceed.
fn burn(it: &Simulated) -> Panel {
    let (mut series, mut thresholds): (Vec<Series>, Vec<Threshold>) = (Vec::new(), Vec::new());
    for pair in &it.rules.pairs {
        let name = format!("over {}", pair.long);
        let Some(rates) = it.replay.burn.iter().find(|rates| rates.window == pair.long) else { continue };
        if series.iter().all(|it| it.name != name) && series.len() < 6 {
            series.push(Series { name, points: shown(it).map(|(index, at)| (at, rates.at(index))).collect() });
        }
        let value = pair.factor.to_f64();
        let name = format!("{} above {}x over {}", pair.severity.as_str(), pair.factor, pair.long);
        thresholds.push(Threshold { name, value });
    }
    let (title, unit, scale) = ("Burn rate".to_owned(), Unit::Number("x"), Scale::Log(-1));
    Panel::Lines(Lines { title, unit, scale, series, thresholds })
}

fn budget(it: &Simulated) -> Panel {
    let (from, until) = view(it);
    let points = it.replay.budget.iter().filter(|point| (from..=until).contains(&point.at));
    Panel::Lines(Lines {
        title: "Error budget".to_owned(),
        unit: Unit::Share,
        scale: Scale::Linear,
        series: vec![Series {
            name: format!("left of {}", it.window),
            points: points.map(|point| (point.at, point.remaining)).collect(),
        }],
        thresholds: Vec::new(),
    })
}

fn alerts(it: &Simulated) -> Panel {
    let row = |alert: &Alert| {
        let bar = |firing: &crate::replay::Firing| {
            let from = elapsed(firing.from - BEGIN);
            let label = firing.until.map_or_else(
                || format!("from {from}, goes on"),
                |until| format!("{from} to {}", elapsed(until - BEGIN)),
            );
            Bar { from: firing.from, until: firing.until, label }
        };
        Row {
            name: format!("{} ({})", alert.name, alert.severity.as_str()),
            look: if alert.severity == Severity::Page { Look::Page } else { Look::Ticket },
            bars: alert.since(BEGIN).map(bar).collect(),
        }
    };
    // What burns is always told; of the rest only what fired.
    let burns = it.burns().map(row);
    let others = it.replay.alerts.iter().filter(|it| it.name != kilter_contract::slo::ERROR_BUDGET_BURN);
    let fired = others.map(row).filter(|it| !it.bars.is_empty());
    Panel::Bars(Bars { title: "Alerts".to_owned(), rows: burns.chain(fired).collect() })
}
