//! The words of alerts with values instead of placeholders, printed as Prometheus' template functions print them.

use super::super::context::Context;
use super::super::words::{self, Words};
use super::super::{alerting, windows::Severity};
use super::file::{ExpectedAlert, Labels};
use super::theory;
use crate::model::Slo;
use crate::render::engine::{TemplateError, Templates};

/// Which alert is told about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) alert: &'a str,
    pub(super) template: &'a str,
    pub(super) severity: Severity,
    /// Time range of the dashboard link; empty for the longest window of its severity.
    pub(super) range: &'a str,
}

/// Numbers in an alert's text; `None` where it has none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Numbers<'a> {
    pub(super) burn: f64,
    pub(super) fired: &'a str,
    pub(super) budget_left: f64,
    pub(super) exhaustion_seconds: f64,
}

/// The alert with all its labels and texts, as promtool expects it.
pub(super) fn expected(
    context: &Context<'_>,
    templates: &Templates,
    told: Told<'_>,
    slo: Option<&Slo>,
    labels: Labels,
    numbers: Numbers<'_>,
) -> Result<ExpectedAlert, TemplateError> {
    let words = match slo {
        None => Words::of_service(context),
        Some(slo) => Words {
            service: context.service.name.to_string(),
            slo: format!("{}{}", slo.name, group(slo, &labels)),
            objective: slo.objective.percent(),
            window: slo.window.to_string(),
            burn: format!("{:.1}", numbers.burn),
            fired: numbers.fired.to_owned(),
            budget_left: percentage(numbers.budget_left),
            exhaustion: duration(numbers.exhaustion_seconds),
            ..Words::default()
        },
    };
    let name = slo.or(context.service.slos.first()).map(|it| it.name.to_string()).unwrap_or_default();
    let section = alerting::section(told.alert, told.severity);
    let range = match slo.filter(|_| told.range.is_empty()) {
        Some(slo) => theory::longest(slo, told.severity).map(|it| it.to_string()).unwrap_or_default(),
        None => told.range.to_owned(),
    };
    let mut links = slo.map_or(&context.service.extra, |it| &it.policy.extra).annotations.clone();
    links.extend(words::link_annotations(context, &name, &range, &section));
    let exp_annotations = words::annotations(templates, told.template, &words, links)?;
    Ok(ExpectedAlert { exp_labels: labels, exp_annotations })
}

/// ` (region us)` for each `by` label, sorted.
fn group(slo: &Slo, labels: &Labels) -> String {
    labels.iter().filter(|(key, _)| slo.by.contains(key)).map(|(key, value)| format!(" ({key} {value})")).collect()
}

/// `humanizePercentage`.
pub(super) fn percentage(ratio: f64) -> String {
    format!("{}%", four_digits(ratio * 100.0))
}

/// `humanizeDuration`, for what is not negative.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{}s", four_digits(seconds));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked above; Prometheus truncates too"
    )]
    let whole = seconds as u64;
    let (days, hours, minutes, seconds) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}m {seconds}s"),
        (0, _) => format!("{hours}h {minutes}m {seconds}s"),
        _ => format!("{days}d {hours}h {minutes}m {seconds}s"),
    }
}

/// Go's `%.4g`.
fn four_digits(value: f64) -> String {
    let scientific = format!("{value:.3e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    if (-4..4).contains(&exponent) {
        let decimals = usize::try_from(3 - exponent).unwrap_or(0);
        trimmed(&format!("{value:.decimals$}"))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_prometheus_prints_them() {
        for (ratio, text) in [
            (0.884_259, "88.43%"),
            (1.0, "100%"),
            (-0.05, "-5%"),
            (0.0, "0%"),
            (-12.345_6, "-1235%"),
            (-123.456, "-1.235e+04%"),
            (0.000_000_123_41, "1.234e-05%"),
        ] {
            assert_eq!(percentage(ratio), text);
        }
        for (seconds, text) in
            [(0.0, "0s"), (12.345_6, "12.35s"), (61.9, "1m 1s"), (13_752.4, "3h 49m 12s"), (90_061.0, "1d 1h 1m 1s")]
        {
            assert_eq!(duration(seconds), text);
        }
    }
}
