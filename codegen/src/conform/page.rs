//! One page, read once from its first line to its last. What is kept of a series is a hash and its place, of a label up to
//! ten thousand values, so that memory stays below a few times the page, whatever stands on it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::expected::Expected;
use super::found::{Found, text};
use super::histogram::Histogram;
use super::openmetrics;
use super::slo::Wants;
use super::unbounded::Look;
use crate::diagnostic::{Code, Severity};
use crate::exposition::{Flaw, Form, Line, MARK, Meta, NO_EXEMPLARS, Raw, RawLabel, Says, record, records};
use crate::spec::check::printable;
use crate::yaml::Range;

/// How many values of a label are told apart.
pub(super) const MOST_VALUES: usize = 10_000;

/// A finding about the page and none of its families.
pub(super) const PAGE: usize = usize::MAX;

/// One family, as the page has it.
#[derive(Debug, Default)]
pub(super) struct Family<'a, 'e> {
    pub(super) name: &'a str,
    /// The first mention of its name.
    pub(super) first: Range,
    /// What `TYPE` says, and where.
    pub(super) kind: Option<(&'a str, Range)>,
    pub(super) help: Option<(&'a str, Range)>,
    pub(super) unit: Option<(&'a str, Range)>,
    pub(super) series: usize,
    /// Whether a series ends in `_total` that its family does not end in.
    pub(super) totals: bool,
    pub(super) labels: Vec<(&'a str, Values<'a>)>,
    /// By the labels without `le`.
    pub(super) histograms: HashMap<String, Histogram>,
    pub(super) expected: Option<&'e Expected>,
    /// Another family's line came after its own.
    closed: bool,
}

/// Values of a label of a family.
#[derive(Debug, Default)]
pub(super) struct Values<'a> {
    pub(super) distinct: HashSet<Cow<'a, str>>,
    /// There are more.
    pub(super) more: bool,
    /// What they look like: how many, the place of the first, and that one.
    pub(super) looks: Vec<(Look, usize, Range, String)>,
}

/// What is read.
pub(super) struct Page<'a, 'e> {
    text: &'a str,
    form: Form,
    pub(super) openmetrics: bool,
    pub(super) families: Vec<Family<'a, 'e>>,
    by_name: HashMap<&'a str, usize>,
    /// Series by their hash, with the place of their last line.
    seen: HashMap<u64, usize>,
    current: Option<usize>,
    pub(super) series: usize,
    pub(super) found: Found<'a>,
    expected: &'e BTreeMap<String, Expected>,
}

impl<'a, 'e> Page<'a, 'e> {
    /// Reads it, and shows each series to whoever wants one.
    pub(super) fn read(
        whole: &'a str,
        form: Form,
        expected: &'e BTreeMap<String, Expected>,
        wants: &mut Wants,
    ) -> Self {
        let mut page = Page {
            text: whole,
            form,
            openmetrics: form == Form::OpenMetrics,
            families: Vec::new(),
            by_name: HashMap::new(),
            seen: HashMap::new(),
            current: None,
            series: 0,
            found: Found::default(),
            expected,
        };
        let mut end = None;
        if whole.starts_with(MARK) {
            page.refused(Flaw { why: "begins with a byte-order mark", at: Range { start: 0, end: MARK.len_utf8() } });
        }
        for (start, line, read) in records(whole, form) {
            if line.ends_with('\r') {
                let at = Range { start: start + line.trim_end().len(), end: start + line.len() };
                page.refused(Flaw { why: "ends in a carriage return", at });
            }
            if let Some(at) = end.filter(|_| read != Line::Blank) {
                page.found.tell((Severity::Error, Code::OpenMetrics), (PAGE, "after"), at, || {
                    text("the page goes on after `# EOF`", "nothing stands behind the end: is this two pages in one?")
                });
            }
            if page.openmetrics && start < whole.len() {
                openmetrics::strict(line, start, &read, &mut page.found);
            }
            match read {
                Line::Blank => {}
                Line::End => end = Some(Range { start, end: start + line.trim_end().len() }),
                Line::Meta(meta) => page.meta(&meta),
                Line::Sample(raw) => page.sample(&raw, start, wants),
                Line::Unread(flaw) => page.refused(flaw),
            }
        }
        if page.openmetrics && end.is_none() {
            let last = whole.trim_end().rfind('\n').map_or(0, |it| it + 1);
            let at = Range { start: last, end: whole.trim_end().len() };
            page.found.tell((Severity::Error, Code::OpenMetrics), (PAGE, "end"), at, || {
                text(
                    "the page is OpenMetrics and does not end in `# EOF`",
                    "end it with a line `# EOF`: a reader takes it for cut off; the text format has no such end, but no exemplars either",
                )
            });
        }
        page
    }

    fn refused(&mut self, flaw: Flaw) {
        let help = match flaw.why {
            NO_EXEMPLARS => {
                "Prometheus takes nothing of such a page: leave exemplars out, or let the Content-Type say that it is OpenMetrics"
            }
            _ => {
                "Prometheus takes nothing of a page with such a line; client libraries write none: is it put together by hand?"
            }
        };
        self.found.tell((Severity::Error, Code::PageLine), (PAGE, flaw.why), flaw.at, || {
            text(format!("this line {}", flaw.why), help)
        });
    }

    /// The family of this name, whose lines go on here.
    fn family(&mut self, name: &'a str, at: Range) -> usize {
        let next = self.families.len();
        let index = *self.by_name.entry(name).or_insert(next);
        if index == next {
            self.families.push(Family { name, first: at, ..Family::default() });
        }
        if self.current != Some(index) {
            if let Some(before) = self.current.and_then(|it| self.families.get_mut(it)) {
                before.closed = true;
            }
            self.current = Some(index);
            if self.families[index].closed {
                let severity = if self.openmetrics { Severity::Error } else { Severity::Warning };
                self.found.tell((severity, Code::FamilyTorn), (index, "torn"), at, || {
                    text(
                        format!("more lines of `{name}` stand here, apart from its others"),
                        "all lines of a family stand together: is the metric registered twice?",
                    )
                });
            }
        }
        index
    }

    fn meta(&mut self, meta: &Meta<'a>) {
        if let Some(flaw) = meta.flaw {
            self.refused(flaw);
        }
        let index = self.family(meta.name, meta.name_at);
        let openmetrics = self.openmetrics;
        let family = &mut self.families[index];
        let place = match meta.says {
            Says::Help => &mut family.help,
            Says::Type => &mut family.kind,
            Says::Unit => &mut family.unit,
        };
        let (twice, late) = (place.is_some(), family.series > 0 && meta.says == Says::Type);
        place.get_or_insert((meta.text, meta.text_at));
        if twice || late && !openmetrics {
            let severity = if openmetrics || late { Severity::Error } else { Severity::Warning };
            let severity = if twice && !openmetrics { Severity::Warning } else { severity };
            self.found.tell((severity, Code::FamilyTorn), (index, "twice"), meta.name_at, || {
                let why = if twice { "is announced a second time" } else { "has its TYPE behind its first series" };
                text(format!("`{}` {why}", meta.name), "what is said of a family stands once, before its series")
            });
        }
        if meta.says == Says::Type {
            let known: &[&str] = if openmetrics {
                &["counter", "gauge", "histogram", "summary", "unknown", "info", "stateset", "gaugehistogram"]
            } else {
                &["counter", "gauge", "histogram", "summary", "untyped"]
            };
            if !known.contains(&meta.text) {
                let help = format!("types are: {}", known.join(", "));
                self.found.tell((Severity::Error, Code::PageLine), (index, "type"), meta.text_at, || {
                    text(format!("`{}` is no type", printable(meta.text)), help)
                });
            }
        }
    }

    /// The name of the family that a series belongs to.
    fn family_of(&self, raw: &Raw<'a>) -> &'a str {
        const FORMS: &[(&str, &[&str])] = &[
            ("_bucket", &["histogram", "gaugehistogram"]),
            ("_sum", &["histogram", "summary"]),
            ("_count", &["histogram", "summary"]),
            ("_gsum", &["gaugehistogram"]),
            ("_gcount", &["gaugehistogram"]),
            ("_total", &["counter"]),
            ("_created", &["counter", "histogram", "summary"]),
            ("_info", &["info"]),
        ];
        let known = |name: &str| self.by_name.get(name).map(|index| &self.families[*index]);
        if known(raw.name).is_some_and(|it| it.kind.is_some()) {
            return raw.name;
        }
        for (form, kinds) in FORMS {
            let Some(stem) = raw.name.strip_suffix(form) else { continue };
            let announced = known(stem).is_some_and(|it| match it.kind {
                Some((kind, _)) => kinds.contains(&kind),
                None => !it.histograms.is_empty(),
            });
            if announced || *form == "_bucket" && raw.labels.iter().any(|it| it.key == "le") {
                return stem;
            }
        }
        raw.name
    }

    fn sample(&mut self, raw: &Raw<'a>, start: usize, wants: &mut Wants) {
        if let Some(flaw) = raw.flaw {
            self.refused(flaw);
        }
        let index = self.family(self.family_of(raw), raw.name_at);
        if self.goes_on(raw, start, index) {
            return;
        }
        self.series += 1;
        wants.see(raw);
        let family = &mut self.families[index];
        if family.series == 0 {
            let expected = self.expected;
            family.expected = expected.get(family.name).or_else(|| expected.get(raw.name));
        }
        family.series += 1;
        family.totals |= raw.name.len() > family.name.len() && raw.name.ends_with("_total");
        let form = raw.name.get(family.name.len()..).unwrap_or_default();
        if form == "_created" {
            return;
        }
        let info = raw.name.ends_with("_info") || family.kind.is_some_and(|(it, _)| it == "info");
        for label in raw.present() {
            let at = family.labels.iter().position(|(key, _)| *key == label.key).unwrap_or_else(|| {
                family.labels.push((label.key, Values::default()));
                family.labels.len() - 1
            });
            family.labels[at].1.add(label, info);
        }
        self.value(raw, index, form);
        self.histogram(raw, index, form);
        if let Some(exemplar) = &raw.exemplar {
            self.exemplar(exemplar, index, form);
        }
        if let Some(expected) = self.families[index].expected {
            super::labels::check(raw, expected, index, &mut self.found);
        }
    }

    /// A series stands there once, or with timestamps that rise: whether this is a later sample of one.
    fn goes_on(&mut self, raw: &Raw<'a>, start: usize, index: usize) -> bool {
        let series = |raw: &Raw<'_>| {
            let mut labels: Vec<(String, String)> =
                raw.present().map(|it| (it.key.to_owned(), it.value.clone().into_owned())).collect();
            labels.sort();
            (raw.name.to_owned(), labels)
        };
        let mut labels: Vec<(&str, &str)> = raw.present().map(|it| (it.key, &*it.value)).collect();
        labels.sort_unstable();
        let mut hasher = DefaultHasher::new();
        (raw.name, labels).hash(&mut hasher);
        let Some(other) = self.seen.insert(hasher.finish(), start) else { return false };
        // Two series can have one hash.
        let (_, Line::Sample(before)) = record(self.text, other, self.form) else { return false };
        if series(&before) != series(raw) {
            return false;
        }
        // Without a timestamp it is that of the scrape.
        let time = |it: &Raw<'_>| it.timestamp.unwrap_or(f64::INFINITY);
        if time(raw) > time(&before) {
            return true;
        }
        self.found.tell((Severity::Error, Code::SeriesTwice), (index, "twice"), raw.name_at, || {
            let (line, _) = crate::diagnostic::report::position(self.text, other);
            text(
                format!("this series of `{}` stands on line {line} already", raw.name),
                "Prometheus keeps one of the two: is the metric registered twice, or a label missing that tells them apart?",
            )
        });
        false
    }

    fn value(&mut self, raw: &Raw<'a>, index: usize, form: &str) {
        let family = &self.families[index];
        let kind = family.kind.map_or("", |(it, _)| it);
        let counts =
            matches!((kind, form), ("counter", "" | "_total") | ("histogram" | "summary", "_bucket" | "_count"))
                || form == "_bucket";
        let ours = family.expected.is_some();
        let wrong = if counts { !raw.value.is_finite() || raw.value < 0.0 } else { ours && !raw.value.is_finite() };
        if !wrong {
            return;
        }
        let severity = if ours { Severity::Error } else { Severity::Warning };
        self.found.tell((severity, Code::OddValue), (index, "value"), raw.value_at, || {
            let what = if counts { "counts events" } else { "is a number" };
            text(
                format!("`{}` {what} and cannot be {}", raw.name, raw.value),
                "is a division by zero, a difference or a wrong type behind it? Leave the series out while there is no value",
            )
        });
    }

    fn histogram(&mut self, raw: &Raw<'a>, index: usize, form: &str) {
        let family = &mut self.families[index];
        let is_one = matches!(family.kind, None | Some(("histogram", _)));
        if !is_one || !["_bucket", "_count"].contains(&form) {
            return;
        }
        let mut key: Vec<String> =
            raw.present().filter(|it| it.key != "le").map(|it| format!("{}={:?}", it.key, it.value)).collect();
        key.sort_unstable();
        let histogram = family.histograms.entry(key.join(",")).or_insert_with(|| Histogram::at(raw.name_at));
        if form == "_count" {
            histogram.count = Some((raw.value, raw.value_at));
            return;
        }
        let le = raw.labels.iter().find(|it| it.key == "le");
        let at = le.map_or(raw.name_at, |it| it.at);
        if let Some(bound) = le.and_then(|it| it.value.parse::<f64>().ok()).filter(|it| !it.is_nan()) {
            histogram.buckets.push((bound, raw.value, at));
            return;
        }
        let severity = if family.expected.is_some() { Severity::Error } else { Severity::Warning };
        self.found.tell((severity, Code::PageBuckets), (index, "le"), at, || {
            text(
                format!("a bucket of `{}` has no bound that is a number", raw.name),
                "every bucket has a label le, such as le=\"0.25\" or le=\"+Inf\"",
            )
        });
    }

    fn exemplar(&mut self, exemplar: &crate::exposition::Exemplar<'a>, index: usize, form: &str) {
        let length: usize = exemplar.labels.iter().map(|it| it.key.chars().count() + it.value.chars().count()).sum();
        let why = if !["_bucket", "_total"].contains(&form) && !self.families[index].name.ends_with("_total") {
            "exemplars stand behind buckets and counters only"
        } else if length > 128 {
            "the labels of an exemplar are longer than 128 characters"
        } else {
            return;
        };
        self.found.tell((Severity::Error, Code::OpenMetrics), (index, why), exemplar.at, || {
            text(why, "keep the ids of trace and span, as in {trace_id=\"...\"}, and nothing else")
        });
    }
}

impl<'a> Values<'a> {
    fn add(&mut self, label: &RawLabel<'a>, info: bool) {
        if self.distinct.contains(&label.value) {
            return;
        }
        if self.distinct.len() >= MOST_VALUES {
            self.more = true;
            return;
        }
        self.distinct.insert(label.value.clone());
        // What a process says of itself, once, may be as random as it likes.
        let Some(look) = Look::of(label.key, &label.value).filter(|_| !info) else { return };
        match self.looks.iter_mut().find(|(it, ..)| *it == look) {
            Some((_, count, ..)) => *count += 1,
            None => self.looks.push((look, 1, label.at, label.value.to_string())),
        }
    }

    /// How many there are, in words.
    pub(super) fn count(&self) -> String {
        if self.more { format!("more than {MOST_VALUES}") } else { self.distinct.len().to_string() }
    }
}
