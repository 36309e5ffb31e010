//! What the page holds, family by family in the order of the contract.

use std::sync::atomic::Ordering;

use kilter_contract::{Label, Values, error_type, http, identity, telemetry};

use super::Format;
use super::writer::Writer;
use crate::adhoc::translate;
use crate::core::Core;
use crate::signal::birth::Hold;
use crate::signal::family::Cell;
use crate::signal::http::{Outcome, RouteSeries, Timed};
use crate::signal::shard::Counter;

/// The whole page.
pub(crate) fn page(core: &Core, format: Format, hold: Hold) -> String {
    let (panicked, read) = core.collectors.run();
    for _ in 0..panicked {
        core.health.violation("collector");
    }
    let mut writer = Writer::new(format, hold, core.config.created, core.page_size.load(Ordering::Relaxed));
    http_server(core, &mut writer, hold);
    families(core, &mut writer, hold);
    drop(read);
    who(core, &mut writer);
    let adhoc = translate(&core.adhoc.text(), format == Format::OpenMetrics);
    for _ in 0..adhoc.refused {
        core.health.violation("untranslatable");
    }
    health(core, &mut writer, hold);
    writer.out.push_str(&adhoc.text);
    let page = writer.end();
    core.page_size.store(page.len(), Ordering::Relaxed);
    page
}

fn http_server(core: &Core, writer: &mut Writer, hold: Hold) {
    let routes = core.routes.all();
    writer.family(&http::SERVER_REQUEST_DURATION);
    each_outcome(core, &routes, |route, method, status, error, outcome| {
        let labels = [
            (http::METHOD.key, Some(method)),
            (http::ROUTE.key, route),
            (http::STATUS.key, status),
            (http::ERROR_TYPE.key, error),
        ];
        timed(writer, &http::SERVER_REQUEST_DURATION, &labels, &outcome.duration, hold);
    });
    writer.family(&http::SERVER_ACTIVE_REQUESTS);
    each_method(&routes, |route, name, method| {
        // `ended` first: a request that ends in between makes the difference larger, never negative.
        let ended = method.ended.get();
        let active = method.started.get().saturating_sub(ended);
        writer.sample(
            http::SERVER_ACTIVE_REQUESTS.name,
            &[(http::METHOD.key, Some(name)), (http::ROUTE.key, route)],
            active,
        );
    });
    writer.family(&http::SERVER_TIME_TO_FIRST_BYTE);
    each_method(&routes, |route, name, method| {
        let labels = [(http::METHOD.key, Some(name)), (http::ROUTE.key, route)];
        timed(writer, &http::SERVER_TIME_TO_FIRST_BYTE, &labels, &method.first_byte, hold);
    });
    writer.family(&http::SERVER_STREAM_DURATION);
    streams(core, &routes, writer, hold);
    writer.family(&http::SERVER_CONNECTION_ERRORS);
    closed(writer, http::SERVER_CONNECTION_ERRORS.name, http::CONNECTION_ERROR_TYPE, &core.health.connection_errors);
}

/// Streams have no status label: outcomes that differ in it only are one series.
fn streams(core: &Core, routes: &[&'static RouteSeries], writer: &mut Writer, hold: Hold) {
    for route in routes {
        for (name, method) in route.methods() {
            let mut series: Vec<(Option<String>, crate::signal::histogram::Reading)> = Vec::new();
            for (key, bad, outcome) in method.outcomes() {
                let Some(stream) = outcome.stream.get() else { continue };
                let error = error_of(core, key, bad);
                let reading = shown(stream, hold);
                match series.iter_mut().find(|(it, _)| *it == error) {
                    Some((_, sum)) => sum.add(&reading),
                    None => series.push((error, reading)),
                }
            }
            for (error, reading) in series {
                let labels = [
                    (http::METHOD.key, Some(name)),
                    (http::ROUTE.key, route.template.as_deref()),
                    (http::ERROR_TYPE.key, error.as_deref()),
                ];
                writer.histogram(&http::SERVER_STREAM_DURATION, &labels, &reading);
            }
        }
    }
}

fn error_of(core: &Core, key: Option<(u16, u8)>, bad: bool) -> Option<String> {
    match key {
        Some((status, error)) => core.error_text(status, error),
        None => bad.then(|| error_type::OTHER.to_owned()),
    }
}

fn each_outcome(
    core: &Core,
    routes: &[&'static RouteSeries],
    mut then: impl FnMut(Option<&str>, &str, Option<&str>, Option<&str>, &Outcome),
) {
    for route in routes {
        for (name, method) in route.methods() {
            for (key, bad, outcome) in method.outcomes() {
                let status = match key {
                    Some((0, _)) => None,
                    Some((status, _)) => Some(status.to_string()),
                    None => Some(error_type::OTHER.to_owned()),
                };
                let error = error_of(core, key, bad);
                then(route.template.as_deref(), name, status.as_deref(), error.as_deref(), outcome);
            }
        }
    }
}

/// Every other signal that something has used, in the order of the contract.
fn families(core: &Core, writer: &mut Writer, hold: Hold) {
    for family in core.families.used() {
        let signal = &family.signal;
        writer.family(signal);
        let all = family.all();
        for series in &all {
            let values = series.values.iter().map(Option::as_deref);
            let labels: Vec<_> = signal.labels.iter().map(|it| it.key).zip(values).collect();
            match &series.cell {
                Cell::Histogram(it) => timed(writer, signal, &labels, it, hold),
                Cell::Counter(it) => {
                    let (counted, observed) = (it.counted.get(), it.observed.get());
                    // What is counted elsewhere was there before anybody asked: held, its rise would be a false one.
                    let unborn = it.birth.held(counted > 0, hold);
                    match () {
                        () if unborn => writer.sample(signal.name, &labels, 0),
                        () if observed > 0.0 => writer.sample(signal.name, &labels, counted as f64 + observed),
                        () => writer.sample(signal.name, &labels, counted),
                    }
                    writer.created(signal.name.trim_end_matches("_total"), &labels, it.counted.made());
                }
                Cell::Gauge(it) => {
                    let value = it.get();
                    if !value.is_nan() {
                        writer.sample(signal.name, &labels, value);
                    }
                }
            }
        }
    }
}

fn each_method(
    routes: &[&'static RouteSeries],
    mut then: impl FnMut(Option<&str>, &str, &crate::signal::http::MethodSeries),
) {
    for route in routes {
        for (name, method) in route.methods() {
            then(route.template.as_deref(), name, method);
        }
    }
}

fn timed(
    writer: &mut Writer,
    signal: &kilter_contract::Signal,
    labels: &super::writer::Labels<'_>,
    series: &Timed,
    hold: Hold,
) {
    writer.histogram(signal, labels, &shown(series, hold));
}

/// The truth, or zero while the series is held.
fn shown(series: &Timed, hold: Hold) -> crate::signal::histogram::Reading {
    let reading = series.histogram.read();
    if series.birth.held(reading.count() > 0, hold) { reading.zero() } else { reading }
}

fn who(core: &Core, writer: &mut Writer) {
    let it = &core.config.identity;
    let some = |text: &'static str, value: &str| (text, (!value.is_empty()).then(|| value.to_owned()));
    let facts = [
        some(identity::SERVICE_NAME.key, &it.service),
        some(identity::SERVICE_VERSION.key, &it.version),
        some(identity::SERVICE_INSTANCE.key, &it.instance),
        some(identity::ENVIRONMENT.key, &it.environment),
    ];
    let facts: Vec<(&'static str, Option<&str>)> = facts.iter().map(|(key, value)| (*key, value.as_deref())).collect();
    writer.family(&identity::TARGET_INFO);
    writer.sample(identity::TARGET_INFO.name, &facts, 1);
    writer.family(&identity::BUILD_INFO);
    let build = [facts[0], facts[1], (identity::CONTRACT_VERSION.key, Some(kilter_contract::VERSION))];
    writer.sample(identity::BUILD_INFO.name, &build, 1);
}

fn health(core: &Core, writer: &mut Writer, hold: Hold) {
    let health = &core.health;
    writer.family(&telemetry::SPANS_DROPPED);
    closed(writer, telemetry::SPANS_DROPPED.name, telemetry::DROP_REASON, &health.spans_dropped);
    writer.family(&telemetry::EXPORT_FAILURES);
    writer.counter(telemetry::EXPORT_FAILURES.name, &[], &health.export_failures);
    writer.family(&telemetry::SERIES_OVERFLOW);
    let others = core.families.used().map(|it| (it.signal.name, &it.overflow));
    let overflows = health.overflows();
    for (signal, count) in overflows.iter().map(|(signal, count)| (*signal, count.as_ref())).chain(others) {
        writer.counter(telemetry::SERIES_OVERFLOW.name, &[(telemetry::OVERFLOWED.key, Some(signal))], count);
    }
    writer.family(&telemetry::VIOLATIONS);
    closed(writer, telemetry::VIOLATIONS.name, telemetry::VIOLATION, &health.violations);
    writer.family(&telemetry::SCRAPE_DURATION);
    let Values::Closed(formats) = telemetry::FORMAT.values else { return };
    for (format, series) in formats.iter().zip(&health.scrapes) {
        timed(writer, &telemetry::SCRAPE_DURATION, &[(telemetry::FORMAT.key, Some(format))], series, hold);
    }
    writer.family(&telemetry::TRACEPARENTS_IGNORED);
    let ignored = &health.traceparents_ignored;
    closed(writer, telemetry::TRACEPARENTS_IGNORED.name, telemetry::IGNORED_REASON, ignored);
}

/// Counters over a closed label set: all of them, from the start.
fn closed(writer: &mut Writer, name: &str, label: Label, cells: &[Counter]) {
    let Values::Closed(set) = label.values else { return };
    for (value, cell) in set.iter().zip(cells) {
        writer.counter(name, &[(label.key, Some(value))], cell);
    }
}
