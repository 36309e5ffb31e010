//! One line: an event with its time, where it comes from, the request that it belongs to, and its fields.

use std::fmt::{self, Write as _};

use serde_json::Value;
use tracing::Event;
use tracing::field::{Field, Visit};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};

use super::redact::redacted;
use crate::trace::RequestContext;

/// Keys of ours. A field of the service with such a name never replaces them: it is `field.<name>`.
const OWN: &[&str] = &["timestamp", "level", "target", "service", "trace_id", "span_id"];

/// As a JSON object.
pub(super) fn json(line: &mut String, event: &Event<'_>, service: &str) {
    let metadata = event.metadata();
    line.push_str("{\"timestamp\":\"");
    let _ = SystemTime.format_time(&mut Writer::new(line));
    line.push('"');
    for (key, value) in [("level", metadata.level().as_str()), ("target", metadata.target()), ("service", service)] {
        entry(line, key, value);
    }
    let request = RequestContext::current();
    if request.is_some() {
        let _ = write!(line, ",\"trace_id\":\"{:032x}\",\"span_id\":\"{:016x}\"", request.trace_id(), request.span_id);
    }
    event.record(&mut Json(line));
    line.push_str("}\n");
}

/// For people.
pub(super) fn pretty(line: &mut String, event: &Event<'_>) {
    let metadata = event.metadata();
    let _ = SystemTime.format_time(&mut Writer::new(line));
    let _ = write!(line, " {:>5} {}", metadata.level(), metadata.target());
    // The message first, wherever it stands among the fields.
    event.record(&mut Pretty { line, message: true });
    event.record(&mut Pretty { line, message: false });
    let request = RequestContext::current();
    if request.is_some() {
        let _ = write!(line, " trace_id={:032x} span_id={:016x}", request.trace_id(), request.span_id);
    }
    line.push('\n');
}

fn entry(line: &mut String, key: &str, value: impl Into<Value>) {
    line.push(',');
    literal(line, key);
    line.push(':');
    literal(line, value);
}

/// A value as JSON; a number that is none is `null`.
fn literal(line: &mut String, value: impl Into<Value>) {
    let _ = write!(line, "{}", value.into());
}

fn shown(value: &dyn fmt::Debug) -> String {
    let mut text = String::new();
    // A `Debug` that fails leaves what it wrote.
    let _ = write!(text, "{value:?}");
    text
}

/// Fields as entries of the object.
struct Json<'a>(&'a mut String);

impl Json<'_> {
    fn field(&mut self, field: &Field, value: impl Into<Value>) {
        let name = plain(field);
        if OWN.contains(&name) {
            entry(self.0, &format!("field.{name}"), value);
        } else {
            entry(self.0, name, value);
        }
    }
}

/// The name as the code means it: `r#type` is `type`.
fn plain(field: &Field) -> &'static str {
    let name = field.name();
    name.strip_prefix("r#").unwrap_or(name)
}

impl Visit for Json<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &shown(value));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, redacted(plain(field), value));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, value);
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, value);
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.record_str(field, &value.to_string());
    }
}

/// The message, or every other field.
struct Pretty<'a> {
    line: &'a mut String,
    message: bool,
}

impl Visit for Pretty<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if (field.name() == "message") == self.message {
            self.record_str(field, &shown(value));
        }
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        let name = plain(field);
        match (name == "message", self.message) {
            (true, true) => {
                let _ = write!(self.line, ": {}", redacted(name, value));
            }
            (false, false) => {
                let _ = write!(self.line, " {name}={:?}", redacted(name, value));
            }
            _ => {}
        }
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, value);
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, value);
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.record_str(field, &value.to_string());
    }
}

impl Pretty<'_> {
    fn number(&mut self, field: &Field, value: impl fmt::Display) {
        if !self.message {
            let _ = write!(self.line, " {}={value}", plain(field));
        }
    }
}
