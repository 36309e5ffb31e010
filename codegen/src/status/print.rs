//! The report for people: a table of at most 100 columns, and what is behind each row below it.

use jiff::Timestamp;

use super::{Data, FailOn, Report, Row, ServiceRow, State};
use crate::numbers::{left, percent_down};

const WIDTH: usize = 100;

const HEADER: [&str; 8] = ["STATE", "SLO", "SLI/OBJECTIVE", "LEFT", "OUTAGE", "FAILURES", "BURN", "SPENT IN"];

/// The table, and whatever needs a sentence.
pub fn human(report: &Report, color: bool) -> String {
    let mut out = String::new();
    for service in &report.services {
        let state = painted(service.state, service.state.as_str(), color);
        out.push_str(&wrapped(&format!("{state}  {}: {}", service.service, alerts(&service.alerts)), "    "));
    }
    let cells: Vec<[String; 8]> = report.slos.iter().map(cells).collect();
    // The name takes what the others leave, and has a line of its own when that is too little.
    let mut widths: [usize; 8] = std::array::from_fn(|column| {
        cells.iter().map(|it| chars(&it[column])).chain([chars(HEADER[column])]).max().unwrap_or(0)
    });
    let others: usize = widths.iter().enumerate().filter(|(column, _)| *column != 1).map(|(_, it)| it + 2).sum();
    widths[1] = widths[1].min(WIDTH.saturating_sub(others));
    out.push_str(&line(&HEADER.map(str::to_owned), &widths, |text| text));
    for (row, cells) in report.slos.iter().zip(cells) {
        out.push_str(&line(&cells, &widths, |text| painted(row.state, &text, color)));
        for note in notes(row, report.at) {
            out.push_str(&wrapped(&format!("    {note}"), "      "));
        }
    }
    out
}

/// The gate's answer about everything that is asked about: a line each, and why.
pub fn gate(report: &Report, on: &[FailOn], color: bool) -> String {
    let line = |blocked: bool, state: State, name: &str, why: &str| {
        let word = if blocked { "blocked" } else { "open   " };
        format!("{} {name}: {why}\n", painted(if blocked { state } else { State::Fine }, word, color))
    };
    let of_service = |it: &ServiceRow| line(it.fails(on), it.state, &it.service, &alerts(&it.alerts));
    let of_slo = |it: &Row| line(it.fails(on), it.state, &it.name(), &why(it, report.at));
    report.services.iter().map(of_service).chain(report.slos.iter().map(of_slo)).collect()
}

/// What the row's state comes from, in a line.
fn why(row: &Row, at: i64) -> String {
    let firing: Vec<super::Alert> = row.alerts.iter().filter(|it| it.firing).cloned().collect();
    let mut all = Vec::new();
    if !firing.is_empty() {
        all.push(alerts(&firing));
    }
    all.extend(missing(row, at));
    if let Some(budget) = row.budget {
        let word = if budget.left < 0.0 { "the budget is spent: " } else { "" };
        all.push(format!("{word}{} of the budget is left", percent_down(budget.left, 1)));
    }
    if all.is_empty() { "nothing is known yet".to_owned() } else { all.join("; ") }
}

fn cells(row: &Row) -> [String; 8] {
    let none = || "-".to_owned();
    let decimals = row.objective.split_once('.').map_or(0, |(_, it)| it.len() - 1) + 2;
    let sli = row.sli.map_or_else(none, |it| percent_down(it, decimals).trim_end_matches('%').to_owned());
    [
        row.state.as_str().to_owned(),
        row.name(),
        format!("{sli}/{}", row.objective),
        row.budget.map_or_else(none, |it| percent_down(it.left, 1)),
        row.budget.map_or_else(none, |it| left(it.outage_minutes * 60.0)),
        row.budget.and_then(|it| it.events).map_or_else(none, count),
        row.burn.as_ref().map_or_else(none, |it| format!("{} {}", rate(it.rate), it.window)),
        row.exhausted_in_seconds.map_or_else(none, |it| if it <= 0.0 { "spent".to_owned() } else { left(it) }),
    ]
}

fn line(cells: &[String; 8], widths: &[usize; 8], paint: impl Fn(String) -> String) -> String {
    let padded =
        |column: usize, text: &str| format!("{text}{}", " ".repeat(widths[column].saturating_sub(chars(text))));
    let right = |column: usize, text: &str| format!("{}{text}", " ".repeat(widths[column].saturating_sub(chars(text))));
    let state = paint(padded(0, &cells[0]));
    let numbers: String = (2..8).map(|column| format!("  {}", right(column, &cells[column]))).collect();
    if chars(&cells[1]) > widths[1] {
        return format!("{state}  {}\n{}{numbers}\n", cells[1], " ".repeat(widths[0] + 2 + widths[1]));
    }
    format!("{state}  {}{numbers}\n", padded(1, &cells[1]))
}

/// What helps where the server's rules are not those of the file.
const DEPLOY: &str = "deploy the generated rules, as kilter status --rules tells";

/// What a row needs sentences for.
pub(crate) fn notes(row: &Row, at: i64) -> Vec<String> {
    let mut all = Vec::new();
    if !row.alerts.is_empty() {
        all.push(alerts(&row.alerts));
    }
    all.extend(missing(row, at));
    if let Some(coverage) = row.coverage.filter(|it| *it < 0.995) {
        all.push(format!("data for {} of the {} only", percent_down(coverage, 0), row.window));
    }
    if let Some(served) = &row.served_objective {
        all.push(format!("the server judges by {served}: {DEPLOY}"));
    }
    if let Some(served) = &row.served_by {
        let by = |labels: &[String]| {
            if labels.is_empty() { "not at all".to_owned() } else { format!("by {}", labels.join(", ")) }
        };
        all.push(format!("the server's rules divide it {}, the file {}: {DEPLOY}", by(served), by(&row.by)));
    }
    if let Some(burn) = row.burn.as_ref().filter(|it| it.held_back) {
        let (is, above) = (rate(burn.rate), rate(burn.threshold));
        all.push(format!(
            "{is} {} is above the {above} of an alert: fewer events failed than `min_errors`",
            burn.window
        ));
    }
    all
}

/// What is missing, in exact words.
fn missing(row: &Row, at: i64) -> Option<String> {
    // A rate outlives its last sample by minutes, and is read in steps of minutes.
    let about = |since: i64| {
        let seconds = (at - since).max(0) as f64 / 1_000.0;
        format!("until about {} ago, {}", left(seconds), utc(since))
    };
    let service = &row.service;
    Some(match &row.data {
        Data::Recorded => return None,
        Data::Idle => format!("no event within {}", row.window),
        Data::Gone { since: Some(since) } => format!("the data are gone: recorded {}", about(*since)),
        Data::Gone { since: None } => "the data are gone".to_owned(),
        Data::Retired { since } => {
            let when = since.map_or_else(|| format!("until more than {} ago", row.window), about);
            format!("this group is gone and others are there: recorded {when}")
        }
        Data::Never => format!("no data came within {}: is the service scraped, and by this selector?", row.window),
        Data::Maintenance => "maintenance: nothing is measured".to_owned(),
        Data::NoSuchSlo => format!("no such SLO on the server: it runs rules of {service}, but none of this SLO"),
        Data::NotDeployed { until: Some(until) } => {
            format!("the rules of {service} do not run any more: they did {}", about(*until))
        }
        Data::NotDeployed { until: None } => {
            format!("the rules of {service} are not deployed: the server records nothing of it")
        }
        Data::EmptyServer => "this Prometheus is empty: it runs no rule of Kilter and has scraped nothing".to_owned(),
    })
}

/// `ErrorBudgetBurn (page) fires, SLODataMissing (ticket) is pending`.
fn alerts(all: &[super::Alert]) -> String {
    let one = |it: &super::Alert| {
        let severity = if it.severity.is_empty() { String::new() } else { format!(" ({})", it.severity) };
        format!("{}{severity} {}", it.name, if it.firing { "fires" } else { "is pending" })
    };
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `950`, `12.3k`, `4.5M`; whole failures, rounded down.
fn count(of: f64) -> String {
    let size = of.abs();
    let tenths = |unit: f64| (of / unit * 10.0).floor() / 10.0;
    match size {
        _ if size < 10_000.0 => format!("{}", of.floor() + 0.0),
        _ if size < 1e6 => format!("{:.1}k", tenths(1e3)),
        _ if size < 1e9 => format!("{:.1}M", tenths(1e6)),
        _ => format!("{:.1}G", tenths(1e9)),
    }
}

fn rate(of: f64) -> String {
    if of >= 100.0 { format!("{of:.0}x") } else { format!("{of:.1}x") }
}

/// A time as people read it: `2026-11-26 01:20 UTC`.
pub(crate) fn utc(millis: i64) -> String {
    // A moment that no calendar has is told as the number that it is.
    Timestamp::from_millisecond(millis)
        .map_or_else(|_| millis.to_string(), |it| it.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// Lines of at most [`WIDTH`] columns; those after the first begin with `indent`.
pub(super) fn wrapped(text: &str, indent: &str) -> String {
    let (mut out, mut line) = (String::new(), String::new());
    let lead: String = text.chars().take_while(|c| *c == ' ').collect();
    for word in text.split_whitespace() {
        let begins = line.trim().is_empty();
        if !begins && chars(&line) + 1 + chars(word) > WIDTH {
            out.push_str(&std::mem::take(&mut line));
            out.push('\n');
            line.push_str(indent);
        } else if begins && out.is_empty() {
            line.push_str(&lead);
        } else {
            line.push(' ');
        }
        line.push_str(word);
    }
    out + &line + "\n"
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

fn painted(state: State, text: &str, color: bool) -> String {
    let code = match state {
        _ if !color => return text.to_owned(),
        State::Page | State::Missing | State::Exhausted => 31,
        State::Ticket | State::Pending | State::Maintenance => 33,
        State::Fine => 32,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_times_are_short() {
        for (of, text) in [
            (0.9, "0"),
            (-0.5, "-1"),
            (9_999.9, "9999"),
            (12_399.0, "12.3k"),
            (-20_120.0, "-20.2k"),
            (4.5e6, "4.5M"),
            (2e10, "20.0G"),
        ] {
            assert_eq!(count(of), text);
        }
        for (of, text) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400_000, "2000-02-29 00:00 UTC"),
            (1_795_656_767_000, "2026-11-26 01:32 UTC"),
        ] {
            assert_eq!(utc(of), text);
        }
    }

    #[test]
    fn what_is_long_goes_on_in_the_next_line() {
        let text = wrapped(&format!("    {}", "word ".repeat(40)), "      ");
        assert!(text.lines().all(|it| chars(it) <= WIDTH) && text.lines().count() == 3, "{text}");
        assert!(text.lines().skip(1).all(|it| it.starts_with("      ")), "{text}");
    }
}
