//! For people, a table and two lines of blocks; for programs, JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Simulated;
use crate::numbers::percent;
use crate::plot::elapsed;
use crate::replay::Alert;
use crate::scenario::BEGIN;

/// Characters of a line of blocks.
const WIDTH: i64 = 60;

/// Points of each series in JSON, at most.
const POINTS: usize = 240;

/// The outcome as text.
pub fn human(it: &Simulated) -> String {
    let mut text = format!("{}/{}: {} over {}\n\n", it.service, it.slo, it.objective.percent(), it.window);
    let header =
        ["alert", "fires after", "resolves after", "for", "windows", "budget spent by then"].map(str::to_owned);
    let mut rows = vec![header];
    for alert in &it.replay.alerts {
        let name = format!("{} ({})", alert.name, alert.severity.as_str());
        let mut firings = alert.since(BEGIN).peekable();
        if firings.peek().is_none() {
            rows.push([name.clone(), "never".to_owned(), String::new(), String::new(), String::new(), String::new()]);
        }
        for (number, firing) in firings.enumerate() {
            rows.push([
                if number == 0 { name.clone() } else { String::new() },
                elapsed(firing.from - BEGIN),
                firing.until.map_or_else(|| "still fires".to_owned(), |until| elapsed(until - BEGIN)),
                elapsed(firing.until.unwrap_or(it.until()) - firing.from),
                firing.pair.map_or_else(String::new, |(long, short)| format!("{long}, {short}")),
                it.spent(firing.from).map_or_else(|| "-".to_owned(), percent),
            ]);
        }
    }
    text.push_str(&table(&rows));
    let (begin, end) = (it.remaining(BEGIN - 1), it.remaining(it.until()));
    let left = |of: Option<f64>| of.map_or_else(|| "unknown".to_owned(), percent);
    let _ = write!(
        text,
        "\nbudget  {}  {} left before, {} at the end\n",
        blocks(&budget(it), Some(1.0)),
        left(begin),
        left(end)
    );
    if let Some((window, values, most)) = burn(it) {
        let _ = writeln!(text, "burn {window}  {}  at most {}x", blocks(&values, None), number(most));
    }
    let _ = writeln!(text, "        from {} to {}", elapsed(view(it).0 - BEGIN), elapsed(it.until() - BEGIN));
    text
}

/// The same for programs; seconds count from the beginning of the steps.
pub fn json(it: &Simulated) -> Value {
    let seconds = |moment: i64| (moment - BEGIN) as f64 / 1_000.0;
    let alert = |alert: &Alert| {
        let firings: Vec<Value> = alert.since(BEGIN)
            .map(|firing| {
                json!({
                    "active": seconds(firing.active),
                    "fires": seconds(firing.from),
                    "resolves": firing.until.map(seconds),
                    "windows": firing.pair.map(|(long, short)| json!({"long": long.to_string(), "short": short.to_string()})),
                    "budget_spent": it.spent(firing.from).map(rounded),
                })
            })
            .collect();
        json!({"alert": alert.name, "severity": alert.severity.as_str(), "firings": firings})
    };
    let shown: Vec<_> = it.replay.budget.iter().filter(|point| point.at >= view(it).0).collect();
    let every = shown.len().div_ceil(POINTS).max(1);
    let budget = shown.iter().step_by(every).map(|point| {
        json!({"at": seconds(point.at), "remaining": point.remaining.map(rounded), "coverage": point.coverage.map(rounded)})
    });
    json!({
        "service": it.service,
        "slo": it.slo,
        "objective": it.objective.percent(),
        "window": it.window.to_string(),
        "seconds": seconds(it.end()),
        "until": seconds(it.until()),
        "budget_spent": it.spent(it.end()).map(rounded),
        "alerts": it.replay.alerts.iter().map(alert).collect::<Vec<_>>(),
        "budget": budget.collect::<Vec<_>>(),
    })
}

/// First and last moment that are shown: a twelfth of the time lies before the steps.
pub(super) fn view(it: &Simulated) -> (i64, i64) {
    let until = it.until();
    ((BEGIN - (until - BEGIN) / 12).max(it.pair.start), until)
}

fn budget(it: &Simulated) -> Vec<f64> {
    let (from, until) = view(it);
    let at = |column: i64| from + (until - from) * column / (WIDTH - 1);
    (0..WIDTH).map(|column| it.remaining(at(column)).unwrap_or(f64::NAN)).collect()
}

/// The burn rate of the window that decides first, at its highest in each column.
fn burn(it: &Simulated) -> Option<(String, Vec<f64>, f64)> {
    let window = it.rules.pairs.first()?.long;
    let rates = it.replay.burn.iter().find(|rates| rates.window == window)?;
    let (from, until) = view(it);
    let step = i64::try_from(it.pair.step.millis()).unwrap_or(1).max(1);
    let index = |moment: i64| usize::try_from((moment - it.pair.start) / step).unwrap_or(0);
    let at = |column: i64| index(from + (until - from) * column / WIDTH);
    let most = |column: i64| {
        let within = (at(column)..at(column + 1).max(at(column) + 1)).filter_map(|index| rates.at(index));
        within.fold(f64::NAN, f64::max)
    };
    let values: Vec<f64> = (0..WIDTH).map(most).collect();
    let highest = values.iter().copied().fold(0.0, f64::max);
    Some((window.to_string(), values, highest))
}

/// A line of blocks, as high as the value is between zero and the highest.
fn blocks(values: &[f64], top: Option<f64>) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let top = top.unwrap_or_else(|| values.iter().copied().fold(0.0, f64::max));
    let block = |value: &f64| {
        if value.is_nan() {
            return ' ';
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of eight")]
        let height = if top > 0.0 { (value / top * 7.0).round().clamp(0.0, 7.0) as usize } else { 0 };
        BLOCKS[height]
    };
    values.iter().map(block).collect()
}

fn table(rows: &[[String; 6]]) -> String {
    let mut widths = [0; 6];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 6]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn number(value: f64) -> String {
    let digits = match value.abs() {
        it if it >= 100.0 => 0,
        it if it >= 10.0 => 1,
        it if it >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// To nine digits: the rest is arithmetic.
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}
