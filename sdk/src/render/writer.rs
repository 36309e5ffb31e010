//! Lines of the page. The two formats differ in names of counters and infos, units, and the end.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use kilter_contract::{Buckets, Instrument, Signal, Unit};

use super::Format;
use crate::signal::birth::Hold;
use crate::signal::clock;
use crate::signal::histogram::{Exemplar, Reading};
use crate::signal::shard::Counter;

/// Label keys and values, in the order of the contract; absent ones are left out.
pub(crate) type Labels<'a> = [(&'static str, Option<&'a str>)];

/// Writes families one after the other.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) out: String,
    format: Format,
    hold: Hold,
    /// Whether the page tells when its series were made: OpenMetrics only, on request.
    created: bool,
    /// The start of a histogram's lines, until their bound: written once per series.
    start: String,
    /// The rest of these lines until their value, by the list of bounds and whether they are whole numbers: families share few.
    ends: Vec<(&'static [u64], bool, Vec<String>)>,
}

impl Writer {
    /// A writer with room for a page as long as the last one.
    pub(crate) fn new(format: Format, hold: Hold, created: bool, last: usize) -> Self {
        let created = created && format == Format::OpenMetrics;
        let out = String::with_capacity(last + last / 16 + (16 << 10));
        Self { out, format, hold, created, start: String::new(), ends: Vec::new() }
    }

    /// HELP and TYPE.
    pub(crate) fn family(&mut self, signal: &Signal) {
        let (name, kind) = match (self.format, signal.instrument) {
            (Format::OpenMetrics, Instrument::Counter) => (signal.name.trim_end_matches("_total"), "counter"),
            (Format::OpenMetrics, Instrument::Info) => (signal.name.trim_end_matches("_info"), "info"),
            _ => (signal.name, signal.prometheus_type()),
        };
        let _ = writeln!(self.out, "# HELP {name} {}", signal.help);
        let _ = writeln!(self.out, "# TYPE {name} {kind}");
        if self.format == Format::OpenMetrics && signal.unit != Unit::Count {
            let _ = writeln!(self.out, "# UNIT {name} {}", signal.unit.suffix());
        }
    }

    /// One sample.
    pub(crate) fn sample(&mut self, name: &str, labels: &Labels<'_>, value: impl std::fmt::Display) {
        self.line(name, labels);
        let _ = writeln!(self.out, " {value}");
    }

    /// A counter: the truth, or zero while its series is held.
    pub(crate) fn counter(&mut self, name: &str, labels: &Labels<'_>, counter: &Counter) {
        self.sample(name, labels, counter.shown(self.hold));
        self.created(name.trim_end_matches("_total"), labels, counter.made());
    }

    /// When a series was made, where the page tells.
    pub(crate) fn created(&mut self, family: &str, labels: &Labels<'_>, made: u64) {
        if self.created {
            self.sample(&format!("{family}_created"), labels, seconds(clock::wall(made)));
        }
    }

    /// A histogram's buckets, sum and count.
    pub(crate) fn histogram(&mut self, signal: &Signal, labels: &Labels<'_>, reading: &Reading) {
        let Instrument::Histogram(buckets) = signal.instrument else { return };
        let ends = self.ends(reading.bounds, buckets);
        let openmetrics = self.format == Format::OpenMetrics;
        let Self { out, start, ends: all, .. } = self;
        start.clear();
        start.push_str(signal.name);
        start.push_str("_bucket{");
        let prefix = start.len();
        pairs(start, labels);
        let bare = start.len();
        if bare > prefix {
            start.push(',');
        }
        let mut number = itoa::Buffer::new();
        for (slot, (end, count)) in all[ends].2.iter().zip(&reading.cumulative).enumerate() {
            out.push_str(start);
            out.push_str(end);
            out.push_str(number.format(*count));
            if let Some(Some(exemplar)) = reading.exemplars.get(slot).filter(|_| openmetrics) {
                write_exemplar(out, exemplar);
            }
            out.push('\n');
        }
        let sum = reading.sum_micros;
        let whole = buckets.is_whole();
        for (suffix, value) in [("_sum", if whole { sum } else { sum / 1_000_000 }), ("_count", reading.count())] {
            out.push_str(signal.name);
            out.push_str(suffix);
            if bare > prefix {
                out.push('{');
                out.push_str(&start[prefix..bare]);
                out.push('}');
            }
            out.push(' ');
            out.push_str(number.format(value));
            if suffix == "_sum" && !whole {
                // Six digits behind the point: the first of seven is the carry.
                out.push('.');
                out.push_str(&number.format(1_000_000 + sum % 1_000_000)[1..]);
            }
            out.push('\n');
        }
        self.created(signal.name, labels, reading.made);
    }

    /// Where the ends of lines with these bounds are.
    fn ends(&mut self, bounds: &'static [u64], buckets: Buckets) -> usize {
        let known =
            self.ends.iter().position(|(it, whole, _)| std::ptr::eq(*it, bounds) && *whole == buckets.is_whole());
        known.unwrap_or_else(|| {
            let texts = bounds.iter().map(|it| buckets.le_of(*it)).chain(std::iter::once("+Inf".to_owned()));
            let texts = texts.map(|it| format!("le=\"{it}\"}} ")).collect();
            self.ends.push((bounds, buckets.is_whole(), texts));
            self.ends.len() - 1
        })
    }

    /// Ends the page.
    pub(crate) fn end(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }

    /// A line until its value.
    fn line(&mut self, name: &str, labels: &Labels<'_>) {
        self.out.push_str(name);
        self.out.push('{');
        let before = self.out.len();
        pairs(&mut self.out, labels);
        if self.out.len() > before {
            self.out.push('}');
        } else {
            self.out.pop();
        }
    }
}

/// Labels that are there, separated by commas.
fn pairs(out: &mut String, labels: &Labels<'_>) {
    let mut first = true;
    for (key, value) in labels.iter().filter_map(|(key, value)| Some((key, (*value)?))) {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        out.push_str(key);
        out.push_str("=\"");
        if value.bytes().any(|it| matches!(it, b'\\' | b'"' | b'\n')) {
            escaped(out, value);
        } else {
            out.push_str(value);
        }
        out.push('"');
    }
}

#[cold]
fn escaped(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

/// Seconds since 1970, with milliseconds.
fn seconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:03}", since.as_secs(), since.subsec_millis())
}

/// The trace of one of a bucket's observations. Its labels have 64 characters; OpenMetrics allows 128.
fn write_exemplar(out: &mut String, it: &Exemplar) {
    let (trace, span) = (it.context.trace_id(), it.context.span_id);
    let _ = write!(
        out,
        " # {{trace_id=\"{trace:032x}\",span_id=\"{span:016x}\"}} {}.{:09} {}",
        it.nanos / 1_000_000_000,
        it.nanos % 1_000_000_000,
        seconds(clock::wall(it.at))
    );
}
