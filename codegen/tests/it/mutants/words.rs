//! Every way in which an expression can be wrong by one part: what stands where, and what takes its place.

use kilter_codegen::model::Duration;
use kilter_codegen::promql::{self, Part, Tree};
use kilter_codegen::yaml::Range;

use super::files::shape;

/// In what way a rule is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// It is not there.
    Gone,
    /// What a value is compared with.
    Threshold,
    /// Any other number.
    Number,
    /// `>` for `<`.
    Comparison,
    /// The range of a selector or subquery.
    Window,
    /// The step of a subquery.
    Step,
    /// `offset`.
    Offset,
    /// A label of a join or a grouping.
    Join,
    /// A label of the selectors.
    Label,
    /// A function or an aggregation.
    Function,
    /// A comparison that only keeps values out.
    Guard,
    /// A side of any other operator.
    Term,
    /// `for`.
    For,
    /// `keep_firing_for`.
    Kept,
    /// A label that the rule sets.
    Sets,
}

/// One change of a text.
pub(super) struct Change {
    pub(super) way: Way,
    /// In words: `threshold 6 -> 12 in slo:burn_rate:6h > 6`.
    pub(super) what: String,
    pub(super) text: String,
}

/// Functions that are taken for each other.
const OTHERS: &[(&str, &str)] = &[
    ("sum", "max"),
    ("max", "min"),
    ("min", "max"),
    ("avg_over_time", "max_over_time"),
    ("sum_over_time", "max_over_time"),
    ("max_over_time", "min_over_time"),
    ("min_over_time", "max_over_time"),
    ("count_over_time", "sum_over_time"),
    ("rate", "increase"),
    ("increase", "rate"),
];

/// Functions that only bound or name what they are given.
const AROUND: &[&str] = &["clamp_min", "clamp_max", "label_replace"];

/// All changes of an expression. Of parts that say the same with other numbers, as the twelve terms of an hour, the
/// first and the last are changed.
pub(super) fn changes(expr: &str) -> Vec<Change> {
    let tree = promql::tree(expr).unwrap_or_else(|| panic!("{expr} is no PromQL"));
    let mut found: Vec<Found> = Vec::new();
    tree.visit(&mut Vec::new(), &mut |it, above| Writer { expr, found: &mut found }.part(it, above));
    found.extend(without_labels(expr, &tree));
    let last = |it: &Found| found.iter().rposition(|other| other.sort == it.sort);
    let first = |it: &Found| found.iter().position(|other| other.sort == it.sort);
    let kept = found.iter().enumerate().filter(|(at, it)| first(it) == Some(*at) || last(it) == Some(*at));
    let mut all: Vec<Change> = Vec::new();
    for (_, it) in kept {
        let mut text = expr.to_owned();
        it.edits.iter().rev().for_each(|(at, new)| text.replace_range(at.start..at.end, new));
        if text == expr || all.iter().any(|other| other.text == text) {
            continue;
        }
        let nth = 1 + all.iter().filter(|other| other.what.split(" (#").next() == Some(it.what.as_str())).count();
        let what = if nth == 1 { it.what.clone() } else { format!("{} (#{nth})", it.what) };
        all.push(Change { way: it.way, what, text });
    }
    all
}

struct Found {
    way: Way,
    /// Equal for changes that differ by numbers only.
    sort: String,
    what: String,
    /// From the front to the back.
    edits: Vec<(Range, String)>,
}

/// A label that no selector of the rule asks for any more: where it is asked for twice, one alone makes no difference.
fn without_labels(expr: &str, tree: &Tree) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for part in tree.all() {
        let Part::Selector { metric, matchers, braces: Some(braces) } = &part.part else { continue };
        for (index, matcher) in matchers.iter().enumerate() {
            let others = matchers.iter().enumerate().filter(|(other, _)| *other != index);
            let others: Vec<&str> = others.map(|(_, it)| &expr[it.range.start..it.range.end]).collect();
            // Nothing selects everything.
            if metric.is_empty() && others.is_empty() {
                continue;
            }
            let what = format!("label {} asked for nowhere", &expr[matcher.range.start..matcher.range.end]);
            let edit = (*braces, format!("{{{}}}", others.join(",")));
            match all.iter_mut().find(|it| it.what == what) {
                Some(it) => it.edits.push(edit),
                None => all.push(Found { way: Way::Label, sort: what.clone(), what, edits: vec![edit] }),
            }
        }
    }
    all
}

struct Writer<'a> {
    expr: &'a str,
    found: &'a mut Vec<Found>,
}

impl Writer<'_> {
    fn text(&self, range: Range) -> &str {
        &self.expr[range.start..range.end]
    }

    fn push(&mut self, way: Way, how: &str, what: String, of: &Tree, at: Range, new: String) {
        let place = sort(self.text(of.range));
        self.found.push(Found { way, sort: format!("{way:?} {how}: {place}"), what, edits: vec![(at, new)] });
    }

    fn part(&mut self, it: &Tree, above: &[&Tree]) {
        match &it.part {
            Part::Number(value) => self.number(it, *value, above.last().copied()),
            Part::Ranged { length: Some(_), step, brackets, .. } => self.range(it, step.is_some(), *brackets),
            Part::Shifted(of) => {
                let shift = Range { start: of.range.end, end: it.range.end };
                let place = self.brief(it.range);
                self.push(Way::Offset, "dropped", format!("offset dropped from {place}"), it, shift, String::new());
                let text = self.text(shift).to_owned();
                if let Some((word, new)) = text.split_whitespace().last().and_then(|it| Some((it, other(it, true)?))) {
                    let new = text.replace(word, &new);
                    self.push(Way::Offset, "", format!("{} -> {} in {place}", text.trim(), new.trim()), it, shift, new);
                }
            }
            Part::Call { name, args } => {
                if AROUND.contains(&name.as_str()) {
                    let what = format!("{name} dropped around {}", self.brief(args[0].range));
                    self.push(Way::Function, "dropped", what, it, it.range, self.text(args[0].range).to_owned());
                }
                self.function(it, name);
            }
            Part::Aggregation { name, grouping, .. } => {
                if let Some(grouping) = grouping {
                    self.labels(it, grouping);
                }
                self.function(it, name);
            }
            Part::Binary { sign, matching, group, sides, .. } => {
                for labels in [matching, group].into_iter().flatten() {
                    self.labels(it, labels);
                }
                self.operator(it, sign, sides);
            }
            _ => {}
        }
    }

    fn number(&mut self, it: &Tree, value: f64, above: Option<&Tree>) {
        let compared = above.is_some_and(|it| matches!(&it.part, Part::Binary { sign, .. } if is_comparison(sign)));
        let (way, name) = if compared { (Way::Threshold, "threshold") } else { (Way::Number, "number") };
        let place = self.brief(above.unwrap_or(it).range);
        let new: &[f64] = match value {
            0.0 => &[1.0],
            _ if compared => &[value * 2.0, value / 2.0],
            _ => &[value * 2.0],
        };
        for (nth, new) in new.iter().enumerate() {
            let what = format!("{name} {value} -> {new} in {place}");
            self.push(way, &nth.to_string(), what, above.unwrap_or(it), it.range, new.to_string());
        }
    }

    fn range(&mut self, it: &Tree, subquery: bool, brackets: Range) {
        let inner = self.expr[brackets.start + 1..brackets.end - 1].to_owned();
        let place = self.brief(it.range);
        let (length, step) = inner.split_once(':').map_or((inner.as_str(), ""), |(length, step)| (length, step));
        let colon = if subquery { ":" } else { "" };
        for longer in [true, false] {
            if let Some(new) = other(length, longer) {
                let what = format!("window {length} -> {new} in {place}");
                self.push(Way::Window, &longer.to_string(), what, it, brackets, format!("[{new}{colon}{step}]"));
            }
        }
        if let Some(new) = other(step, true) {
            self.push(
                Way::Step,
                "",
                format!("step {step} -> {new} in {place}"),
                it,
                brackets,
                format!("[{length}:{new}]"),
            );
        }
    }

    fn function(&mut self, it: &Tree, name: &str) {
        if let Some((_, other)) = OTHERS.iter().find(|(it, _)| *it == name) {
            let what = format!("{name} -> {other} in {}", self.brief(it.range));
            self.push(Way::Function, name, what, it, it.head, (*other).to_owned());
        }
    }

    fn labels(&mut self, it: &Tree, labels: &promql::tree::Labels) {
        for (index, (name, _)) in labels.names.iter().enumerate() {
            let others: Vec<&str> = labels
                .names
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != index)
                .map(|(_, (it, _))| it.as_str())
                .collect();
            let what = format!("{name} dropped from {} in {}", self.text(labels.range), self.brief(it.range));
            let new = format!("{} ({})", labels.keyword, others.join(", "));
            self.push(Way::Join, &format!("{} {name}", labels.keyword), what, it, labels.range, new);
        }
    }

    fn operator(&mut self, it: &Tree, sign: &str, sides: &[Tree; 2]) {
        let [left, right] = sides;
        let drop = |gone: &Tree, stays: &Tree, writer: &mut Self| {
            let (way, name) = if is_comparison(sign) { (Way::Guard, "guard") } else { (Way::Term, "term") };
            let what = if std::ptr::eq(gone, right) {
                format!("{name} dropped: {sign} {}", writer.brief(gone.range))
            } else {
                format!("{name} dropped: {} {sign}", writer.brief(gone.range))
            };
            let new = writer.text(stays.range).to_owned();
            // Where it is dropped from matters less than what it is.
            writer.push(way, sign, what, gone, it.range, new);
        };
        if left.is_vector() {
            drop(right, left, self);
        }
        if right.is_vector() && !["unless", "-", "+", "/"].contains(&sign) {
            drop(left, right, self);
        }
        if is_comparison(sign) {
            let flipped = match sign {
                ">" | ">=" => "<",
                "<" | "<=" => ">",
                "==" => "!=",
                _ => "==",
            };
            self.push(
                Way::Comparison,
                "",
                format!("{sign} -> {flipped} in {}", self.brief(it.range)),
                it,
                it.head,
                flipped.into(),
            );
        }
    }

    fn brief(&self, range: Range) -> String {
        brief(self.text(range))
    }
}

/// The words of a part without numbers and metrics: rules of one kind for several resources say the same of each. What is
/// recorded keeps its name, for each window has its own threshold.
fn sort(part: &str) -> String {
    let metric =
        |it: &str| it.contains('_') && !it.starts_with("slo:") && !it.ends_with("_over_time") && it != "label_replace";
    shape(part).split(' ').map(|it| if metric(it) { "metric" } else { it }).collect::<Vec<_>>().join(" ")
}

fn is_comparison(sign: &str) -> bool {
    [">", "<", ">=", "<=", "==", "!="].contains(&sign)
}

/// A duration twice or half as long.
pub(super) fn other(duration: &str, longer: bool) -> Option<String> {
    let millis = duration.parse::<Duration>().ok()?.millis();
    Some(Duration::from_millis(if longer { millis * 2 } else { millis / 2 }).to_string())
}

/// A part in a few words: without matchers, in one line, without its middle when it is long.
pub(super) fn brief(text: &str) -> String {
    const MOST: usize = 60;
    let mut short = String::new();
    let mut depth = 0;
    for c in text.chars() {
        depth -= i32::from(c == '}');
        if depth == 0 && !(c.is_whitespace() && short.ends_with([' ', '('])) && c != '{' && c != '}' {
            short.push(if c.is_whitespace() { ' ' } else { c });
        }
        depth += i32::from(c == '{');
    }
    let all: Vec<char> = short.trim().chars().collect();
    if all.len() <= MOST {
        return all.into_iter().collect();
    }
    let (head, tail) = (&all[..MOST / 2], &all[all.len() - MOST / 2 + 3..]);
    format!("{}...{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
}
