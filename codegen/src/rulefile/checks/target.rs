//! What a version of Prometheus does otherwise than others. Facts: its migration guide to version 3.

use super::super::Dialect;
use crate::diagnostic::{Code, Severity};
use crate::lint::Flaw;
use crate::model::Duration;
use crate::promql::{Match, Part, Tree, is_newer};
use crate::yaml::Range;

/// Functions that need two values.
const NEED_TWO: &[&str] = &["rate", "increase", "irate", "delta", "idelta", "deriv", "predict_linear"];

/// Labels that hold free text, so perhaps line ends. In all others a dot meets none.
const FREE_TEXT: &[&str] =
    &["message", "msg", "error", "reason", "description", "text", "query", "command", "cmdline", "comment", "title"];

/// Everything of an expression that the target does otherwise.
pub(crate) fn flaws(text: &str, tree: &Tree, target: Dialect, interval: Option<Duration>) -> Vec<(Flaw, Severity)> {
    let mut all = functions(tree, target);
    if target >= Dialect::THREE {
        let mut warn = |it: Flaw| all.push((it, Severity::Warning));
        tree.visit(&mut Vec::new(), &mut |part, above| {
            if let Some((_, matchers)) = part.selects() {
                matchers.iter().filter_map(whole_bound).for_each(&mut warn);
                matchers.iter().filter_map(dot).for_each(&mut warn);
            }
            left_open(text, part, above, interval).into_iter().for_each(&mut warn);
        });
    }
    all
}

/// Functions that the target does not have, or no longer has.
fn functions(tree: &Tree, target: Dialect) -> Vec<(Flaw, Severity)> {
    let mut all = Vec::new();
    for part in tree.all() {
        let (Part::Call { name, .. } | Part::Aggregation { name, .. }) = &part.part else { continue };
        let flaw = |message: String, help: &str| Flaw::new(Code::NotInDialect, part.head, message, help);
        if name == "holt_winters" && target >= Dialect::THREE {
            let help =
                "it is double_exponential_smoothing now, and needs --enable-feature=promql-experimental-functions";
            let flaw = flaw(format!("{target} has no function `{name}`, so the whole file is refused"), help);
            all.push((flaw.mended(part.head, "double_exponential_smoothing"), Severity::Error));
        } else if is_newer(name) && target <= Dialect::OLDEST {
            let message = format!("{target} has no function `{name}`, so the whole file is refused");
            all.push((flaw(message, "it came later: do without it there"), Severity::Error));
        }
    }
    all
}

/// `le="1"`, which is stored as `1.0`.
fn whole_bound(it: &Match) -> Option<Flaw> {
    let whole = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit());
    let concerned = ["le", "quantile"].contains(&it.label.as_str());
    let values: Vec<&str> = match it.sign.as_str() {
        "=" | "!=" => vec![it.value.as_str()],
        _ => it.value.split('|').collect(),
    };
    let first = values.iter().find(|it| concerned && whole(it))?;
    let sign = if it.sign.starts_with('!') { "!~" } else { "=~" };
    let both: Vec<String> =
        values.iter().map(|it| if whole(it) { format!("{it}([.]0)?") } else { (*it).to_owned() }).collect();
    let both = both.join("|");
    let message = format!("`{first}` is stored as `{first}.0`, so this matcher does not match it any more");
    let help = format!("write {}{sign}\"{both}\": it is right before and after", it.label);
    let at = Range { start: it.sign_at.start, end: it.value_at.end };
    let regex = values.len() > 1 || !it.sign.ends_with('~');
    let flaw = Flaw::new(Code::WholeBound, it.range, message, help);
    Some(if regex { flaw.mended(at, format!("{sign}\"{both}\"")) } else { flaw })
}

/// A dot beside a repetition, on a label that can hold line ends.
fn dot(it: &Match) -> Option<Flaw> {
    let many = [".*", ".+"].iter().any(|sign| it.value.contains(sign));
    // `.*` and `.+` alone say whether there is anything.
    let some = many && it.sign.ends_with('~') && ![".*", ".+"].contains(&it.value.as_str());
    (some && FREE_TEXT.contains(&it.label.as_str())).then(|| {
        let message = format!("`.` also matches line ends, which `{}` can hold", it.label);
        let help = "write [^\\n] in its place to match what it matched";
        Flaw::new(Code::DotNewline, it.value_at, message, help)
    })
}

/// A range that loses one of its values.
fn left_open(text: &str, part: &Tree, above: &[&Tree], interval: Option<Duration>) -> Option<Flaw> {
    let Part::Ranged { of, length: Some(length), step, brackets } = &part.part else { return None };
    let recorded = of.selects().is_some_and(|(metric, _)| metric.contains(':'));
    let every = match step {
        Some(step) => (*step)?,
        None => interval.filter(|_| !recorded)?.secs_f64(),
    };
    let call = above.last()?;
    let Part::Call { name, .. } = &call.part else { return None };
    let shown = text.get(brackets.start..brackets.end)?;
    let (range, every_text) = (seconds(2.0 * every), seconds(every));
    if NEED_TWO.contains(&name.as_str()) && *length < 2.0 * every && *length >= every {
        let message = format!(
            "{shown} holds one value where one comes every {every_text}, and `{name}` needs two: it gives nothing"
        );
        let more =
            if step.is_some() { format!("[{range}:{every_text}]") } else { format!("[{}]", seconds(4.0 * every)) };
        return Some(Flaw::new(Code::LeftOpen, *brackets, message, format!("write at least {more}")));
    }
    let number = counted(call, above.get(above.len().checked_sub(2)?)?)?;
    let most = (length / every).floor();
    let exact = (length / every).fract().abs() < 1e-9;
    let gone = name == "count_over_time" && exact && number > most && number <= most + 1.0;
    gone.then(|| {
        let message = format!("{shown} holds at most {most} values, one fewer than before, so this is never true");
        Flaw::new(Code::LeftOpen, *brackets, message, "count one fewer")
    })
}

/// The number that a count must reach.
fn counted(call: &Tree, above: &Tree) -> Option<f64> {
    let Part::Binary { sign, bool: false, sides, .. } = &above.part else { return None };
    let number = sides[1].number().filter(|_| sides[0] == *call)?;
    match sign.as_str() {
        ">=" | "==" => Some(number),
        ">" => Some(number + 1.0),
        _ => None,
    }
}

fn seconds(number: f64) -> String {
    let millis = std::time::Duration::try_from_secs_f64(number).map_or(0, |it| it.as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::tree;

    fn found(text: &str, target: &str) -> Vec<Code> {
        let (tree, target) = (tree(text).unwrap(), target.parse().unwrap());
        flaws(text, &tree, target, Some(Duration::from_mins(1))).into_iter().map(|(it, _)| it.code).collect()
    }

    #[test]
    fn version_three_is_told_and_two_is_not() {
        for (text, code) in [
            ("x_bucket{le=\"1\"}", Code::WholeBound),
            ("x_bucket{le=~\"1|2.5\"}", Code::WholeBound),
            ("x{quantile!=\"1\"}", Code::WholeBound),
            ("rate(x[1m])", Code::LeftOpen),
            ("rate(sum(x)[5m:5m])", Code::LeftOpen),
            ("count_over_time(up[5m]) > 5", Code::LeftOpen),
            ("x{message=~\"time.*out\"}", Code::DotNewline),
            ("holt_winters(x[1h], 0.5, 0.5)", Code::NotInDialect),
        ] {
            assert_eq!(found(text, "prometheus=3.x"), [code], "{text}");
            assert!(found(text, "prometheus=2.55").is_empty(), "{text}");
        }
        for text in [
            "x_bucket{le=~\"1([.]0)?\"}",
            "x_bucket{le=\"0.5\"}",
            "x_bucket{le=\"+Inf\"}",
            "rate(x[2m])",
            "max_over_time(x[1m])",
            "count_over_time(up[5m]) > 4",
            "x{code=~\"5.*\"}",
            "rate(job:x:sum[1m])",
        ] {
            assert!(found(text, "prometheus=3.0").is_empty(), "{text}");
        }
        assert_eq!(found("limitk(1, x)", "prometheus=2.42"), [Code::NotInDialect]);
    }
}
