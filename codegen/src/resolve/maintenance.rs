//! Maintenance: when nothing is measured. It must be told by something that is there: data that are missing are never
//! maintenance, or an outage would excuse itself.

use super::{Code, Findings, events, items, printable, scalar, text};
use crate::model::{Maintenance, Weekly};
use crate::plan::maintenance::{AFTER, WEEK, week};
use crate::promql::lexer::{Kind, lex};
use crate::promql::{self, PromqlError, is_instant_vector, place_in_source, selectors};
use crate::yaml::Node;

const DAY: u16 = 1_440;
/// What the longest of the generated tests needs, in minutes.
const PROVEN: u16 = 360;

/// Reads the key; `None` when nothing of it is right.
pub(super) fn read(node: &Node, findings: &mut Findings<'_>) -> Option<Maintenance> {
    if node.get("while").is_none() && node.get("schedule").is_none() && node.kind() == "a mapping" {
        let help = "add `schedule: [{days: [sunday], from: \"02:00\", to: \"04:00\"}]`";
        findings.error(Code::MissingKey, node.range, "maintenance needs `while` or `schedule`", help);
    }
    let promql = text(node, "while").and_then(|(text, place)| condition(text, place, findings));
    let schedule: Vec<Weekly> = items(node.get("schedule")).iter().filter_map(|it| weekly(it, findings)).collect();
    if let Some(place) = node.get("schedule") {
        let minutes: u16 = week(&schedule, 0).iter().map(|(from, to)| to - from).sum();
        let share = u32::from(minutes) * 100 / u32::from(WEEK);
        if minutes >= WEEK {
            let message = "this maintenance never ends: nothing would ever be measured";
            findings.error(Code::BadMaintenance, place.range, message, "leave out the SLO, or shorten the schedule");
        } else if longest_break(&schedule) < PROVEN {
            let message = "no six hours of the week in a row are free of maintenance, so no alert could be proven";
            findings.error(Code::BadMaintenance, place.range, message, "join the times, or leave some of them out");
        } else if share >= 25 {
            let message = format!("{share}% of the week are maintenance: what users see then is not promised");
            let help = "shorten the schedule, or say so where the objective is published";
            findings.warning(Code::LongMaintenance, place.range, message, help);
        }
    }
    let it = Maintenance { promql, schedule };
    (it != Maintenance::default()).then_some(it)
}

fn condition(text: &str, place: &Node, findings: &mut Findings<'_>) -> Option<String> {
    let parsed = promql::parse(text).and_then(|expr| Ok((expr, lex(text)?)));
    let (expr, tokens) = match parsed {
        Ok(it) => it,
        Err(PromqlError { message, help, start, end }) => {
            let range = place_in_source(findings.source(), place.range, text, start, end);
            findings.error(Code::PromQl, range, message, help);
            return None;
        }
    };
    let mut tell = |message: String, help: &str, at: Option<(usize, usize)>| {
        let (start, end) = at.unwrap_or((0, text.trim_end().len()));
        let range = place_in_source(findings.source(), place.range, text, start, end);
        findings.error(Code::BadMaintenance, range, message, help);
    };
    let absent = tokens.iter().find(|it| it.kind == Kind::Name && it.text(text).starts_with("absent"));
    if let Some(token) = absent {
        let message = "data that are missing are no maintenance: an outage would excuse itself".to_owned();
        tell(message, "name a series that says that maintenance is on", Some((token.start, token.end)));
    } else if let Some(token) = tokens.iter().find(|it| it.kind == Kind::Window) {
        let message = "`$window` has no meaning here".to_owned();
        tell(message, "write the range, such as [5m]", Some((token.start, token.end)));
    } else if !is_instant_vector(&expr) || selectors(&expr).is_empty() {
        let message = "maintenance is while a series has a value, but this reads none".to_owned();
        tell(
            message,
            "for example: while: 'maintenance_mode{service=\"shop\"} == 1'; for times of the week: schedule",
            None,
        );
    } else if events::possible(text, place, findings) {
        return Some(promql::with_window(text, "5m"));
    }
    None
}

/// The longest time of the week without maintenance, in minutes.
fn longest_break(schedule: &[Weekly]) -> u16 {
    let busy = week(schedule, AFTER);
    let (Some(first), Some(last)) = (busy.first(), busy.last()) else { return WEEK };
    let over_the_end = WEEK - last.1 + first.0;
    busy.windows(2).map(|pair| pair[1].0 - pair[0].1).chain([over_the_end]).max().unwrap_or(WEEK)
}

fn weekly(node: &Node, findings: &mut Findings<'_>) -> Option<Weekly> {
    let named = |item: &Node| scalar(item).and_then(|(day, _)| Weekly::DAYS.iter().position(|it| *it == day));
    let mut days: Vec<u16> =
        items(node.get("days")).iter().filter_map(named).filter_map(|it| u16::try_from(it).ok()).collect();
    if node.get("days").is_none() {
        days = (0..7).collect();
    } else if let Some(list) = node.get("days").filter(|it| items(Some(it)).is_empty() && it.kind() == "a list") {
        findings.error(
            Code::BadMaintenance,
            list.range,
            "`days` is empty: it never begins",
            "name days, or leave the key out for every day",
        );
    }
    days.sort_unstable();
    days.dedup();
    let (from, to) = (minute(node, "from", findings), minute(node, "to", findings));
    let (from, to) = (from?, to?);
    if from == to {
        let place = node.get("to").unwrap_or(node).range;
        let help = "for a whole day write from: \"00:00\" and to: \"24:00\"";
        findings.error(Code::BadMaintenance, place, "it begins and ends at the same time", help);
        return None;
    }
    (!days.is_empty()).then_some(Weekly { days, from, to: if to < from { to + DAY } else { to } })
}

/// `02:30` as minutes from midnight; `24:00` ends a day.
fn minute(node: &Node, key: &str, findings: &mut Findings<'_>) -> Option<u16> {
    let (text, place) = text(node, key)?;
    let plain = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let digits = |part: &str| part.parse::<u16>().ok().filter(|_| plain(part));
    let read = text.split_once(':').and_then(|(hours, minutes)| {
        let (hours, minutes) = (digits(hours)?, digits(minutes)?);
        let all = hours * 60 + minutes;
        (minutes < 60 && (all < DAY || (key == "to" && all == DAY))).then_some(all)
    });
    if read.is_none() {
        let message = format!("`{}` is no time of the day", printable(text));
        findings.error(
            Code::BadMaintenance,
            place.range,
            message,
            format!("hours and minutes in UTC: {key}: \"02:00\""),
        );
    }
    read
}
