//! The PromQL that everything else is built from: the selector, the window formula, the join. Each is spelled out here
//! and nowhere else.

use std::fmt::Write as _;

use crate::model::Duration;

/// A PromQL string literal.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_quoted(&mut quoted, text);
    quoted
}

fn push_quoted(quoted: &mut String, text: &str) {
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
}

/// `key="value"`.
pub fn equal(key: &str, value: &str) -> String {
    let mut matcher = String::with_capacity(key.len() + value.len() + 3);
    matcher.push_str(key);
    matcher.push('=');
    push_quoted(&mut matcher, value);
    matcher
}

/// `key="a"`, or `key=~"a|b"` with everything escaped that a regex would read as syntax.
pub fn one_of(key: &str, values: &[&str]) -> String {
    match values {
        [one] => equal(key, one),
        many => format!("{key}=~{}", quote(&alternatives(many))),
    }
}

/// The opposite: nothing for no values.
pub fn none_of(key: &str, values: &[&str]) -> Option<String> {
    match values {
        [] => None,
        [one] => Some(format!("{key}!={}", quote(one))),
        many => Some(format!("{key}!~{}", quote(&alternatives(many)))),
    }
}

/// A regex of these texts.
fn alternatives(values: &[&str]) -> String {
    values.iter().map(|it| regex_escape(it)).collect::<Vec<_>>().join("|")
}

/// Text as an RE2 regex that matches just it.
pub fn regex_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// `metric{a,b}`.
pub fn select(metric: &str, matchers: &[String]) -> String {
    if matchers.is_empty() { metric.to_owned() } else { [metric, "{", &matchers.join(","), "}"].concat() }
}

/// `sum(x)`, or `sum by (a, b) (x)`.
pub fn sum_by(by: &[String], of: &str) -> String {
    if by.is_empty() { format!("sum({of})") } else { format!("sum by ({}) ({of})", by.join(", ")) }
}

/// How a window is read from a rate that was recorded over `step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The recorded rate itself.
    Now,
    /// The sum of so many rates, each a step before the other; one that is missing counts as zero.
    Tiles(u64),
    /// The average of what was recorded within this range.
    Range(Duration),
    /// The same, from one sample a step.
    Grid(Duration),
}

/// A rate of events per second averaged over a window, from a recorded rate over `step`.
///
/// | window | formula | why |
/// |---|---|---|
/// | `step` | the recorded rate itself | |
/// | up to 12 steps when it decides a page | the sum of disjoint tiles | together they are the raw window: no delay |
/// | up to 24 steps | `avg_over_time(x[w-step])` | each sample already covers `step` |
/// | longer | `avg_over_time(x[w-step:step])` | the same, from one sample a step |
///
/// A sum of tiles is twelve times the average; both sides of a ratio are sums, so it cancels.
pub const fn over(window: Duration, step: Duration, tiles: bool) -> Over {
    let steps = window.millis() / step.millis();
    if steps <= 1 {
        Over::Now
    } else if tiles {
        Over::Tiles(steps)
    } else if is_grid(window, step) {
        Over::Grid(window.minus(step))
    } else {
        Over::Range(window.minus(step))
    }
}

/// [`over`] as PromQL.
pub fn over_window(series: &str, window: Duration, step: Duration, tiles: bool) -> String {
    match over(window, step, tiles) {
        Over::Now => series.to_owned(),
        Over::Tiles(steps) => {
            let mut sum = series.to_owned();
            for tile in 1..steps {
                let offset = step.times(tile);
                let _ = write!(sum, "\n  + ({series} offset {offset} or 0 * {series})");
            }
            format!("({sum})")
        }
        Over::Grid(range) => format!("avg_over_time({series}[{range}:{step}])"),
        Over::Range(range) => format!("avg_over_time({series}[{range}])"),
    }
}

/// Whether a window is long enough to be read from one sample a step.
pub const fn is_grid(window: Duration, step: Duration) -> bool {
    window.millis() > 24 * step.millis()
}

/// `error / (total > 0) / budget`, joined on the SLO. `max by` keeps two copies of a highly available ruler apart.
pub fn burn_rate(error: &str, total: &str, budget: &str, on: &[String]) -> String {
    let on = on.join(", ");
    format!("{error}\n/ ({total} > 0)\n/ on ({on}) group_left () max by ({on}) ({budget})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_matched_literally() {
        assert_eq!(one_of("http_route", &["/{a}/b"]), r#"http_route="/{a}/b""#);
        assert_eq!(one_of("http_route", &["/{a}", "/b.c"]), r#"http_route=~"/\\{a\\}|/b\\.c""#);
        assert_eq!(quote("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }

    #[test]
    fn each_window_has_its_formula() {
        let step = Duration::from_mins(5);
        let over = |text: &str, tiles| over_window("x", text.parse().unwrap(), step, tiles);
        assert_eq!(over("5m", true), "x");
        assert_eq!(over("30m", false), "avg_over_time(x[25m])");
        assert_eq!(over("2h", false), "avg_over_time(x[115m])");
        assert_eq!(over("6h", false), "avg_over_time(x[355m:5m])");
        assert_eq!(over("3d", false), "avg_over_time(x[4315m:5m])");
        assert_eq!(over("15m", true), "(x\n  + (x offset 5m or 0 * x)\n  + (x offset 10m or 0 * x))");
    }
}
