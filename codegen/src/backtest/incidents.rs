//! The incidents that alerts are judged by: from YAML or CSV, with everything that is wrong told at its place.

use serde::{Deserialize, Serialize};

use super::moment::Offset;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::spec::check::{check, help, printable};
use crate::spec::{INCIDENT, INCIDENTS};
use crate::yaml::{self, Key, Node, Range, Value};

/// Something that users noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// What it is called.
    pub name: String,
    /// When it began.
    pub start: i64,
    /// When it was over.
    pub end: i64,
    /// The service that should have paged; any when `None`.
    pub service: Option<String>,
    /// The SLO that should have paged; any when `None`.
    pub slo: Option<String>,
}

impl Incident {
    /// Whether an alert of this service, and of this SLO when it is of one, is about it.
    pub fn concerns(&self, service: &str, slo: Option<&str>) -> bool {
        // An alert about the whole service is about each of its SLOs.
        self.service.as_deref().is_none_or(|it| it == service)
            && self.slo.as_deref().is_none_or(|own| slo.is_none_or(|it| it == own))
    }
}

/// Reads the file with this index; its name tells CSV from YAML. In order of time.
pub fn read(
    file: usize,
    sources: &Sources,
    estate: &Estate,
    offset: Offset,
    found: &mut Vec<Diagnostic>,
) -> Vec<Incident> {
    let mut findings = Findings::new(file, sources, found);
    let text = sources.text(file);
    let mut all = Vec::new();
    if sources.files.get(file).is_some_and(|it| it.path.to_ascii_lowercase().ends_with(".csv")) {
        for row in rows(text, &mut findings) {
            check(&row, &INCIDENT, &mut findings);
            all.extend(incident(&row, estate, offset, &mut findings));
        }
    } else {
        let document = match yaml::parse(text) {
            Ok(it) => it,
            Err(error) => {
                findings.error(Code::Yaml, error.range, error.message, "mend the YAML here: docs/backtest.md");
                return all;
            }
        };
        document.duplicates.iter().for_each(|it| findings.error(Code::Yaml, it.range, it.message.clone(), it.help));
        check(&document.root, &INCIDENTS, &mut findings);
        if let Some(Value::List(nodes)) = document.root.get("incidents").map(|it| &it.value) {
            all.extend(nodes.iter().filter_map(|it| incident(it, estate, offset, &mut findings)));
        }
    }
    all.sort_by_key(|it| (it.start, it.end));
    all
}

fn incident(node: &Node, estate: &Estate, offset: Offset, findings: &mut Findings<'_>) -> Option<Incident> {
    let text = |key: &str| match node.get(key).map(|it| (&it.value, it.range)) {
        Some((Value::Scalar { text, .. }, range)) => Some((text.as_str(), range)),
        _ => None,
    };
    let mut moment = |key: &str| {
        let (text, range) = text(key)?;
        let at = offset.read(text);
        if at.is_none() {
            let message = format!("`{}` is no moment", printable(text));
            findings.error(Code::BadIncident, range, message, format!("for example: {key}: 2026-11-03T09:12:00Z"));
        }
        at
    };
    let (start, end) = (moment("start"), moment("end"));
    if let (Some(start), Some(end), Some((_, range))) = (start, end, text("end"))
        && end <= start
    {
        let message = "this incident ends before it begins".to_owned();
        findings.error(Code::BadIncident, range, message, "exchange `start` and `end`, or mend one of them");
        return None;
    }
    let (service, slo) = (text("service"), text("slo"));
    let mut known = true;
    if let Some((name, range)) = service {
        let all: Vec<&str> = estate.services.iter().map(|it| it.name.as_str()).collect();
        if !all.contains(&name) {
            let message = format!("this estate has no service `{}`", printable(name));
            findings.error(Code::IncidentOfNobody, range, message, help(name, &all));
            known = false;
        }
    }
    if let Some((name, range)) = slo.filter(|_| known) {
        let of = |it: &&crate::model::Service| service.is_none_or(|(service, _)| it.name.as_str() == service);
        let all: Vec<&str> =
            estate.services.iter().filter(of).flat_map(|it| &it.slos).map(|it| it.name.as_str()).collect();
        if !all.contains(&name) {
            let whose = service.map_or("this estate".to_owned(), |(it, _)| format!("the service `{}`", printable(it)));
            let message = format!("{whose} has no SLO `{}`", printable(name));
            findings.error(Code::IncidentOfNobody, range, message, help(name, &all));
        }
    }
    let owned = |it: Option<(&str, Range)>| it.map(|(text, _)| text.to_owned());
    let name = text("name")?.0.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(Incident { name, start: start?, end: end?, service: owned(service), slo: owned(slo) })
}

/// The rows of a CSV file (RFC 4180) as mappings by the names of its first row; an empty field is a key that is not there.
fn rows(text: &str, findings: &mut Findings<'_>) -> Vec<Node> {
    let mut records = records(text).into_iter();
    let Some(head) = records.next() else { return Vec::new() };
    let names: Vec<String> = head.iter().map(|(it, _)| it.trim().to_ascii_lowercase()).collect();
    let known: Vec<&str> = INCIDENT.keys.iter().map(|it| it.name).collect();
    for (name, (_, range)) in names.iter().zip(&head) {
        if !known.contains(&name.as_str()) {
            let message = format!("an incident has no column `{}`", printable(name));
            findings.error(Code::UnknownKey, *range, message, help(name, &known));
        }
    }
    let row = |fields: Vec<(String, Range)>| {
        let start = fields.first().map_or(0, |(_, it)| it.start);
        let end = fields.last().map_or(start, |(_, it)| it.end);
        let entries: Vec<(Key, Node)> = (names.iter().zip(fields))
            .filter(|(name, (text, _))| known.contains(&name.as_str()) && !text.trim().is_empty())
            .map(|(name, (text, range))| {
                let value = Value::Scalar { text: text.trim().to_owned(), string: true };
                (Key { text: name.clone(), range }, Node { value, range })
            })
            .collect();
        Node { value: Value::Map(entries), range: Range { start, end } }
    };
    records.map(row).collect()
}

/// Fields with their places; lines without any are left out.
fn records(text: &str) -> Vec<Vec<(String, Range)>> {
    let mut all: Vec<Vec<(String, Range)>> = Vec::new();
    let mut record = Vec::new();
    let (mut field, mut start, mut quoted) = (String::new(), 0, false);
    let mut chars = text.char_indices().peekable();
    let mut end = |record: &mut Vec<(String, Range)>| {
        let whole = std::mem::take(record);
        if whole.iter().any(|(it, _)| !it.trim().is_empty()) {
            all.push(whole);
        }
    };
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if quoted && chars.peek().is_some_and(|(_, next)| *next == '"') => {
                field.push('"');
                chars.next();
            }
            '"' if quoted || field.trim().is_empty() => quoted = !quoted,
            ',' | '\n' if !quoted => {
                record.push((std::mem::take(&mut field), Range { start, end: at }));
                start = at + 1;
                if c == '\n' {
                    end(&mut record);
                }
            }
            '\r' if !quoted => {}
            _ => field.push(c),
        }
    }
    record.push((field, Range { start, end: text.len() }));
    end(&mut record);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_read_with_its_quotes_and_places() {
        let text = "name,start\r\n\"a, \"\"b\"\"\",2026\n\n,\nx,y";
        let fields: Vec<Vec<(String, &str)>> = records(text)
            .into_iter()
            .map(|it| it.into_iter().map(|(field, at)| (field, text[at.start..at.end].trim_end())).collect())
            .collect();
        let owned =
            |all: &[(&'static str, &'static str)]| all.iter().map(|(a, b)| ((*a).to_owned(), *b)).collect::<Vec<_>>();
        assert_eq!(
            fields,
            [
                owned(&[("name", "name"), ("start", "start")]),
                owned(&[("a, \"b\"", "\"a, \"\"b\"\"\""), ("2026", "2026")]),
                owned(&[("x", "x"), ("y", "y")])
            ]
        );
    }
}
