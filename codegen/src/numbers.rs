//! Numbers as people say them. Budgets are exact: they come from decimals, and are rounded only here.

use crate::model::{Decimal, Duration, Slo};

/// Names of units, largest first, with their length in milliseconds.
const UNITS: &[(&str, u64)] = &[("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)];

/// In the two largest units: `43 min 12 s`, `3 h 36 min`, `51.8 s`.
pub fn span(duration: Duration) -> String {
    let millis = duration.millis();
    if millis == 0 {
        return "0 s".to_owned();
    }
    if millis < 1_000 {
        return format!("{millis} ms");
    }
    if millis < 60_000 {
        let tenths = (millis + 50) / 100;
        return format!("{}.{} s", tenths / 10, tenths % 10).replace(".0 s", " s");
    }
    let largest = UNITS.iter().position(|(_, size)| millis >= *size).unwrap_or(0);
    // Rounded to the smaller of the two, which may carry into a larger one.
    let smaller = UNITS[largest + 1].1;
    let rounded = (millis + smaller / 2) / smaller * smaller;
    let mut rest = rounded;
    let parts = UNITS.iter().filter_map(|(name, size)| {
        let count = rest / size;
        rest %= size;
        (count > 0).then(|| format!("{count} {name}"))
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// Seconds that were computed, likewise.
pub fn seconds(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a duration holds")]
    let millis = (seconds * 1_000.0).round().clamp(0.0, 1e15) as u64;
    span(Duration::from_millis(millis))
}

/// So many milliseconds, likewise, in whole seconds; before zero is nothing.
pub fn span_of(millis: i64) -> String {
    span(Duration::from_secs(u64::try_from((millis + 500) / 1_000).unwrap_or(0)))
}

/// What is left, never rounded up: `9 h 36 min`, `12 d`, `-1 min 30 s`.
pub fn left(seconds: f64) -> String {
    let overspent = seconds < 0.0;
    let whole = if overspent { seconds.abs().ceil() } else { seconds.floor() };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a duration holds")]
    let mut rest = whole.clamp(0.0, 1e12) as u64 * 1_000;
    let largest = |of: u64| UNITS.iter().position(|(_, size)| of >= *size).unwrap_or(UNITS.len() - 1);
    // Ten days need no hours.
    let shown =
        |of: u64| largest(of)..(largest(of) + if of / UNITS[largest(of)].1 < 10 { 2 } else { 1 }).min(UNITS.len());
    if overspent {
        // More is missing, never less; that may carry into a larger unit.
        rest = rest.next_multiple_of(UNITS[shown(rest).end - 1].1);
    }
    let mut parts = Vec::new();
    for (name, size) in &UNITS[shown(rest)] {
        if rest >= *size || parts.is_empty() {
            parts.push(format!("{} {name}", rest / size));
        }
        rest %= size;
    }
    format!("{}{}", if overspent { "-" } else { "" }, parts.join(" "))
}

/// A whole number with a comma at every thousand.
pub fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A ratio as a percentage with at most three digits that count: `14.4%`, `0.05%`, `100%`.
pub fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    let places = match percent.abs() {
        it if it >= 100.0 => 0,
        it if it >= 10.0 => 1,
        it if it >= 1.0 => 2,
        it if it >= 0.1 => 3,
        _ => 4,
    };
    let text = format!("{percent:.places$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{}%", if text == "-0" { "0" } else { text })
}

/// The same with so many decimals, never rounded up: 99.9996% is no 100%.
pub fn percent_down(of: f64, decimals: usize) -> String {
    let scale = 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
    // What a decimal of ours became on its way through binary numbers is put right first.
    let floored = (of * 100.0 * scale + 1e-6).floor() / scale;
    format!("{:.decimals$}%", floored + 0.0)
}

/// The same with as many decimals as it takes to tell it from all and from nothing: `99.93%`, `0.002%`.
pub fn percent_apart(share: f64) -> String {
    let rest = share.min(1.0 - share).abs() * 100.0;
    let decimals = match rest {
        1e-7..0.01 => 4,
        0.01..0.1 => 3,
        0.1..1.0 => 2,
        1.0..10.0 => 1,
        _ => 0,
    };
    let text = format!("{:.decimals$}", share * 100.0);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}%")
}

/// What an SLO may lose in its compliance window: so long of a total outage.
pub fn budget(slo: &Slo) -> Duration {
    let millis = slo.objective.error_budget().times(Decimal::new(u128::from(slo.window.millis()), 0));
    whole(millis).try_into().map_or(slo.window, Duration::from_millis)
}

/// The share that may be bad, in lowest terms: 1 of 1,000.
pub fn share(slo: &Slo) -> (u128, u128) {
    let text = slo.objective.error_budget().to_string();
    let digits = text.split_once('.').map_or("", |(_, it)| it);
    let (bad, all) = (digits.parse().unwrap_or(1), 10u128.pow(u32::try_from(digits.len()).unwrap_or(0)));
    let divisor = common(bad, all);
    (bad / divisor, all / divisor)
}

/// What happens in a compliance window at so many a second, and what of it may be bad.
pub fn events(slo: &Slo, per_second: u64) -> (u128, u128) {
    let all = u128::from(slo.window.millis()) * u128::from(per_second) / 1_000;
    (all, whole(slo.objective.error_budget().times(Decimal::new(all, 0))))
}

/// Without its fraction.
fn whole(decimal: Decimal) -> u128 {
    let text = decimal.to_string();
    text.split('.').next().and_then(|it| it.parse().ok()).unwrap_or(u128::MAX)
}

const fn common(a: u128, b: u128) -> u128 {
    if b == 0 { if a == 0 { 1 } else { a } } else { common(b, a % b) }
}

/// `1 SLO`, `2 SLOs`.
pub fn counted(count: usize, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(count as u128))
}

/// `a, b and c`.
pub fn list(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_and_carry() {
        for (millis, said) in [
            (0, "0 s"),
            (864, "864 ms"),
            (51_840, "51.8 s"),
            (59_960, "60 s"),
            (60_000, "1 min"),
            (2_592_000, "43 min 12 s"),
            (12_960_000, "3 h 36 min"),
            (7_199_900, "2 h"),
            (86_399_000, "1 d"),
            (2_592_000_000, "30 d"),
            (180_000_000, "2 d 2 h"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), said, "{millis}");
        }
        assert_eq!(seconds(-3.0), "0 s");
    }

    #[test]
    fn what_is_left_is_never_kinder_than_the_truth() {
        for (of, decimals, text) in [
            (0.999_96, 2, "99.99%"),
            (1.0, 2, "100.00%"),
            (0.99, 1, "99.0%"),
            (-0.3, 1, "-30.0%"),
            (-0.000_1, 1, "-0.1%"),
        ] {
            assert_eq!(percent_down(of, decimals), text);
        }
        for (of, text) in [
            (0.2, "0 s"),
            (-0.2, "-1 s"),
            (59.9, "59 s"),
            (60.0, "1 min"),
            (3_900.0, "1 h 5 min"),
            (86_400.0 * 12.5, "12 d"),
            (-90.0, "-1 min 30 s"),
            (-834.0, "-14 min"),
            (-599.5, "-10 min"),
            (-86_399.0, "-1 d"),
            (86_400.0 * 2.25, "2 d 6 h"),
        ] {
            assert_eq!(left(of), text);
        }
        for (millis, text) in [(-5, "0 s"), (400, "0 s"), (45_000, "45 s"), (750_000, "12 min 30 s")] {
            assert_eq!(span_of(millis), text);
        }
    }

    #[test]
    fn shares_are_told_from_all_and_nothing() {
        for (share, shown) in [
            (1.0, "100%"),
            (0.0, "0%"),
            (0.9993, "99.93%"),
            (0.999_95, "99.995%"),
            (0.5, "50%"),
            (0.045, "4.5%"),
            (0.000_02, "0.002%"),
        ] {
            assert_eq!(percent_apart(share), shown);
        }
    }

    #[test]
    fn numbers_are_as_people_write_them() {
        let grouping: Vec<String> = [0, 999, 1_000, 25_920_000].map(grouped).into();
        assert_eq!(grouping, ["0", "999", "1,000", "25,920,000"]);
        let percents: Vec<String> = [1.0, 0.144, 0.0005, 0.02, 0.000_014, 0.0, -0.5].map(percent).into();
        assert_eq!(percents, ["100%", "14.4%", "0.05%", "2%", "0.0014%", "0%", "-50%"]);
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(counted(1, "SLO") + &counted(2, "SLO"), "1 SLO2 SLOs");
        assert_eq!((common(5, 1_000), common(0, 10)), (5, 10));
    }
}
