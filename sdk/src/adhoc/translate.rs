//! The ad-hoc page, line by line, into the format that is asked for, in an order that does not change from page to page.
//! What is not understood is left out with its whole family and counted: nothing ad-hoc can ever fail the scrape.

use std::collections::BTreeSet;

/// A page's worth of ad-hoc families.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Translated {
    pub(crate) text: String,
    /// Families that were left out.
    pub(crate) refused: usize,
}

#[derive(Debug, Default)]
struct Family<'a> {
    name: &'a str,
    kind: &'a str,
    help: Option<&'a str>,
    samples: Vec<&'a str>,
    broken: bool,
}

/// Translates a text page; `openmetrics` chooses the format.
pub(crate) fn translate(page: &str, openmetrics: bool) -> Translated {
    let mut done = Translated::default();
    let mut families = families(page);
    families.sort_by_key(|it| it.name);
    let names: BTreeSet<&str> = families.iter().map(|it| it.name).collect();
    let mut series = BTreeSet::new();
    for family in &mut families {
        family.sort();
        let own: Vec<String> = family.forms().iter().map(|form| format!("{}{form}", family.name)).collect();
        let fits = !family.broken && own.iter().all(|it| !series.contains(it));
        match fits.then(|| write(family, openmetrics, &names)).flatten() {
            Some(text) => {
                series.extend(own);
                done.text.push_str(&text);
            }
            None => done.refused += 1,
        }
    }
    done
}

impl<'a> Family<'a> {
    /// What the names of its series add to its own.
    fn forms(&self) -> &'static [&'static str] {
        match self.kind {
            "histogram" => &["_bucket", "_sum", "_count"],
            "summary" => &["", "_sum", "_count"],
            "counter" | "gauge" | "untyped" => &[""],
            _ => &[],
        }
    }

    /// Sorts its label sets; the lines of one, such as the buckets of a histogram up to its count, stay as they are.
    fn sort(&mut self) {
        let whole = self.forms().len() > 1;
        let ends_set = |line: &&'a str| !whole || name_of(line).ends_with("_count");
        let mut sets: Vec<&[&'a str]> = self.samples.split_inclusive(ends_set).collect();
        sets.sort();
        self.samples = sets.concat();
    }
}

fn name_of(sample: &str) -> &str {
    &sample[..sample.find(['{', ' ']).unwrap_or(sample.len())]
}

fn families(page: &str) -> Vec<Family<'_>> {
    let mut all: Vec<Family<'_>> = Vec::new();
    let mut help: Option<(&str, &str)> = None;
    for line in page.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = Some(rest.split_once(' ').unwrap_or((rest, "")));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, ""));
            let help = help.take().filter(|(of, _)| *of == name).map(|(_, text)| text);
            all.push(Family { name, kind, help, ..Family::default() });
        } else if let Some(family) = all.last_mut() {
            family.broken |= line.starts_with('#') || !belongs(line, family);
            family.samples.push(line);
        }
    }
    all
}

/// Whether a sample is the family's own, with a value that averages survive: a gauge can be added up to an infinity.
fn belongs(line: &str, family: &Family<'_>) -> bool {
    let form = name_of(line).strip_prefix(family.name);
    let value = line.rsplit(' ').next().unwrap_or_default();
    form.is_some_and(|form| family.forms().contains(&form)) && value.parse::<f64>().is_ok_and(f64::is_finite)
}

/// The family's text; `None` when it cannot be said in the format.
fn write(family: &Family<'_>, openmetrics: bool, names: &BTreeSet<&str>) -> Option<String> {
    let (name, kind) = match (openmetrics, family.kind) {
        (true, "counter") => match family.name.strip_suffix("_total").filter(|stem| !names.contains(stem)) {
            Some(stem) => (stem, "counter"),
            // OpenMetrics has no counter without `_total`, and no two families of one stem; renaming it would rename
            // the series, so its type is what gives way.
            None => (family.name, "unknown"),
        },
        (true, "untyped") => (family.name, "unknown"),
        (_, kind) => (family.name, kind),
    };
    let mut text = String::new();
    if let Some(help) = family.help {
        let help = if openmetrics { help.replace('"', "\\\"") } else { help.to_owned() };
        text.push_str(&format!("# HELP {name} {help}\n"));
    }
    text.push_str(&format!("# TYPE {name} {kind}\n"));
    for sample in &family.samples {
        text.push_str(&canonical(sample)?);
        text.push('\n');
    }
    Some(text)
}

/// `le` and `quantile` as canonical floats, the same in both formats, so that a change of format renames nothing.
fn canonical(sample: &str) -> Option<String> {
    for key in ["le=\"", "quantile=\""] {
        let Some(at) = sample.find(&format!("{{{key}")).or_else(|| sample.find(&format!(",{key}"))) else { continue };
        let start = at + 1 + key.len();
        let end = start + sample[start..].find('"')?;
        let bound = &sample[start..end];
        if bound == "+Inf" {
            return Some(sample.to_owned());
        }
        let value: f64 = bound.parse().ok()?;
        return Some(format!("{}{value:?}{}", &sample[..start], &sample[end..]));
    }
    Some(sample.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_without_total_become_unknown_and_keep_their_names() {
        let page = "# HELP jobs Said \"so\"\n# TYPE jobs counter\njobs{a=\"x\"} 1\n\n# TYPE hooks_total counter\nhooks_total 2\n";
        assert_eq!(
            translate(page, true).text,
            "# TYPE hooks counter\nhooks_total 2\n# HELP jobs Said \\\"so\\\"\n# TYPE jobs unknown\njobs{a=\"x\"} 1\n"
        );
        assert!(translate(page, false).text.contains("# TYPE hooks_total counter\nhooks_total 2\n"));
    }

    #[test]
    fn bounds_are_canonical_in_both_formats() {
        let page = "# TYPE d histogram\nd_bucket{x=\"1\",le=\"1\"} 1\nd_bucket{x=\"1\",le=\"+Inf\"} 1\nd_sum{x=\"1\"} 1\nd_count{x=\"1\"} 1\n";
        for openmetrics in [false, true] {
            assert!(translate(page, openmetrics).text.contains("le=\"1.0\"} 1\n"));
        }
    }

    #[test]
    fn what_is_not_understood_is_left_out_alone() {
        let page = "# TYPE a gauge\na 1\n# TYPE b gauge\nb one\n# TYPE c frob\nc 1\n# TYPE e counter\n# WAT\ne 1\n# TYPE f gauge\nf 2\n# TYPE g gauge\ng inf\n# TYPE h gauge\nh NaN\n";
        let done = translate(page, true);
        assert_eq!((done.text.as_str(), done.refused), ("# TYPE a gauge\na 1\n# TYPE f gauge\nf 2\n", 5));
    }

    #[test]
    fn families_of_one_stem_keep_their_names_and_values() {
        let page = "# TYPE pushes_total counter\npushes_total 2\n# TYPE pushes counter\npushes 1\n";
        assert_eq!(
            translate(page, true).text,
            "# TYPE pushes unknown\npushes 1\n# TYPE pushes_total unknown\npushes_total 2\n"
        );
    }

    #[test]
    fn a_series_of_another_family_is_not_exposed_twice() {
        let page = "# TYPE d_count gauge\nd_count 7\n# TYPE d histogram\nd_bucket{le=\"+Inf\"} 1\nd_sum 1\nd_count 1\n";
        let done = translate(page, false);
        assert!(done.refused == 1 && done.text.contains("d_count 1\n") && !done.text.contains("d_count 7\n"));
    }

    #[test]
    fn the_order_of_the_page_does_not_matter() {
        let sets = [
            "d_bucket{a=\"1\",le=\"+Inf\"} 1\nd_sum{a=\"1\"} 1\nd_count{a=\"1\"} 1\n",
            "d_bucket{a=\"2\",le=\"1\"} 0\nd_bucket{a=\"2\",le=\"+Inf\"} 1\nd_sum{a=\"2\"} 1\nd_count{a=\"2\"} 1\n",
        ];
        let [one, two] = sets;
        let gauges = "# TYPE b gauge\nb{x=\"2\"} 1\nb{x=\"1\"} 2\n";
        let either = translate(&format!("{gauges}# TYPE d histogram\n{two}{one}"), false);
        assert_eq!(either, translate(&format!("# TYPE d histogram\n{one}{two}{gauges}"), false));
        let order =
            ["b{x=\"1\"}", "b{x=\"2\"}", "a=\"1\"", "le=\"1.0\"", "d_count{a=\"2\"}"].map(|it| either.text.find(it));
        assert!(order.is_sorted() && order[0].is_some(), "{}", either.text);
    }
}
