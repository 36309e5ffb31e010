//! Two counters of foreign files become the best SLI of ours that says the same: the contract's own where they count
//! requests of the contract, else `events`.

use kilter_contract::{error_type, http};

use super::draft::{Side, Sli, Text, texts};
use super::query::{per_second, same, split, without_bucket, without_zero};
use super::report::Report;
use super::target::Target;
use crate::diagnostic::Code;
use crate::model::{Decimal, Duration};
use crate::plan::expr::{quote, select};
use crate::promql::{self, Matcher, Selector, summed_rate};

/// Two counters with their queries in our words.
#[derive(Debug, Clone)]
pub(super) struct Counters {
    /// `errors` or `good`.
    pub(super) side: Side,
    /// That side.
    pub(super) part: Text,
    /// All events.
    pub(super) total: Text,
}

/// The SLI, and the labels that both queries keep.
pub(super) fn sli(service: &str, counters: Counters, report: &mut Report<'_, '_>) -> (Sli, Vec<Text>) {
    let Counters { mut side, mut part, mut total } = counters;
    let (bare, zero) = without_zero(&total.text);
    if zero {
        let message = "`or vector(0)` of the total is left out: it would make missing data look like idleness";
        report.differs(total.range, message, "when the data vanish, SLODataMissing tells");
    }
    total = Text::new(bare, total.range);
    // Kilter fills the errors with zeros itself, with the right labels.
    part = Text::new(without_zero(&part.text).0, part.range);
    // `total - good` counts errors by what was good.
    if side == Side::Errors
        && let Some((left, good)) = split(&part.text, "-").filter(|(left, _)| same(left, &total.text))
        && !left.is_empty()
    {
        side = Side::Good;
        part = Text::new(good, part.range);
    }
    if let Some(text) = without_bucket(&total.text, &part.text).filter(|_| side == Side::Good) {
        total.text = text;
    }
    if let Some((rated_part, rated_total)) = per_second(&part.text, &total.text) {
        part.text = rated_part;
        total.text = rated_total;
    }
    let by = kept(&total).filter(|labels| kept(&part).as_ref() == Some(labels)).unwrap_or_default();
    let by: Vec<Text> = by.into_iter().map(|label| Text::new(label, total.range)).collect();
    let counters = Counters { side, part, total };
    let found = contract(service, &counters, report).or_else(|| histogram(&counters));
    let Counters { side, part, total } = counters;
    (found.unwrap_or(Sli::Events { side, part, total }), by)
}

/// Labels that every aggregation of a query keeps; `None` when they differ.
fn kept(query: &Text) -> Option<Vec<String>> {
    let expr = promql::parse(&query.text).ok()?;
    let mut all: Vec<Vec<String>> = promql::groupings(&expr).into_iter().map(Option::unwrap_or_default).collect();
    all.dedup();
    match all.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

fn contract(service: &str, counters: &Counters, report: &mut Report<'_, '_>) -> Option<Sli> {
    let counter = |query: &Text| promql::parse(&query.text).ok().and_then(|it| summed_rate(&it));
    let name = http::SERVER_REQUEST_DURATION.name;
    let total = counter(&counters.total).filter(|it| it.metric.strip_suffix("_count") == Some(name))?;
    let part = counter(&counters.part)?;
    let scope = Scope::read(&total, service)?;
    let slower_than = if part.metric == format!("{name}_bucket") {
        let (le, rest): (Vec<&Matcher>, Vec<&Matcher>) = part.matchers.iter().partition(|it| it.label == "le");
        let [le] = le.as_slice() else { return None };
        let same = counters.side == Side::Good && rest == total.matchers.iter().collect::<Vec<_>>();
        Some(bound(le).filter(|_| same)?)
    } else {
        is_error(&part, &total, counters.side).then_some(())?;
        None
    };
    scope.tell(service, counters, &part, slower_than.is_some(), report);
    let at = counters.total.range;
    let texts = |all: Vec<String>| all.into_iter().map(|it| Text::new(it, at)).collect();
    let slower_than = slower_than.map(|it| Text::new(it.to_string(), counters.part.range));
    Some(Sli::HttpServer { routes: texts(scope.routes), methods: texts(scope.methods), slower_than })
}

/// A bucket among the count of its own histogram, where this version measures any histogram.
fn histogram(counters: &Counters) -> Option<Sli> {
    let counter = |query: &Text| promql::parse(&query.text).ok().and_then(|it| summed_rate(&it));
    let part = counter(&counters.part)?;
    let name = part.metric.strip_suffix("_bucket")?;
    let total = counter(&counters.total).filter(|it| it.metric.strip_suffix("_count") == Some(name))?;
    let (le, rest): (Vec<&Matcher>, Vec<&Matcher>) = part.matchers.iter().partition(|it| it.label == "le");
    let [le] = le.as_slice() else { return None };
    let own = kilter_contract::find(name).is_some();
    let fits = counters.side == Side::Good && !own && rest == total.matchers.iter().collect::<Vec<_>>();
    if !fits || !Target::Latency.exists() {
        return None;
    }
    let seconds = le.value.trim_end_matches("(\\.0)?").parse::<Decimal>().ok()?;
    let millis = seconds.shift_right(3).to_string().parse::<u64>().ok().filter(|it| *it > 0)?;
    let matchers: Vec<String> =
        total.matchers.iter().map(|it| format!("{}{}{}", it.label, it.sign(), quote(&it.value))).collect();
    let at = counters.part.range;
    let histogram = Text::new(select(name, &matchers), at);
    let slower_than = Text::new(Duration::from_millis(millis).to_string(), at);
    Some(Sli::Other(Target::Latency, texts(at, &[("histogram", histogram), ("slower_than", slower_than)])))
}

/// Whether one side counts what failed, or what did not, among the other.
fn is_error(part: &Selector, total: &Selector, side: Side) -> bool {
    let (extra, rest): (Vec<&Matcher>, Vec<&Matcher>) =
        part.matchers.iter().partition(|it| it.label == http::ERROR_TYPE.key);
    let kinds = error_type::KINDS.iter().filter(|it| **it != error_type::CLIENT_DISCONNECT);
    let failed: Vec<&str> = kinds.copied().chain(["500", "503"]).collect();
    let wanted = side == Side::Errors;
    part.metric == total.metric
        && !extra.is_empty()
        && rest == total.matchers.iter().collect::<Vec<_>>()
        && failed.iter().all(|kind| extra.iter().all(|it| it.accepts(kind)) == wanted)
        && extra.iter().all(|it| it.accepts("")) != wanted
}

/// Which requests a selector counts, in words of our file.
struct Scope {
    routes: Vec<String>,
    methods: Vec<String>,
    matched_only: bool,
    job: bool,
    error_type: bool,
}

impl Scope {
    /// `None` when it narrows by anything that an `http_server` SLI does not know.
    fn read(total: &Selector, service: &str) -> Option<Self> {
        let mut scope =
            Self { routes: Vec::new(), methods: Vec::new(), matched_only: false, job: false, error_type: false };
        for matcher in &total.matchers {
            match matcher.label.as_str() {
                "job" if matcher.sign() == "=" && matcher.value == service => scope.job = true,
                it if it == http::ROUTE.key && !matcher.accepts("") && matcher.value.is_empty() => {
                    scope.matched_only = true;
                }
                it if it == http::ROUTE.key && scope.routes.is_empty() => {
                    scope.routes = literals(matcher)?.into_iter().filter(|it| it.starts_with('/')).collect();
                    scope.matched_only = true;
                    (!scope.routes.is_empty()).then_some(())?;
                }
                it if it == http::METHOD.key && scope.methods.is_empty() => {
                    scope.methods = literals(matcher)?;
                    scope.methods.iter().all(|it| http::METHODS.contains(&it.as_str())).then_some(())?;
                }
                // The latency SLI's own: what did not fail, and whose client gave up.
                it if it == http::ERROR_TYPE.key && matcher.accepts("") && !matcher.accepts("500") => {
                    scope.error_type = true;
                }
                _ => return None,
            }
        }
        Some(scope)
    }

    /// What differs from the two queries.
    fn tell(&self, service: &str, counters: &Counters, part: &Selector, latency: bool, report: &mut Report<'_, '_>) {
        let at = counters.total.range;
        let help = "docs/slo-file.md says why; to measure just these series, use an `events` SLI";
        if !self.job {
            let message = format!(
                "an `http_server` SLI counts the service's own series, by default those with job=\"{service}\"; this query counts every job's"
            );
            report.differs(at, message, "set `selector` in kilter.yaml when the service's series are found otherwise");
        }
        if !self.matched_only {
            report.differs(at, "an `http_server` SLI leaves out requests that no route matched", help);
        }
        let key = http::ERROR_TYPE.key;
        let left =
            part.matchers.iter().filter(|it| it.label == key).all(|it| it.accepts(error_type::CLIENT_DISCONNECT));
        if !latency && left == (counters.side == Side::Errors) {
            report.differs(counters.part.range, "a client that leaves is no error of an `http_server` SLI", help);
        }
        if latency && !self.error_type {
            let message = "a latency SLI counts requests that did not fail and those whose client gave up";
            report.differs(at, message, help);
        }
    }
}

/// The values that a matcher allows, when it lists them.
pub(super) fn literals(matcher: &Matcher) -> Option<Vec<String>> {
    match matcher.sign() {
        "=" => Some(vec![matcher.value.clone()]),
        "=~" => matcher.value.split('|').map(literal).collect(),
        _ => None,
    }
}

/// A regular expression that matches one text only.
fn literal(regex: &str) -> Option<String> {
    let (mut text, mut chars) = (String::new(), regex.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next().filter(|it| !it.is_ascii_alphanumeric())?),
            '.' | '+' | '*' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' => return None,
            c => text.push(c),
        }
    }
    (!text.is_empty()).then_some(text)
}

/// The bound that an `le` matcher names, when the contract has it.
fn bound(le: &Matcher) -> Option<Duration> {
    let nanos = http::DURATION_BUCKETS.nanos().iter().find(|nanos| {
        let text = kilter_contract::le_text(**nanos);
        le.sign() != "!=" && le.sign() != "!~" && [text.trim_end_matches(".0"), &text].iter().any(|it| le.accepts(it))
    })?;
    let others = http::DURATION_BUCKETS.nanos().iter().filter(|it| *it != nanos);
    let one = others.into_iter().all(|it| !le.accepts(&kilter_contract::le_text(*it)));
    (one && !le.accepts("+Inf")).then(|| Duration::from_millis(nanos / 1_000_000))
}

/// Names that are not ours become the nearest of ours.
pub(super) fn name(text: &Text, what: &str, report: &mut Report<'_, '_>) -> Option<Text> {
    if text.text.parse::<crate::model::Name>().is_ok() {
        return Some(text.clone());
    }
    let shown = crate::spec::check::printable(&text.text);
    let legal = crate::resolve::suggestion(&text.text).filter(|it| it.parse::<crate::model::Name>().is_ok());
    let Some(legal) = legal else {
        report.error(
            Code::BadName,
            text.range,
            format!("`{shown}` is no name for {what}"),
            "1 to 40 letters, digits and dashes",
        );
        return None;
    };
    report.differs(
        text.range,
        format!("{what} `{shown}` becomes `{legal}`: names are lower-case letters, digits and dashes, 40 at most"),
        "use the new name in dashboards and silences",
    );
    Some(Text::new(legal, text.range))
}

/// An objective of ours from a percentage or a share.
pub(super) fn objective(text: &Text, percent: bool, report: &mut Report<'_, '_>) -> Option<Text> {
    let decimal = text.text.trim().parse::<Decimal>();
    let share = decimal.map(|it| if percent { it.shift_left(2) } else { it });
    if let Some(objective) = share.ok().and_then(crate::model::Objective::new) {
        return Some(Text::new(objective.percent(), text.range));
    }
    let (example, most) = if percent { ("99.9", "100") } else { ("0.999", "1") };
    let message = format!(
        "`{}` is no objective: it lies between 0 and {most}, without either",
        crate::spec::check::printable(&text.text)
    );
    report.error(Code::BadObjective, text.range, message, format!("for example: {example}"));
    None
}
