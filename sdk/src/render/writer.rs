//! Lines of the page. The two formats differ in names of counters and infos, units, and the end.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use kilter_contract::{Instrument, Signal, Unit};

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
}

impl Writer {
    pub(crate) fn new(format: Format, hold: Hold, created: bool) -> Self {
        let created = created && format == Format::OpenMetrics;
        Self { out: String::with_capacity(16 << 10), format, hold, created }
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
        self.out.push_str(name);
        self.labels(labels, None);
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
        let bounds = reading.bounds.iter().map(|it| buckets.le_of(*it)).chain(std::iter::once("+Inf".to_owned()));
        for (slot, (bound, count)) in bounds.zip(&reading.cumulative).enumerate() {
            let _ = write!(self.out, "{}_bucket", signal.name);
            self.labels(labels, Some(&bound));
            let _ = write!(self.out, " {count}");
            if let Some(Some(exemplar)) = reading.exemplars.get(slot).filter(|_| self.format == Format::OpenMetrics) {
                self.exemplar(exemplar);
            }
            self.out.push('\n');
        }
        let (name, sum) = (format!("{}_sum", signal.name), reading.sum_micros);
        if buckets.is_whole() {
            self.sample(&name, labels, sum);
        } else {
            self.sample(&name, labels, format_args!("{}.{:06}", sum / 1_000_000, sum % 1_000_000));
        }
        self.sample(&format!("{}_count", signal.name), labels, reading.count());
        self.created(signal.name, labels, reading.made);
    }

    /// The trace of one of a bucket's observations. Its labels have 64 characters; OpenMetrics allows 128.
    fn exemplar(&mut self, it: &Exemplar) {
        let (trace, span) = (it.context.trace_id(), it.context.span_id);
        let _ = write!(
            self.out,
            " # {{trace_id=\"{trace:032x}\",span_id=\"{span:016x}\"}} {}.{:09} {}",
            it.nanos / 1_000_000_000,
            it.nanos % 1_000_000_000,
            seconds(clock::wall(it.at))
        );
    }

    /// Ends the page.
    pub(crate) fn end(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }

    fn labels(&mut self, labels: &Labels<'_>, le: Option<&str>) {
        let present = labels.iter().filter_map(|(key, value)| Some((*key, (*value)?))).chain(le.map(|le| ("le", le)));
        let mut separator = '{';
        for (key, value) in present {
            self.out.push(separator);
            separator = ',';
            let _ = write!(self.out, "{key}=\"");
            for c in value.chars() {
                match c {
                    '\\' => self.out.push_str("\\\\"),
                    '"' => self.out.push_str("\\\""),
                    '\n' => self.out.push_str("\\n"),
                    c => self.out.push(c),
                }
            }
            self.out.push('"');
        }
        if separator == ',' {
            self.out.push('}');
        }
    }
}

/// Seconds since 1970, with milliseconds.
fn seconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:03}", since.as_secs(), since.subsec_millis())
}
