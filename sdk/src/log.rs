//! Log lines with the ids of their request, as JSON or for people.
//!
//! Query strings and credentials are cut out of every field: a URL in an error message is the usual way for a token to
//! reach a log.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::core::Core;
use crate::trace::RequestContext;

/// The layer that prints; one line per event, to stdout.
pub(crate) fn layer<S>(json: bool, core: &'static Core) -> impl tracing_subscriber::Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_subscriber::fmt::layer().event_format(Line { json, core })
}

struct Line {
    json: bool,
    core: &'static Core,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if self.json { self.json(writer, event, fields) } else { pretty(writer, event, &fields) }
    }
}

impl Line {
    fn json(&self, mut writer: Writer<'_>, event: &Event<'_>, fields: Fields) -> fmt::Result {
        let mut line = Map::new();
        let mut time = String::new();
        let _ = SystemTime.format_time(&mut Writer::new(&mut time));
        line.insert("timestamp".to_owned(), time.into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        line.insert("service".to_owned(), self.core.config.identity.service.clone().into());
        let request = RequestContext::current();
        if request.is_some() {
            line.insert("trace_id".to_owned(), request.trace_id_hex().into());
            line.insert("span_id".to_owned(), request.span_id_hex().into());
        }
        // Fields of the service never replace ours.
        for (key, value) in fields.0 {
            let key = if line.contains_key(&key) { format!("field.{key}") } else { key };
            line.insert(key, value);
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

fn pretty(mut writer: Writer<'_>, event: &Event<'_>, fields: &Fields) -> fmt::Result {
    SystemTime.format_time(&mut writer)?;
    write!(writer, " {:>5} {}", event.metadata().level(), event.metadata().target())?;
    if let Some((_, message)) = fields.0.iter().find(|(key, _)| key == "message") {
        write!(writer, ": {}", message.as_str().unwrap_or_default())?;
    }
    for (key, value) in fields.0.iter().filter(|(key, _)| key != "message") {
        write!(writer, " {key}={value}")?;
    }
    let request = RequestContext::current();
    if request.is_some() {
        write!(writer, " trace_id={} span_id={}", request.trace_id_hex(), request.span_id_hex())?;
    }
    writeln!(writer)
}

#[derive(Default)]
struct Fields(Vec<(String, Value)>);

impl Fields {
    fn text(&mut self, field: &Field, text: &str) {
        self.0.push((field.name().to_owned(), redacted(field.name(), text).into()));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        self.text(field, &text);
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name().to_owned(), value.into()));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name().to_owned(), value.into()));
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.push((field.name().to_owned(), value.into()));
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name().to_owned(), value.into()));
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.text(field, &value.to_string());
    }
}

/// Names of fields whose value is never printed.
const SECRET: &[&str] =
    &["authorization", "cookie", "set-cookie", "password", "passwd", "secret", "token", "api_key", "apikey"];

/// The text without query strings and credentials.
fn redacted(name: &str, text: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if SECRET.iter().any(|it| lower == *it || lower.ends_with(&format!("_{it}")) || lower.ends_with(&format!(".{it}")))
    {
        return "[redacted]".to_owned();
    }
    let plain = !text.contains("://") && !text.contains('?');
    if plain {
        return text.to_owned();
    }
    text.split_inclusive(char::is_whitespace).map(url).collect()
}

/// One word: a URL loses its user and its query.
fn url(word: &str) -> String {
    let (word, query) = match word.find('?').filter(|at| word.contains("://") || word[..*at].contains('/')) {
        Some(at) => (&word[..at], if word.ends_with(char::is_whitespace) { "?[redacted] " } else { "?[redacted]" }),
        None => (word, ""),
    };
    let Some(start) = word.find("://").map(|it| it + 3) else { return format!("{word}{query}") };
    let authority_end = word[start..].find('/').map_or(word.len(), |it| start + it);
    match word[start..authority_end].rfind('@') {
        Some(at) => format!("{}[redacted]{}{query}", &word[..start], &word[start + at..]),
        None => format!("{word}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn secrets_never_reach_a_line() {
        for (name, text, shown) in [
            ("message", "get https://u:p@h/x?token=1 failed", "get https://[redacted]@h/x?[redacted] failed"),
            ("message", "path /a/b?key=1", "path /a/b?[redacted]"),
            ("message", "really? yes", "really? yes"),
            ("authorization", "Bearer x", "[redacted]"),
            ("db_password", "x", "[redacted]"),
            ("path", "/a/b", "/a/b"),
        ] {
            assert_eq!(redacted(name, text), shown);
        }
    }
}
