//! The SDK's own health: telemetry that is lost or refused is counted, never silent.

use crate::{Buckets, Label, Values, signals};

/// Bounds of scrape durations, 1 ms to 10 s.
pub const SCRAPE_BUCKETS: Buckets =
    Buckets::from_nanos(&[1_000_000, 5_000_000, 25_000_000, 100_000_000, 500_000_000, 1_000_000_000, 10_000_000_000]);

/// Why a span was dropped.
pub const DROP_REASON: Label = Label::new(
    "reason",
    "kilter.drop.reason",
    Values::Closed(&["queue_full", "export_failed", "shutdown"]),
    false,
    "Why the span was lost.",
);
/// Which family overflowed.
pub const OVERFLOWED: Label = Label::new(
    "signal",
    "kilter.signal",
    Values::Configured,
    false,
    "The signal whose series budget was used up, or ad_hoc.",
);
/// Which rule was broken.
pub const VIOLATION: Label = Label::new(
    "kind",
    "kilter.violation.kind",
    Values::Closed(&[
        "contract_name",
        "illegal_name",
        "duplicate_label",
        "reserved_label",
        "series_budget",
        "non_finite",
        "type_conflict",
        "untranslatable",
        "second_layer",
        "collector",
        "undeclared_signal",
        "undeclared_error_type",
    ]),
    false,
    "The rule that an ad-hoc metric, a layer, a collector, a signal or a handler broke.",
);
/// Why a caller's trace was not continued.
pub const IGNORED_REASON: Label = Label::new(
    "reason",
    "kilter.traceparent.ignored.reason",
    Values::Closed(&["malformed", "untrusted"]),
    false,
    "Why the header was ignored.",
);
/// Format of the page.
pub const FORMAT: Label = Label::new(
    "format",
    "kilter.scrape.format",
    Values::Closed(&["text", "openmetrics"]),
    false,
    "Format of the page.",
);

signals! {
    family "telemetry";
    /// Spans that never reached the collector.
    SPANS_DROPPED = counter "telemetry_spans_dropped_total", otel "telemetry.spans.dropped", unit Count,
        help "Spans that were lost before they reached the collector.", labels [DROP_REASON];
    /// Failed exports.
    EXPORT_FAILURES = counter "telemetry_export_failures_total", otel "telemetry.export.failures", unit Count,
        help "Exports to the collector that failed.", labels [];
    /// Values folded into `_OTHER` or left out.
    SERIES_OVERFLOW = counter "telemetry_series_overflow_total", otel "telemetry.series.overflow", unit Count,
        help "Observations whose label values were folded, or ad-hoc series that were refused, because a budget was used up.", labels [OVERFLOWED];
    /// What the checking recorder refused.
    VIOLATIONS = counter "telemetry_violations_total", otel "telemetry.violations", unit Count,
        help "Ad-hoc metrics, layers and error types that broke a rule of the contract.", labels [VIOLATION];
    /// Time to render the page.
    SCRAPE_DURATION = histogram(SCRAPE_BUCKETS) "telemetry_scrape_duration_seconds", otel "telemetry.scrape.duration",
        unit Seconds, help "Time to render the metrics page.", labels [FORMAT];
    /// `traceparent` headers that count for nothing. Anybody can send one, so no alert looks at it.
    TRACEPARENTS_IGNORED = counter "telemetry_traceparents_ignored_total", otel "telemetry.traceparents.ignored", unit Count,
        help "Incoming traceparent headers that were malformed, or from callers that are not trusted.", labels [IGNORED_REASON];
}
