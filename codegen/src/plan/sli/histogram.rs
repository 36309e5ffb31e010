//! Latency: values of a histogram above a threshold, on the contract's histograms and on any other.

use super::super::expr::{quote, regex_escape, select, sum_by};
use super::{Lowering, Pair};
use crate::model::{Decimal, Duration, Histogram};

impl Lowering<'_> {
    /// Bad is slower than the bound.
    ///
    /// Both sides count only series that expose the bound, so instances of an older build are silent during a rollout.
    /// Never filled with zeros: a missing bucket is missing data.
    pub(super) fn slower(&self, name: &str, counted: &[String], bound: Decimal) -> Pair {
        let (all, fast) = slower_parts(name, counted, bound, self.rate);
        let total = sum_by(
            self.by,
            &format!(
                "{all}
  and ignoring (le) {fast}"
            ),
        );
        let slow = self.without(&total, &sum_by(self.by, &fast));
        Pair::of(total, slow)
    }

    pub(super) fn histogram(&self, of: &Histogram) -> Pair {
        let matchers: Vec<String> = (!of.matchers.is_empty()).then(|| of.matchers.clone()).into_iter().collect();
        if of.native { self.native(of, &matchers) } else { self.slower(&of.metric, &matchers, of.threshold) }
    }

    /// A native histogram is one series, so one expression gives both sides. Without events its fraction is NaN, which is
    /// no error; without the series nothing is filled in.
    fn native(&self, of: &Histogram, matchers: &[String]) -> Pair {
        let rate = sum_by(self.by, &format!("rate({}[{}])", select(&of.metric, matchers), self.rate));
        let all = format!("histogram_count({rate})");
        let slow = format!("{all} * (1 - histogram_fraction(-Inf, {}, {rate}))", of.threshold);
        Pair::of(format!("{all} >= 0"), format!("clamp_min({slow}, 0) >= 0\nor 0 * ({all} == 0)"))
    }
}

/// The rates of all events and of those within the bound, a series for each that the service exposes.
pub(super) fn slower_parts(name: &str, counted: &[String], bound: Decimal, rate: Duration) -> (String, String) {
    let mut fast = counted.to_vec();
    fast.push(format!("le=~{}", quote(&le_regex(bound))));
    let fast = format!("rate({}[{rate}])", select(&format!("{name}_bucket"), &fast));
    (format!("rate({}[{rate}])", select(&format!("{name}_count"), counted)), fast)
}

/// A regex for an `le` value. Prometheus 3 stores whole bounds as `1.0`, earlier versions as they are exposed; the
/// libraries of Go and others expose a million as `1e+06`.
fn le_regex(bound: Decimal) -> String {
    let text = bound.to_string();
    if text.contains('.') {
        return regex_escape(&text);
    }
    let digits = text.trim_end_matches('0');
    if text.len() <= 6 || digits.is_empty() {
        return format!("{text}(\\.0)?");
    }
    let (first, rest) = digits.split_at(1);
    let mantissa = if rest.is_empty() { first.to_owned() } else { format!("{first}\\.{rest}") };
    format!("{text}(\\.0)?|{mantissa}e\\+{:02}", text.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_found_however_they_are_spelt() {
        for (bound, regex) in [
            ("0.25", "0\\.25"),
            ("1", "1(\\.0)?"),
            ("2500", "2500(\\.0)?"),
            ("1000000", "1000000(\\.0)?|1e\\+06"),
            ("2500000", "2500000(\\.0)?|2\\.5e\\+06"),
        ] {
            assert_eq!(le_regex(bound.parse().unwrap()), regex);
        }
    }
}
