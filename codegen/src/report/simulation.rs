//! An outage, drawn: how fast the budget burns, which alerts fire and for how long, and what is left of the budget.

use kilter_contract::slo as names;

use super::detection::{Steady, longest};
use super::slo::{Figure, Parts};
use crate::model::{Duration, Severity};
use crate::numbers::{percent, seconds, span};
use crate::plan::windows;
use crate::plot::{self, Axis, Bar, Bars, Lines, Look, Panel, Plot, Row, Scale, Series, Threshold, Unit};
use crate::replay::{Replay, Rules};

/// How long everything fails, in real time.
const OUTAGE: Duration = Duration::from_mins(30);

/// What is drawn before it, and behind it at least.
const BEFORE: Duration = Duration::from_mins(15);
const BEHIND: Duration = Duration::from_mins(210);

/// Points of a line.
const POINTS: usize = 180;

/// Everything fails for half an hour after a clean time, from the moment on at which it is noticed the latest.
pub(super) fn figure(parts: &Parts<'_>) -> Figure {
    let (rules, scale) = (parts.rules, parts.estate.time_scale);
    let step = scale.apply(windows::timing().interval);
    let told = parts.detection.first();
    let told = told.and_then(|it| it.page.map(|it| ("page", it)).or(it.ticket.map(|it| ("ticket", it))));
    let clean = longest(parts.estate, rules).plus(rules.rate).plus(told.map_or(Duration::ZERO, |(_, it)| it.phase));
    let [outage, before, behind] = [OUTAGE, BEFORE, BEHIND].map(|it| scale.apply(it));
    let steady = Steady { ratio: 1.0, clean, lasts: outage, behind };
    let replay = rules.replay(&steady.pair(rules, step));
    let [begin, end] = [clean, clean.plus(outage)].map(millis);
    let (from, until) = (begin - millis(before), end + millis(behind));
    let service = parts.context.service.name.as_str();
    let outage_row = Row {
        name: "everything fails".to_owned(),
        look: Look::Other,
        bars: vec![Bar { from: begin, until: Some(end), label: span(outage) }],
    };
    let rows = std::iter::once(outage_row).chain(
        [(Severity::Page, Look::Page), (Severity::Ticket, Look::Ticket)].map(|(it, look)| row(&replay, it, look)),
    );
    let caption = caption(&replay, rules, (begin, end), told.map(|(it, _)| it));
    let plot = Plot {
        // Two names of one service and SLO could meet in those of another.
        id: format!("outage-{}-{service}-{}", service.len(), parts.slo.name),
        title: format!("{service}/{}: everything fails for {}", parts.slo.name, span(outage)),
        description: caption.clone(),
        from,
        until,
        axis: Axis::Since(begin),
        panels: vec![
            Panel::Lines(burn(&replay, rules, from)),
            Panel::Bars(Bars { title: "Alerts".to_owned(), rows: rows.collect() }),
            Panel::Lines(budget(&replay, from)),
        ],
    };
    Figure { svg_html: plot::svg(&plot), caption }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.millis()).unwrap_or(i64::MAX / 4)
}

fn row(replay: &Replay, severity: Severity, look: Look) -> Row {
    let alert = replay.alerts.iter().find(|it| it.name == names::ERROR_BUDGET_BURN && it.severity == severity);
    let bars = alert.map(|it| it.firings.as_slice()).unwrap_or_default().iter().map(|it| Bar {
        from: it.from,
        until: it.until,
        label: it.until.map_or_else(|| "goes on".to_owned(), |until| seconds((until - it.from) as f64 / 1_000.0)),
    });
    Row { name: severity.as_str().to_owned(), look, bars: bars.collect() }
}

/// The burn rates of the windows that page, or of all when none does.
fn burn(replay: &Replay, rules: &Rules, from: i64) -> Lines {
    let pages = rules.pairs_of(Severity::Page).count() > 0;
    let pairs: Vec<_> = rules.pairs.iter().filter(|it| !pages || it.severity == Severity::Page).take(2).collect();
    let drawn = |window: Duration| pairs.iter().any(|it| it.long == window || it.short == window);
    let series = replay.burn.iter().filter(|it| drawn(it.window)).map(|it| Series {
        name: it.window.to_string(),
        points: points(replay.start, millis(replay.step), it.values(), from),
    });
    let thresholds = pairs.iter().map(|it| Threshold {
        name: format!("{} above {} over {} and {}", it.severity.as_str(), it.factor, it.long, it.short),
        value: it.factor.to_f64(),
    });
    Lines {
        title: "Burn rate, by alert window".to_owned(),
        unit: Unit::Number("x"),
        scale: Scale::Log(0),
        series: series.collect(),
        thresholds: thresholds.collect(),
    }
}

fn budget(replay: &Replay, from: i64) -> Lines {
    let all: Vec<_> = replay.budget.iter().filter(|it| it.at >= from).collect();
    let every = all.len().div_ceil(POINTS).max(1);
    let points = all.iter().step_by(every).map(|it| (it.at, it.remaining)).collect();
    Lines {
        title: "Error budget left".to_owned(),
        unit: Unit::Share,
        scale: Scale::Linear,
        series: vec![Series { name: "left".to_owned(), points }],
        thresholds: Vec::new(),
    }
}

/// Not every evaluation: nobody could see it.
fn points(start: i64, step: i64, values: impl Iterator<Item = Option<f64>>, from: i64) -> Vec<(i64, Option<f64>)> {
    let all: Vec<_> =
        values.zip(0_i64..).map(|(value, index)| (start + index * step, value)).filter(|(at, _)| *at >= from).collect();
    let every = all.len().div_ceil(POINTS).max(1);
    all.into_iter().step_by(every).collect()
}

fn caption(replay: &Replay, rules: &Rules, (begin, end): (i64, i64), latest: Option<&str>) -> String {
    let since = |at: i64, of: i64| seconds((at - of) as f64 / 1_000.0);
    let alert = |severity: Severity| {
        let alert = replay.alerts.iter().find(|it| it.name == names::ERROR_BUDGET_BURN && it.severity == severity)?;
        let firing = alert.firings.first()?;
        let over = firing.until.map_or("lasts longer than is drawn".to_owned(), |it| {
            if it < end {
                "is over before that".to_owned()
            } else {
                format!("is over {} after its end", since(it, end))
            }
        });
        Some(format!(
            "The {} fires {} after everything began to fail and {over}.",
            severity.as_str(),
            since(firing.from, begin)
        ))
    };
    let spent = 1.0 / rules.error_budget * ((end - begin) as f64 / 1_000.0) / rules.window.secs_f64();
    // The other alert may be later when it begins at another moment.
    let mut said: Vec<String> =
        latest.iter().map(|it| format!("Drawn is an outage that begins when its {it} comes the latest.")).collect();
    let fired: Vec<String> = [Severity::Page, Severity::Ticket].into_iter().filter_map(alert).collect();
    said.push(if fired.is_empty() { "No alert fires.".to_owned() } else { fired.join(" ") });
    said.push(format!("The outage spends {} of the budget.", percent(spent)));
    said.join(" ")
}
