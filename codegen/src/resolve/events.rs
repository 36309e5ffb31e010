//! `events`: PromQL that users write. What it asks of the contract must exist, and its ranges are Kilter's.

use kilter_contract::service::ExportedSignal;
use kilter_contract::{Instrument, Signal, Values, find_series, le_nanos};

use super::known::Known;
use super::sli::OWNED;
use super::{Code, Findings, printable, text};
use crate::model::{EventSide, Sli};
use crate::promql::lexer::{Kind, Token, lex};
use crate::promql::{self, Expression, Matcher, Part, PromqlError, edit_in_source, place_in_source, selectors};
use crate::spec::check::{help, nearest};
use crate::yaml::{Node, Range};

/// Reads the two queries; everything wrong is told inside the expressions.
pub(super) fn read(node: &Node, known: &Known, findings: &mut Findings<'_>) -> Option<Sli> {
    let mut query = |key: &str| query(node, key, Ranges::Needed, known, findings);
    let (errors, good, total) = (query("errors"), query("good"), query("total"));
    match (node.get("errors"), node.get("good")) {
        (Some(_), Some(good)) => {
            let message = "`errors` and `good` are both here";
            findings.error(Code::BadValue, good.range, message, "keep one: the other follows from the total");
            None
        }
        (None, None) => {
            let message = "neither `errors` nor `good` is here";
            findings.error(Code::MissingKey, node.range, message, "add `errors: 'rate(failed_total[$window])'`");
            None
        }
        (Some(_), None) => Some(Sli::Events { side: EventSide::Errors(errors?), total: total? }),
        (None, Some(_)) => Some(Sli::Events { side: EventSide::Good(good?), total: total? }),
    }
}

/// Error and total must keep the same labels: the `by` labels.
pub(super) fn check_labels(sli: &Sli, by: &[String], node: &Node, findings: &mut Findings<'_>) {
    let mut wanted = by.to_vec();
    wanted.sort();
    for (kind, key, text) in sli.texts() {
        let Some(place) = node.get(kind).and_then(|it| it.get(key)) else { continue };
        let Ok(expr) = promql::parse(text) else { continue };
        let other = |kept: &Vec<String>| {
            let mut kept = kept.clone();
            kept.sort();
            kept != wanted
        };
        let wrong = if kind == "events" {
            promql::groupings(&expr).into_iter().flatten().find(other)
        } else {
            promql::kept_labels(&expr).filter(other)
        };
        let without = lex(text).is_ok_and(|all| all.iter().any(|it| it.text(text).eq_ignore_ascii_case("without")));
        let message = match wrong {
            _ if without => format!("`without` keeps every other label, but the SLO is by [{}]", by.join(", ")),
            Some(kept) => format!("this keeps the labels [{}], but the SLO is by [{}]", kept.join(", "), by.join(", ")),
            None => continue,
        };
        let at = grouping(text, &wanted, without);
        // What was read is trimmed; places are those of the text as written.
        let value = super::scalar(place).map_or(text, |(it, _)| it);
        let range = at.map_or(place.range, |at| {
            let before = value.len() - value.trim_start().len();
            place_in_source(findings.source(), place.range, value, at.start + before, at.end + before)
        });
        let help = match kind {
            "events" => "leave the aggregation out: Kilter sums by the SLO's labels".to_owned(),
            _ if by.is_empty() => "leave the `by` out of the aggregation, or add `by` to the SLO".to_owned(),
            _ => format!("aggregate by ({}), as the SLO is", by.join(", ")),
        };
        findings.error(Code::DifferentBy, range, message, help);
    }
}

/// The `by` or `without` that keeps other labels, or the aggregation that has neither.
fn grouping(text: &str, wanted: &[String], without: bool) -> Option<Range> {
    let tree = promql::tree(text)?;
    tree.all().into_iter().find_map(|it| {
        let Part::Aggregation { grouping, .. } = &it.part else { return None };
        let Some(labels) = grouping else { return (!without && !wanted.is_empty()).then_some(it.head) };
        let mut names: Vec<&String> = labels.names.iter().map(|(it, _)| it).collect();
        names.sort();
        let other = names != wanted.iter().collect::<Vec<_>>();
        (if without { labels.keyword == "without" } else { other }).then_some(labels.range)
    })
}

/// Which ranges an expression may have. All of them are `$window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ranges {
    /// At least one: a rate, or an average.
    Needed,
    /// Any number.
    Free,
    /// None: it is read moment by moment.
    None,
}

/// The PromQL of a key, when nothing is wrong with it.
pub(super) fn query(
    node: &Node,
    key: &str,
    ranges: Ranges,
    known: &Known,
    findings: &mut Findings<'_>,
) -> Option<String> {
    let (value, place) = text(node, key)?;
    Query { value, place, ranges, bare: key == "histogram", known, findings }.check().then(|| value.trim().to_owned())
}

/// Whether the matchers of a selector can match the histogram that it names without a form.
pub(super) fn fits(node: &Node, key: &str, metric: &str, known: &Known, findings: &mut Findings<'_>) -> bool {
    let Some((value, place)) = text(node, key) else { return false };
    let (Ok(expr), Ok(tokens)) = (promql::parse(value), lex(value)) else { return false };
    let mut query = Query { value, place, ranges: Ranges::None, bare: true, known, findings };
    let matchers = selectors(&expr).into_iter().flat_map(|it| it.matchers).collect::<Vec<_>>();
    query.check_selector(&format!("{metric}_count"), &matchers, &tokens)
}

/// Whether everything that an expression asks of the contract can be there.
pub(super) fn possible(value: &str, place: &Node, findings: &mut Findings<'_>) -> bool {
    let (Ok(expr), Ok(tokens)) = (promql::parse(value), lex(value)) else { return false };
    let known = &Known::default();
    let mut query = Query { value, place, ranges: Ranges::Free, bare: false, known, findings };
    query.check_selectors(&expr, &tokens)
}

/// One expression and its place.
struct Query<'a, 'f, 'd> {
    known: &'a Known,
    value: &'a str,
    place: &'a Node,
    ranges: Ranges,
    /// Whether the name of a histogram stands for all its series.
    bare: bool,
    findings: &'f mut Findings<'d>,
}

impl Query<'_, '_, '_> {
    fn tell(&mut self, code: Code, error: PromqlError) {
        let range = place_in_source(self.findings.source(), self.place.range, self.value, error.start, error.end);
        self.findings.error(code, range, error.message, error.help);
    }

    fn tell_at(&mut self, code: Code, (start, end): (usize, usize), message: String, help: impl Into<String>) {
        self.tell(code, PromqlError { message, help: help.into(), start, end });
    }

    /// Whether nothing is wrong with it.
    fn check(mut self) -> bool {
        let (expr, tokens) = match promql::parse(self.value).and_then(|expr| Ok((expr, lex(self.value)?))) {
            Ok(it) => it,
            Err(error) => {
                if !self.check_rates() {
                    self.tell(Code::PromQl, error);
                }
                return false;
            }
        };
        // What is accepted has an aggregate below a range only as a subquery.
        if tokens.iter().any(|it| it.text(self.value) == ":") && self.check_rates() {
            return false;
        }
        let whole = (0, self.value.trim_end().len());
        if !promql::is_instant_vector(&expr) {
            let message = format!("this gives a {:?}, not one value per series", expr.value_type()).to_lowercase();
            self.tell_at(Code::PromQl, whole, message, "for example: rate(hooks_failed_total[$window])");
            return false;
        }
        let mut fine = self.check_times(&tokens);
        if fine && self.ranges == Ranges::Needed && !tokens.iter().any(|it| it.kind == Kind::Window) {
            let message = "`[$window]` stands nowhere, so this is no rate".to_owned();
            self.tell_at(Code::Window, whole, message, "write rate(metric_total[$window])");
            fine = false;
        }
        fine &= self.check_selectors(&expr, &tokens);
        fine
    }

    fn check_selectors(&mut self, expr: &Expression, tokens: &[Token]) -> bool {
        let mut fine = true;
        for (selector, at) in promql::placed_selectors(self.value, expr) {
            if self.bare && find_series(&selector.metric).is_none() {
                continue;
            }
            let from = tokens.iter().position(|it| it.start >= at.start).unwrap_or(0);
            fine &= self.check_selector(&selector.metric, &selector.matchers, &tokens[from..]);
        }
        fine
    }

    /// Whether a rate of an aggregate was found, and told. The parser refuses most of them, but does not say why.
    fn check_rates(&mut self) -> bool {
        let Some(tree) = promql::tree(self.value) else { return false };
        let flaws = crate::lint::rate_of_aggregate(self.value, &tree, &|_| false);
        for flaw in &flaws {
            let help = flaw.help.replace("[5m]", "[$window]");
            self.tell_at(flaw.code, (flaw.at.start, flaw.at.end), flaw.message.clone(), help);
            let (source, place, value) = (self.findings.source(), self.place.range, self.value);
            let edit = |(at, with): &(Range, String)| edit_in_source(source, place, value, *at, with);
            let edits: Vec<_> = flaw.edits.iter().filter_map(edit).collect();
            self.findings.fix(edits);
        }
        !flaws.is_empty()
    }

    /// Ranges are `[$window]` and nothing else: Kilter chooses and scales them, and reads the past itself.
    fn check_times(&mut self, tokens: &[Token]) -> bool {
        let mut fine = true;
        for (index, token) in tokens.iter().enumerate() {
            let word = token.text(self.value);
            if (token.kind, word) == (Kind::Open, "[") {
                let inner: Vec<&Token> = tokens[index + 1..].iter().take_while(|it| it.kind != Kind::Close).collect();
                let end = inner.last().map_or(token.end, |it| it.end) + 1;
                let end = self.value[end - 1..].find(']').map_or(end, |it| end + it);
                let range = (token.start, end);
                if self.ranges == Ranges::None {
                    let message = "a range stands where the gauge is read moment by moment".to_owned();
                    let help = "name the gauge alone; a condition over a time is a `slices` SLI";
                    self.tell_at(Code::Window, range, message, help);
                    fine = false;
                } else if inner.iter().any(|it| it.text(self.value) == ":") {
                    let message = "a subquery reads a past of its own, which Kilter cannot choose".to_owned();
                    self.tell_at(Code::Window, range, message, "name the counters only: rate(metric_total[$window])");
                    fine = false;
                } else if inner.first().is_none_or(|it| it.kind != Kind::Window) {
                    let shown = &self.value[range.0..range.1];
                    let message = format!("a fixed range {shown} stands where `$window` belongs");
                    self.tell_at(Code::Window, range, message, "write [$window]: Kilter chooses the range");
                    let (source, place) = (self.findings.source(), self.place.range);
                    let at = Range { start: range.0, end: range.1 };
                    self.findings.fix(edit_in_source(source, place, self.value, at, "[$window]"));
                    fine = false;
                }
            }
            let shifts = token.kind == Kind::Name && word.eq_ignore_ascii_case("offset") || word == "@";
            if shifts && token.kind != Kind::String {
                let message = format!("`{word}` reads another time: alerts would be late, or never come");
                self.tell_at(Code::Window, (token.start, token.end), message, "remove it: an SLI is measured now");
                fine = false;
            }
        }
        fine
    }

    /// A selector on a metric of the contract must be able to match. `tokens` begin at the selector.
    fn check_selector(&mut self, metric: &str, matchers: &[Matcher], tokens: &[Token]) -> bool {
        let at = tokens.first().map_or((0, self.value.len()), |it| (it.start, it.end));
        let (signal, own) = (find_series(metric), self.known.own_series(metric));
        if signal.is_none() && own.is_none() {
            let histogram = |it: &Signal| matches!(it.instrument, Instrument::Histogram(_));
            let (contract, own) = (kilter_contract::find(metric).is_some_and(histogram), self.known.own(metric));
            if !contract && own.is_none_or(|it| it.instrument != "histogram") {
                return true;
            }
            let message = format!("{metric} is a histogram: no series has just this name");
            self.tell_at(
                Code::NoSuchLabel,
                at,
                message,
                format!("use {metric}_count, {metric}_sum or {metric}_bucket"),
            );
            return false;
        }
        let further = self.known.further(metric.strip_suffix("_bucket").unwrap_or(metric));
        let why = |matcher: &Matcher| match (signal, own) {
            (Some(signal), _) => impossible(metric, signal, &further, matcher).map(|it| (Code::NoSuchLabel, it)),
            (None, Some(own)) => impossible_of_own(metric, own, &further, matcher).map(|it| (Code::NotOfService, it)),
            (None, None) => None,
        };
        let mut fine = true;
        for (index, matcher) in matchers.iter().enumerate() {
            let Some((code, (message, help))) = why(matcher) else { continue };
            let nth = matchers[..index].iter().filter(|it| it.label == matcher.label).count();
            let named = |it: &&[Token]| it[0].kind == Kind::Name && it[0].text(self.value) == matcher.label;
            let place = tokens.windows(3).filter(named).nth(nth).map_or(at, |it| (it[0].start, it[2].end));
            self.tell_at(code, place, message, help);
            fine = false;
        }
        fine
    }
}

/// Why a matcher on a signal of the contract can match no series, and what could.
fn impossible(metric: &str, signal: &Signal, further: &[String], matcher: &Matcher) -> Option<(String, String)> {
    let (key, wanted) = (matcher.label.as_str(), matcher.value.as_str());
    let never = format!("`{key}` of {metric} can never be `{}`", printable(wanted));
    if let (Instrument::Histogram(buckets), "le", true) = (signal.instrument, key, metric.ends_with("_bucket")) {
        return off_bounds([buckets.le(), further.to_vec()].concat(), never, matcher);
    }
    let labels: Vec<&str> = signal.labels.iter().map(|it| it.key).collect();
    let Some(label) = signal.label(key) else {
        // Labels that the scrape adds, such as a region, are not the contract's to know.
        let ours = OWNED.iter().any(|it| key.starts_with(it)) || key == "le";
        return ours.then(|| (format!("{metric} has no label `{key}`"), help(key, &labels)));
    };
    let possible = match label.values {
        _ if matcher.accepts("") => true,
        Values::Closed(set) => set.iter().any(|it| matcher.accepts(it)),
        values => !matcher.is_equality() || values.allows(wanted),
    };
    (!possible).then(|| (never, values(label.values, wanted)))
}

/// Why a matcher on a signal of the service's own can match no series, and what could. Labels that are nowhere near one
/// of the signal may come from the scrape.
fn impossible_of_own(
    metric: &str,
    own: &ExportedSignal,
    further: &[String],
    matcher: &Matcher,
) -> Option<(String, String)> {
    let key = matcher.label.as_str();
    let never = format!("`{key}` of {metric} can never be `{}`", printable(&matcher.value));
    if key == "le" && own.instrument == "histogram" && metric.ends_with("_bucket") {
        return off_bounds([own.bounds.clone(), further.to_vec()].concat(), never, matcher);
    }
    let Some(label) = own.labels.iter().find(|it| it.key == key) else {
        let labels: Vec<&str> = own.labels.iter().map(|it| it.key.as_str()).collect();
        nearest(key, &labels)?;
        return Some((format!("{metric} has no label `{key}`"), help(key, &labels)));
    };
    let values: Vec<&str> = label.values.as_ref()?.iter().map(String::as_str).collect();
    let possible = matcher.accepts("") || values.iter().any(|it| matcher.accepts(it));
    (!possible).then(|| (never, help(&matcher.value, &values)))
}

/// Prometheus 3 stores whole bounds as `1.0`, earlier versions as they are exposed.
fn off_bounds(mut bounds: Vec<String>, never: String, matcher: &Matcher) -> Option<(String, String)> {
    let spelt = bounds.iter().flat_map(|it| [it.trim_end_matches(".0"), it]).chain(["+Inf"]);
    let found = spelt.into_iter().any(|it| matcher.accepts(it));
    bounds.sort_by_key(|it| le_nanos(it));
    (!found).then(|| (never, format!("its bounds are: {}", bounds.join(", "))))
}

fn values(of: Values, wanted: &str) -> String {
    match of {
        Values::Closed(set) => help(wanted, set),
        Values::RouteTemplate => "a route template begins with /".to_owned(),
        Values::StatusCode => "a status code has three digits".to_owned(),
        _ => "see docs/reference/contract.md".to_owned(),
    }
}
