//! `alertmanager:` of `kilter.yaml`, office hours, and the base file with the receivers.

use super::{Code, Findings, items, printable, scalar, text};
use crate::diagnostic::Diagnostic;
use crate::load::Sources;
use crate::model::{Alertmanager, OfficeHours};
use crate::yaml::{Key, Node, Value};

/// Keys of Alertmanager whose value is a secret.
const SECRETS: &[&str] = &[
    "slack_api_url",
    "opsgenie_api_key",
    "victorops_api_key",
    "smtp_auth_password",
    "smtp_auth_secret",
    "auth_password",
    "auth_secret",
    "password",
    "credentials",
    "bearer_token",
    "client_secret",
    "secret_key",
    "routing_key",
    "service_key",
    "api_key",
    "api_secret",
    "user_key",
    "token",
    "bot_token",
    "webhook_url",
];

const DAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The settings; the hours are those of teams without hours of their own.
pub(super) fn read(tree: &Node, sources: &Sources, findings: &mut Findings<'_>) -> (Alertmanager, Option<OfficeHours>) {
    let base = sources.alertmanager_base.and_then(|index| sources.files.get(index)).map(|it| it.text.clone());
    let mut all = Alertmanager { base, ..Alertmanager::default() };
    let Some(node) = tree.get("alertmanager") else { return (all, None) };
    for (key, receiver) in [("default", &mut all.default), ("deadmans_switch", &mut all.deadmans_switch)] {
        if let Some((name, _)) = text(node, key).filter(|(it, _)| !it.is_empty()) {
            name.clone_into(receiver);
        }
    }
    (all, hours(node, findings))
}

/// `office_hours` of a mapping.
pub(super) fn hours(node: &Node, findings: &mut Findings<'_>) -> Option<OfficeHours> {
    let node = node.get("office_hours")?;
    let mut fine = true;
    let mut wrong = |place: &Node, message: String, help: &str| {
        findings.error(Code::BadHours, place.range, message, help);
        fine = false;
    };
    let mut chosen = Vec::new();
    for item in items(node.get("days")) {
        let Some((text, place)) = scalar(item) else { continue };
        if let Some(more) = days(text) {
            chosen.extend(more);
        } else {
            let message = format!("`{}` is neither a day nor a range of days", printable(text));
            wrong(place, message, "for example: days: [monday:friday], in lower case and in full");
        }
    }
    if chosen.is_empty() {
        chosen.extend(&DAYS[..5]);
    }
    let days = DAYS.iter().filter(|it| chosen.contains(it)).map(|it| (*it).to_owned()).collect();
    let mut time = |key: &str| {
        let (value, place) = text(node, key)?;
        let minutes = minutes(value);
        if minutes.is_none() {
            wrong(place, format!("`{}` is no time of day", printable(value)), "HH:MM, from 00:00 to 24:00");
        }
        minutes.map(|it| (it, value.to_owned(), place))
    };
    let (from, to) = (time("from"), time("to"));
    if let (Some((start, ..)), Some((end, shown, place))) = (&from, &to)
        && end <= start
    {
        let help = "hours that pass midnight are two: give each day an end of 24:00";
        wrong(place, format!("the day ends at {shown}, which is not after its start"), help);
    }
    let location = text(node, "location").map_or("UTC", |(it, _)| it);
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    if let Some((_, place)) = text(node, "location").filter(|(it, _)| it.is_empty() || !it.chars().all(legal)) {
        wrong(place, format!("`{}` is no time zone", printable(location)), "for example: location: Europe/Berlin");
    }
    fine.then_some(())?;
    Some(OfficeHours { days, from: from?.1, to: to?.1, location: location.to_owned() })
}

/// A day, or each day of a range, which may pass the end of the week. Alertmanager's own ranges may not, and its week
/// begins on Sunday: written out, nobody needs to know.
fn days(text: &str) -> Option<Vec<&'static str>> {
    let day = |name: &str| DAYS.iter().position(|it| *it == name);
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    let (first, last) = (day(first)?, day(last)?);
    let length = (last + DAYS.len() - first) % DAYS.len();
    Some((0..=length).map(|step| DAYS[(first + step) % DAYS.len()]).collect())
}

/// Minutes since midnight of `HH:MM`.
fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<u32>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 60 + minutes)
}

/// What must not be in the base file, or cannot be added to.
pub(super) fn check_base(sources: &Sources, all: &mut Vec<Diagnostic>) {
    let Some((index, tree)) = sources.alertmanager_base.and_then(|it| Some((it, sources.trees.get(it)?.as_ref()?)))
    else {
        return;
    };
    let mut findings = Findings::new(index, sources, all);
    let mut form = |node: &Node, what: &str, wanted: &str| {
        let message = format!("{what} of the Alertmanager base file is {}, not {wanted}", node.kind());
        findings.error(Code::BadBase, node.range, message, "see Alertmanager's documentation of its configuration");
    };
    let Value::Map(_) = &tree.value else { return form(tree, "the top", "a mapping") };
    for key in ["receivers", "inhibit_rules", "time_intervals"] {
        if let Some(node) = tree.get(key).filter(|it| !matches!(it.value, Value::List(_))) {
            form(node, &format!("`{key}`"), "a list");
        }
    }
    if let Some(route) = tree.get("route") {
        if !matches!(route.value, Value::Map(_)) {
            form(route, "`route`", "a mapping");
        } else if let Some(routes) = route.get("routes").filter(|it| !matches!(it.value, Value::List(_))) {
            form(routes, "`routes`", "a list");
        }
    }
    secrets(tree, &mut findings);
}

fn secrets(node: &Node, findings: &mut Findings<'_>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|it| secrets(it, findings)),
        Value::Map(entries) => entries.iter().for_each(|(key, value)| match &value.value {
            Value::Scalar { text, .. } if is_secret(key, text) => {
                let message =
                    format!("`{}` holds its secret as it is, and this file is committed", printable(&key.text));
                let help = format!(
                    "write `{}_file: /path/to/the/secret`, or `${{VARIABLE}}` that your deployment fills in",
                    printable(&key.text)
                );
                findings.error(Code::LiteralSecret, value.range, message, help);
            }
            _ => secrets(value, findings),
        }),
        _ => {}
    }
}

/// A literal secret: the value of a key that holds one, or a URL with credentials in it.
fn is_secret(key: &Key, text: &str) -> bool {
    let variable = (text.starts_with("${") && text.ends_with('}')) || text.starts_with("$(") || text.is_empty();
    if variable {
        return false;
    }
    let url = text.contains("://");
    let authority = text.split("://").nth(1).and_then(|it| it.split(['/', '?']).next()).unwrap_or_default();
    let in_query = text.split_once('?').is_some_and(|(_, query)| {
        query.split('&').any(|it| ["token=", "key=", "secret=", "password="].iter().any(|name| it.contains(name)))
    });
    let slack = key.text == "api_url" && text.contains("slack");
    SECRETS.contains(&key.text.as_str()) || slack || (url && (authority.contains('@') || in_query))
}
