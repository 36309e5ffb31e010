//! Thresholds: a line each, and labels of which none lies on another.

use super::Threshold;

/// Pixels of a letter, and of a label's height.
const LETTER: f64 = 6.8;
const HEIGHT: f64 = 14.0;
const GAP: f64 = 10.0;

/// A line with its label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    /// What is written.
    pub(super) name: String,
    /// Where the line lies.
    pub(super) line: f64,
    /// The label's right end, its base, and its width.
    pub(super) right: f64,
    pub(super) base: f64,
    pub(super) width: f64,
}

/// Equal thresholds become one. A label stands above its own line, at the right; where another one is, to the left of
/// that; where there is no room, below.
pub(super) fn marks(thresholds: &[Threshold], y: impl Fn(f64) -> f64, (left, right): (f64, f64)) -> Vec<Mark> {
    let mut merged: Vec<(f64, Vec<&str>)> = Vec::new();
    for it in thresholds {
        match merged.iter_mut().find(|known| known.0.to_bits() == it.value.to_bits()) {
            Some(known) => known.1.push(&it.name),
            None => merged.push((it.value, vec![&it.name])),
        }
    }
    merged.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut all: Vec<Mark> = Vec::new();
    for (value, names) in merged {
        let name = joined(&names);
        let (line, width) = (y(value), LETTER * name.chars().count() as f64);
        let mut mark = Mark { name, line, right, base: line - 4.0, width };
        while let Some(other) = all.iter().find(|it| it.touches(&mark)) {
            mark.right = other.right - other.width - GAP;
            if mark.right - width < left {
                (mark.right, mark.base) = (right, other.base + HEIGHT);
            }
        }
        all.push(mark);
    }
    all
}

/// `page above 1x over 1h or 6h, ticket above 1x over 3d`.
fn joined(names: &[&str]) -> String {
    let mut all: Vec<(&str, String)> = Vec::new();
    for name in names {
        let (what, over) = name.split_once(" over ").unwrap_or((name, ""));
        match all.last_mut().filter(|(known, windows)| *known == what && !windows.is_empty() && !over.is_empty()) {
            Some((_, windows)) => *windows = format!("{windows} or {over}"),
            None => all.push((what, over.to_owned())),
        }
    }
    let one =
        |(what, over): (&str, String)| if over.is_empty() { what.to_owned() } else { format!("{what} over {over}") };
    all.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

impl Mark {
    fn touches(&self, other: &Self) -> bool {
        (self.base - other.base).abs() < HEIGHT - 0.1
            && self.right - self.width < other.right + GAP - 0.1
            && other.right - other.width < self.right + GAP - 0.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_thresholds_share_a_label() {
        let names = ["page above 1x over 1h", "page above 1x over 6h", "ticket above 1x over 3d", "other"];
        assert_eq!(joined(&names), "page above 1x over 1h or 6h, ticket above 1x over 3d, other");
    }

    #[test]
    fn labels_never_lie_on_each_other() {
        for (values, names) in [
            (&[14.4, 6.0, 3.0, 1.0][..], 4),
            (&[1.0, 1.0, 1.0, 2.0], 2),
            (&[1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07, 1.08], 9),
            (&[f64::INFINITY, f64::NAN, f64::NAN, 0.0], 3),
        ] {
            let name = |it: &f64| Threshold { name: format!("page above {it}x over 1h and 5m"), value: *it };
            let thresholds: Vec<Threshold> = values.iter().map(name).collect();
            let all = marks(&thresholds, |it| 200.0 - it.clamp(0.0, 20.0) * 2.0, (60.0, 788.0));
            assert_eq!(all.len(), names, "{all:?}");
            for (number, mark) in all.iter().enumerate() {
                assert!(!all[..number].iter().any(|it| it.touches(mark)), "{all:?}");
            }
        }
        let long = Threshold { name: "x".repeat(300), value: 1.0 };
        let longer = Threshold { value: 1.1, ..long.clone() };
        assert_eq!(marks(&[long, longer], |it| -it, (60.0, 788.0)).len(), 2);
    }
}
