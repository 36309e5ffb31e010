//! A metrics page as values: the text format 0.0.4 and OpenMetrics, read with patience.
//!
//! A page is somebody else's output, so a line that is none is noted and left out; it never ends the reading.

mod line;
mod record;

use std::collections::BTreeMap;

pub use line::{Exemplar, Flaw, Line, Meta, NO_EXEMPLARS, Raw, RawLabel, Says, read};
pub use record::{MARK, lines, record, records};

/// The format of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// The text format 0.0.4.
    #[default]
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Form {
    /// What Prometheus takes a page for that is served with this Content-Type.
    pub fn of_type(content_type: &str) -> Self {
        let media = content_type.split(';').next().unwrap_or_default().trim();
        if media.eq_ignore_ascii_case("application/openmetrics-text") { Self::OpenMetrics } else { Self::Text }
    }

    /// What a page is of which nothing says it: only OpenMetrics ends in `# EOF`, and only OpenMetrics has exemplars. An
    /// `# EOF` elsewhere, or a UNIT, is a comment of the text format.
    pub fn of(page: &str) -> Self {
        let exemplar = |at: usize| {
            let start = page[..at].rfind('\n').map_or(0, |it| it + 1);
            let line = page[start..].split('\n').next().unwrap_or_default();
            matches!(read(line, start, Self::OpenMetrics), Line::Sample(Raw { exemplar: Some(_), .. }))
        };
        let last = page.trim_end().rsplit('\n').next().unwrap_or_default();
        let open = last == "# EOF" || page.match_indices(" # {").any(|(at, _)| exemplar(at));
        if open { Self::OpenMetrics } else { Self::Text }
    }
}

/// Everything on a page that can be queried.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// By the name that queries use: a histogram without its forms, a counter with its `_total`.
    pub families: BTreeMap<String, Family>,
    /// Lines that are none of the format, and the number of the first of them.
    pub unread: Option<Unread>,
}

/// What could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// The first line, from 1.
    pub line: usize,
    /// How many.
    pub count: usize,
}

/// One metric with all its series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Family {
    /// Its type.
    pub kind: Kind,
    /// Its samples, in the order of the page.
    pub samples: Vec<Sample>,
}

/// The type of a metric, as the page says it or as its name shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// Rises only.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Classic, with `_bucket`, `_sum` and `_count`.
    Histogram,
    /// Quantiles that the service computed.
    Summary,
    /// Not said.
    #[default]
    Unknown,
}

/// One series and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name as it stands on the page, such as `x_bucket`.
    pub name: String,
    /// Label keys and values.
    pub labels: Vec<(String, String)>,
    /// Its value.
    pub value: f64,
}

impl From<Raw<'_>> for Sample {
    fn from(raw: Raw<'_>) -> Self {
        let labels = raw.labels.into_iter().map(|it| (it.key.to_owned(), it.value.into_owned())).collect();
        Self { name: raw.name.to_owned(), labels, value: raw.value }
    }
}

impl Sample {
    /// The value of a label; empty when it is absent, as in PromQL.
    pub fn label(&self, key: &str) -> &str {
        self.labels.iter().find(|(it, _)| it == key).map_or("", |(_, value)| value)
    }
}

/// Reads a page.
pub fn parse(text: &str) -> Page {
    let mut page = Page::default();
    let mut kinds: BTreeMap<&str, Kind> = BTreeMap::new();
    let mut number = 1;
    for (_, line, is) in records(text, Form::of(text)) {
        let first = number;
        number += line.matches('\n').count() + 1;
        match is {
            Line::Meta(meta) if meta.says == Says::Type => drop(kinds.insert(meta.name, kind_of(meta.text))),
            // When a series was made is no series of the service's.
            Line::Sample(raw) if raw.name.ends_with("_created") && raw.value > 1e9 => {}
            Line::Sample(raw) => {
                let sample = Sample::from(raw);
                let (family, kind) = family_of(&sample, &kinds);
                let family = page.families.entry(family).or_insert_with(|| Family { kind, samples: Vec::new() });
                family.samples.push(sample);
            }
            Line::Unread(_) => page.unread.get_or_insert(Unread { line: first, count: 0 }).count += 1,
            Line::Blank | Line::End | Line::Meta(_) => {}
        }
    }
    page
}

fn kind_of(word: &str) -> Kind {
    match word {
        "counter" => Kind::Counter,
        "gauge" | "info" | "stateset" => Kind::Gauge,
        "histogram" => Kind::Histogram,
        "summary" => Kind::Summary,
        _ => Kind::Unknown,
    }
}

/// The family of a sample and its type. OpenMetrics announces a counter without its `_total`.
fn family_of(sample: &Sample, kinds: &BTreeMap<&str, Kind>) -> (String, Kind) {
    let name = sample.name.as_str();
    for form in ["_bucket", "_sum", "_count"] {
        let Some(stem) = name.strip_suffix(form) else { continue };
        match kinds.get(stem) {
            Some(kind @ (Kind::Histogram | Kind::Summary)) => return (stem.to_owned(), *kind),
            None if form == "_bucket" && !sample.label("le").is_empty() => return (stem.to_owned(), Kind::Histogram),
            _ => {}
        }
    }
    let said = kinds.get(name).or_else(|| kinds.get(name.strip_suffix("_total").unwrap_or(name)));
    let kind = match said {
        Some(kind) if *kind != Kind::Unknown => *kind,
        _ if name.ends_with("_total") => Kind::Counter,
        _ => Kind::Unknown,
    };
    (name.to_owned(), kind)
}

/// One histogram series: its labels without `le`, and the events at or below each bound, in rising order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// Cumulated counts by bound, without `+Inf`.
    pub buckets: Vec<(f64, f64)>,
    /// All events.
    pub count: f64,
}

impl Histogram {
    /// The series among these samples that fit, added up. Bounds that not every series has are left out.
    pub fn sum<'a>(samples: impl IntoIterator<Item = &'a Sample>, fits: &dyn Fn(&Sample) -> bool) -> Self {
        let mut counts: BTreeMap<u64, (f64, f64, usize)> = BTreeMap::new();
        let (mut count, mut series) = (0.0, 0);
        for sample in samples.into_iter().filter(|it| it.value.is_finite() && fits(it)) {
            match sample.label("le") {
                "" if sample.name.ends_with("_count") => {
                    count += sample.value;
                    series += 1;
                }
                "" | "+Inf" => {}
                le => {
                    let Some(bound) = le.parse::<f64>().ok().filter(|it| it.is_finite() && *it > 0.0) else { continue };
                    // The bits of positive floats sort as the floats do.
                    let entry = counts.entry(bound.to_bits()).or_insert((bound, 0.0, 0));
                    entry.1 += sample.value;
                    entry.2 += 1;
                }
            }
        }
        let everywhere = counts.into_values().filter(|(.., seen)| *seen >= series);
        Self { buckets: everywhere.map(|(bound, below, _)| (bound, below)).collect(), count }
    }

    /// Both together, over the bounds that both have.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        let at =
            |bound: f64| other.buckets.iter().find(|(it, _)| it.to_bits() == bound.to_bits()).map(|(_, below)| *below);
        let buckets = self.buckets.into_iter().filter_map(|(bound, below)| Some((bound, below + at(bound)?)));
        Self { buckets: buckets.collect(), count: self.count + other.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_give_the_same_families() {
        let text =
            "# HELP a_total Things.\n# TYPE a_total counter\na_total{k=\"x\\\"y\\\\z\\n\",e=\"\"} 3 1700000000000\n";
        let open = "# TYPE a counter\n# UNIT a things\na_total{k=\"x\\\"y\\\\z\\n\",e=\"\"} 3.0 # {trace_id=\"1\"} 0.1\na_created 1.7e9\n# EOF\n";
        assert_eq!(parse(text).families, parse(open).families);
        let sample = &parse(text).families["a_total"].samples[0];
        assert_eq!((sample.label("k"), sample.label("nothing")), ("x\"y\\z\n", ""));
        assert_eq!(parse(text).families["a_total"].kind, Kind::Counter);
    }

    #[test]
    fn a_value_goes_on_over_lines_in_the_text_format_only() {
        let page = "\u{feff}a{b=\"x\n# TYPE y\n\",c=\"\\\\\n\"} 1\nd{e=\"f\n";
        let read = parse(page);
        assert_eq!(read.unread, Some(Unread { line: 5, count: 1 }));
        assert_eq!(read.families["a"].samples[0].label("b"), "x\n# TYPE y\n");
        assert!(records(page, Form::OpenMetrics).all(|(_, _, it)| !matches!(it, Line::Sample(_))));
        // A broken page is read once, not again from each of its lines.
        for line in ["a{b=\"\n", "a{b=\"\\\"\n", "a{b=\",c=\",d=\"\n"] {
            assert_eq!(parse(&line.repeat(100_000)).unread.map(|it| it.count), Some(100_000));
        }
    }

    #[test]
    fn what_is_no_sample_is_counted_and_left_out() {
        let page = parse("ok 1\n{\"utf.8\"} 2\nbroken{a=\"b} 1\nno value\nnan NaN\n\u{d7ff} x\n");
        assert_eq!(page.unread, Some(Unread { line: 2, count: 4 }));
        assert_eq!(page.families.keys().collect::<Vec<_>>(), ["nan", "ok"]);
    }

    #[test]
    fn histograms_add_up_over_the_bounds_that_all_have() {
        let page = parse(
            "d_bucket{r=\"a\",le=\"0.1\"} 1\nd_bucket{r=\"a\",le=\"0.5\"} 9\nd_bucket{r=\"a\",le=\"+Inf\"} 10\nd_count{r=\"a\"} 10\n# TYPE d histogram\nd_bucket{r=\"b\",le=\"0.5\"} 90\nd_count{r=\"b\"} 90\n",
        );
        // The first samples stand before their TYPE; only the form tells what they are.
        assert_eq!(page.families["d"].kind, Kind::Histogram);
        let page = parse(
            "# TYPE d histogram\nd_bucket{r=\"a\",le=\"0.1\"} 1\nd_bucket{r=\"a\",le=\"0.5\"} 9\nd_count{r=\"a\"} 10\nd_bucket{r=\"b\",le=\"0.5\"} 90\nd_count{r=\"b\"} 90\n",
        );
        let all = Histogram::sum(&page.families["d"].samples, &|_| true);
        assert_eq!(all, Histogram { buckets: vec![(0.5, 99.0)], count: 100.0 });
        let one = Histogram::sum(&page.families["d"].samples, &|it| it.label("r") == "a");
        assert_eq!(one.buckets, [(0.1, 1.0), (0.5, 9.0)]);
        assert_eq!(one.plus(&all), Histogram { buckets: vec![(0.5, 108.0)], count: 110.0 });
    }
}
