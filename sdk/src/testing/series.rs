//! Series of a page, found by a selector; what is near is shown when nothing is found.

use std::fmt::Write as _;

/// A name and its label values, as a line of the page or a selector has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Series {
    name: String,
    labels: Vec<(String, String)>,
}

/// Most near misses that a failure shows.
const SHOWN: usize = 6;

/// The sum of what a selector matches; otherwise why there is none, with what is near.
pub(super) fn sum(page: &str, selector: &str) -> Result<f64, String> {
    let wanted = Series::read(selector).ok_or_else(|| {
        format!(
            "`{selector}` is no selector\n  write a name with labels in braces, such as orders_total{{channel=\"web\"}}"
        )
    })?;
    let all = lines(page);
    let matching = all.iter().filter(|(it, _)| wanted.matches(it)).map(|(_, value)| *value);
    matching.reduce(|a, b| a + b).ok_or_else(|| format!("no series is {selector}{}", near(&all, &wanted)))
}

/// What a failure says of the series that a selector matches.
pub(super) fn seen(page: &str, selector: &str) -> String {
    let Some(wanted) = Series::read(selector) else { return String::new() };
    shown("it is the sum of", lines(page).iter().filter(|(it, _)| wanted.matches(it)))
}

fn lines(page: &str) -> Vec<(Series, f64)> {
    let samples = page.lines().filter(|it| !it.starts_with('#'));
    samples
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(it, value)| Some((Series::read(it)?, value.parse().ok()?)))
        .collect()
}

fn near(all: &[(Series, f64)], wanted: &Series) -> String {
    let mut same: Vec<&(Series, f64)> = all.iter().filter(|(it, _)| it.name == wanted.name).collect();
    if !same.is_empty() {
        same.sort_by_key(|(it, _)| std::cmp::Reverse(wanted.labels.iter().filter(|label| it.has(label)).count()));
        return shown("this name has", same.into_iter().take(SHOWN));
    }
    let mut names: Vec<&str> = all.iter().map(|(it, _)| it.name.as_str()).collect();
    names.dedup();
    names.sort_by_key(|it| std::cmp::Reverse(common(it, &wanted.name)));
    format!("\n  nothing on the page has this name; the nearest are: {}", names[..names.len().min(SHOWN)].join(", "))
}

/// Letters that two names have in common at both ends.
fn common(one: &str, other: &str) -> usize {
    let start = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let end = one.bytes().rev().zip(other.bytes().rev()).take_while(|(a, b)| a == b).count();
    (start + end).min(one.len().min(other.len()))
}

fn shown<'a>(what: &str, series: impl Iterator<Item = &'a (Series, f64)>) -> String {
    let mut text = format!("\n  {what}:");
    for (it, value) in series {
        let labels: Vec<String> = it.labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
        let _ = write!(text, "\n    {}{{{}}} {value}", it.name, labels.join(","));
    }
    text
}

impl Series {
    /// `name{key="value",...}`, with spaces wherever they do not matter; `None` for anything else.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, mut rest) = match text.find('{') {
            Some(at) => (text[..at].trim(), text[at + 1..].strip_suffix('}')?.trim()),
            None => (text, ""),
        };
        if name.is_empty() || name.contains([' ', '"', '}']) {
            return None;
        }
        let mut labels = Vec::new();
        while !rest.is_empty() {
            let (key, quoted) = rest.split_once('=')?;
            let (value, after) = unquoted(quoted.trim_start().strip_prefix('"')?)?;
            labels.push((key.trim().to_owned(), value));
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return None,
            };
        }
        Some(Self { name: name.to_owned(), labels })
    }

    /// Whether a series of the page is one of those that this selects: an empty value stands for an absent label.
    fn matches(&self, series: &Self) -> bool {
        self.name == series.name && self.labels.iter().all(|it| series.has(it))
    }

    fn has(&self, (key, value): &(String, String)) -> bool {
        self.labels.iter().find(|(it, _)| it == key).map_or("", |(_, it)| it) == value
    }
}

/// A value up to its closing quote, and what stands behind that.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# TYPE a_total counter\na_total{x=\"1\",y=\"a\\\"b\"} 2\na_total{x=\"2\"} 3\nlonely 7\n";

    #[test]
    fn selectors_add_up_what_they_match() {
        for (selector, value) in [
            ("a_total", 5.0),
            ("a_total{x=\"2\"}", 3.0),
            ("a_total{ y=\"a\\\"b\" , x=\"1\" }", 2.0),
            ("a_total{y=\"\"}", 3.0),
            ("lonely{}", 7.0),
        ] {
            assert_eq!(sum(PAGE, selector), Ok(value), "{selector}");
        }
    }

    #[test]
    fn what_is_not_there_shows_what_is_near() {
        let told = sum(PAGE, "a_total{x=\"9\",y=\"\"}").unwrap_err();
        assert_eq!(
            told,
            "no series is a_total{x=\"9\",y=\"\"}\n  this name has:\n    a_total{x=\"2\"} 3\n    a_total{x=\"1\",y=\"a\\\"b\"} 2"
        );
        let told = sum(PAGE, "b_total").unwrap_err();
        assert_eq!(told, "no series is b_total\n  nothing on the page has this name; the nearest are: a_total, lonely");
        for bad in ["", "a b", "a{x}", "a{x=1}", "a{x=\"1\"", "a{x=\"1\" y=\"2\"}", "a{x=\"1}"] {
            assert!(sum(PAGE, bad).unwrap_err().contains("is no selector"), "{bad}");
        }
    }
}
