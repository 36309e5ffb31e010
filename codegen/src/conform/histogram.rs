//! One histogram series: its buckets rise, hold each other, and end in `+Inf`.

use crate::yaml::Range;

/// Its buckets as they stand there.
#[derive(Debug)]
pub(super) struct Histogram {
    /// Its first line.
    pub(super) at: Range,
    /// Bound, events, place.
    pub(super) buckets: Vec<(f64, f64, Range)>,
    pub(super) count: Option<(f64, Range)>,
}

/// What is wrong with one, how badly, and what to do.
pub(super) struct Wrong {
    pub(super) at: Range,
    pub(super) why: String,
    /// The same for all series of a family.
    pub(super) kind: &'static str,
    /// Whether only the order of lines is wrong.
    pub(super) order: bool,
    pub(super) help: &'static str,
}

impl Histogram {
    pub(super) const fn at(at: Range) -> Self {
        Self { at, buckets: Vec::new(), count: None }
    }

    /// Bounds without `+Inf`, rising.
    pub(super) fn bounds(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.buckets.iter().map(|it| it.0).filter(|it| it.is_finite()).collect();
        all.sort_by(f64::total_cmp);
        all.dedup();
        all
    }

    /// Whether there are events, and all of them are beyond the last bound.
    pub(super) fn all_beyond(&self) -> bool {
        let sum = |inf: bool| self.buckets.iter().filter(|it| it.0.is_infinite() == inf).map(|it| it.1).sum::<f64>();
        sum(true) >= 10.0 && sum(false) == 0.0
    }

    /// Everything that is wrong with it.
    pub(super) fn wrong(&self) -> Vec<Wrong> {
        let mut all = Vec::new();
        let mut tell = |kind, at, why: String, order, help| all.push(Wrong { at, why, kind, order, help });
        if self.buckets.is_empty() {
            tell(
                "none",
                self.at,
                "has no buckets".to_owned(),
                false,
                "is it a summary, or are buckets left out by the configuration?",
            );
            return all;
        }
        let rises = self.buckets.windows(2).find(|it| it[1].0 < it[0].0);
        if let Some(pair) = rises {
            let why = format!("has its bound {} behind {}", pair[1].0, pair[0].0);
            tell("order", pair[1].2, why, true, "buckets stand in rising order of their bounds");
        }
        let mut sorted = self.buckets.clone();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let Some(pair) = sorted.windows(2).find(|it| it[1].0.total_cmp(&it[0].0).is_eq() && it[0].2 != it[1].2) {
            let why = format!("has the bound {} twice", pair[1].0);
            tell("twice", pair[1].2, why, false, "two spellings of one bound are two series: print it in one way");
        }
        if let Some(pair) = sorted.windows(2).find(|it| it[1].1 < it[0].1) {
            let [(low, more, _), (high, less, at)] = [pair[0], pair[1]];
            let why = format!("counts {less} up to {} and {more} up to {low}", shown(high));
            tell("falls", at, why, false, "each bucket also counts all events of the smaller ones");
        }
        let infinite = sorted.last().filter(|it| it.0 == f64::INFINITY);
        match (infinite, self.count) {
            (None, _) => {
                let why = "has no bucket le=\"+Inf\"".to_owned();
                tell(
                    "inf",
                    self.at,
                    why,
                    false,
                    "the bucket of +Inf counts all events; without it there are no quantiles",
                );
            }
            (Some((_, all, _)), Some((count, at))) if (all - count).abs() > 0.0 => {
                let why = format!("has a _count of {count}, but {all} in its bucket +Inf");
                tell("count", at, why, false, "both count all events");
            }
            (Some(_), None) => {
                let why = "has no _count".to_owned();
                tell("nocount", self.at, why, false, "SLOs and dashboards take the rate of all events from _count");
            }
            _ => {}
        }
        all
    }
}

fn shown(bound: f64) -> String {
    if bound.is_infinite() { "+Inf".to_owned() } else { bound.to_string() }
}
