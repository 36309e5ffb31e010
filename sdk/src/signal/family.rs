//! All series of one signal, found by the content of their label values. Read without a lock, insert-only, bounded.
//!
//! The HTTP server has a table of its own (`http.rs`), made for its hot path; every other signal lives in one of these.

use std::sync::{Mutex, OnceLock, PoisonError};

use kilter_contract::{Instrument, Signal, Values, error_type};

use super::birth::Birth;
use super::http::{Timed, hash};
use super::level::Level;
use super::shard::Counter;

/// Most label sets of a signal that are told apart; new values beyond it share `_OTHER`, known ones keep their series.
pub(crate) const BUDGET: usize = 1_000;
/// From here on error types are folded too, so that the table can never be full.
const HARD: usize = 2 * BUDGET;
const SLOTS: usize = 4_096;
/// Longest value of a label, in bytes.
const LONGEST: usize = 128;

/// One signal.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) signal: Signal,
    bounds: &'static [u64],
    error_kinds: &'static [&'static str],
    slots: OnceLock<Box<[OnceLock<&'static Series>]>>,
    /// Sorted by label values: the order of the page.
    all: Mutex<Vec<&'static Series>>,
    /// Observations whose values were folded.
    pub(crate) overflow: Counter,
}

/// One label set, with its value.
#[derive(Debug)]
pub(crate) struct Series {
    /// In the order of the signal's labels; `None` is absent.
    pub(crate) values: Box<[Option<Box<str>>]>,
    pub(crate) cell: Cell,
}

/// What a series counts.
#[derive(Debug)]
pub(crate) enum Cell {
    Histogram(Box<Timed>),
    Counter(Box<Total>),
    Gauge(Level),
}

/// A counter with its birth. What is counted elsewhere, such as the processor time of the kernel, is `observed`.
#[derive(Debug, Default)]
pub(crate) struct Total {
    pub(crate) counted: Counter,
    pub(crate) observed: Level,
    pub(crate) birth: Birth,
}

impl Series {
    /// Counts an observation of a histogram, in nanoseconds.
    pub(crate) fn record(&self, nanos: u64) {
        match &self.cell {
            Cell::Histogram(timed) => timed.histogram.record(nanos),
            _ => debug_assert!(false, "not a histogram"),
        }
    }

    /// Counts an observation of a histogram, in whole units.
    pub(crate) fn record_whole(&self, units: u64) {
        match &self.cell {
            Cell::Histogram(timed) => timed.histogram.record_whole(units),
            _ => debug_assert!(false, "not a histogram"),
        }
    }

    /// Raises a counter.
    pub(crate) fn add(&self, n: u64) {
        match &self.cell {
            Cell::Counter(total) => total.counted.add(n),
            _ => debug_assert!(false, "not a counter"),
        }
    }

    /// Raises a counter to what was counted elsewhere; a smaller value changes nothing.
    pub(crate) fn raise(&self, to: f64) {
        match &self.cell {
            Cell::Counter(total) => total.observed.raise(to),
            _ => debug_assert!(false, "not a counter"),
        }
    }

    /// The level of a gauge; anything else has one that nobody sees.
    pub(crate) fn level(&self) -> &Level {
        static NOWHERE: Level = Level::new();
        if let Cell::Gauge(level) = &self.cell {
            return level;
        }
        debug_assert!(false, "not a gauge");
        &NOWHERE
    }
}

impl Family {
    /// A signal without series.
    pub(crate) fn new(signal: Signal, bounds: &'static [u64], error_kinds: &'static [&'static str]) -> Self {
        let (slots, all) = Default::default();
        Self { signal, bounds, error_kinds, slots, all, overflow: Counter::default() }
    }

    /// The series with these label values, in the order of the signal's labels. What a label does not allow, and what is
    /// beyond the budget, is folded into `_OTHER`, and counted.
    pub(crate) fn series(&self, values: &[Option<&str>]) -> &'static Series {
        debug_assert_eq!(values.len(), self.signal.labels.len(), "{} has other labels", self.signal.name);
        let (found, folded) = self.probe(values).map_or_else(|| self.admit(values), |it| (it, false));
        if folded {
            self.overflow.add(1);
        }
        found
    }

    /// Every series, in the order of the page.
    pub(crate) fn all(&self) -> Vec<&'static Series> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn slots(&self) -> &[OnceLock<&'static Series>] {
        self.slots.get_or_init(|| std::iter::repeat_with(OnceLock::new).take(SLOTS).collect())
    }

    fn probe(&self, values: &[Option<&str>]) -> Option<&'static Series> {
        let start = start_of(values);
        let slots = self.slots();
        (0..SLOTS).map_while(|step| slots[(start + step) % SLOTS].get()).find(|it| it.has(values)).copied()
    }

    /// A label set that was not seen before, at least not in this spelling.
    #[cold]
    fn admit(&self, values: &[Option<&str>]) -> (&'static Series, bool) {
        let allowed: Vec<Option<&str>> = self.each(values, |values, value| self.allowed(values, value));
        let changed = allowed != values;
        if let Some(found) = self.probe(&allowed) {
            return (found, changed);
        }
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let fold: fn(&Values) -> bool = match all.len() {
            0..BUDGET => return (self.insert(&mut all, &allowed), changed),
            BUDGET..HARD => |values| matches!(values, Values::Configured | Values::RouteTemplate | Values::StatusCode),
            _ => |values| !matches!(values, Values::Closed(set) if !set.contains(&error_type::OTHER)),
        };
        let folded =
            self.each(&allowed, |values, value| if fold(values) { value.and(Some(error_type::OTHER)) } else { value });
        (self.insert(&mut all, &folded), true)
    }

    fn each<'a>(
        &self,
        values: &[Option<&'a str>],
        one: impl Fn(&Values, Option<&'a str>) -> Option<&'a str>,
    ) -> Vec<Option<&'a str>> {
        self.signal.labels.iter().zip(values).map(|(label, value)| one(&label.values, *value)).collect()
    }

    fn allowed<'a>(&self, values: &Values, value: Option<&'a str>) -> Option<&'a str> {
        let value = value.filter(|it| !it.is_empty())?;
        let declared = match values {
            Values::ErrorType => !error_type::is_declarable(value) || self.error_kinds.contains(&value),
            _ => value.len() <= LONGEST,
        };
        Some(if declared && values.allows(value) { value } else { error_type::OTHER })
    }

    fn insert(&self, all: &mut Vec<&'static Series>, values: &[Option<&str>]) -> &'static Series {
        let at = match all.binary_search_by(|it| it.order(values)) {
            Ok(found) => return all[found],
            Err(at) => at,
        };
        let cell = match self.signal.instrument {
            Instrument::Histogram(_) => Cell::Histogram(Box::new(Timed::new(self.bounds))),
            Instrument::Counter => Cell::Counter(Box::default()),
            Instrument::Gauge | Instrument::Info => Cell::Gauge(Level::new()),
        };
        // An instance lives as long as its process, so its series may too: handles hold them without counting.
        let series: &'static Series =
            Box::leak(Box::new(Series { values: values.iter().map(|it| it.map(Into::into)).collect(), cell }));
        let (start, slots) = (start_of(values), self.slots());
        let free = (0..SLOTS).map(|step| &slots[(start + step) % SLOTS]).find(|slot| slot.set(series).is_ok());
        debug_assert!(free.is_some(), "what is left after folding is far less than the table");
        all.insert(at, series);
        series
    }
}

impl Series {
    fn has(&self, values: &[Option<&str>]) -> bool {
        self.values.iter().map(Option::as_deref).eq(values.iter().copied())
    }

    fn order(&self, values: &[Option<&str>]) -> std::cmp::Ordering {
        self.values.iter().map(Option::as_deref).cmp(values.iter().copied())
    }
}

fn start_of(values: &[Option<&str>]) -> usize {
    values.iter().fold(0, |all: usize, value| all.rotate_left(9) ^ hash(value.unwrap_or_default().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kilter_contract::{db, http_client};

    fn family(signal: Signal) -> Family {
        let Instrument::Histogram(buckets) = signal.instrument else { panic!("a histogram") };
        Family::new(signal, buckets.nanos(), &["quota_exceeded"])
    }

    #[test]
    fn a_label_set_has_one_series_and_what_is_not_allowed_is_other() {
        let family = family(db::OPERATION_DURATION);
        let find = |operation, role, error| {
            std::ptr::from_ref(family.series(&[Some("sqlite"), Some(operation), Some("main"), Some(role), error]))
        };
        let first = find("load", "primary", None);
        assert!(first == find("load", "primary", None) && first != find("store", "primary", None));
        assert_eq!(family.overflow.get(), 0);
        assert_ne!(find("load", "primary", Some("quota_exceeded")), find("load", "primary", Some("_OTHER")));
        assert_eq!(find("load", "primary", Some("no such kind")), find("load", "primary", Some("_OTHER")));
        assert_eq!(find("load", "primary", Some("undeclared")), find("load", "primary", Some("_OTHER")));
        let long = "x".repeat(129);
        assert_eq!(find(&long, "primary", None), find("_OTHER", "primary", None));
        assert_eq!(family.overflow.get(), 3);
        let shown: Vec<_> = family.all().iter().map(|it| it.values[1].clone()).collect();
        assert!(shown.is_sorted(), "{shown:?}");
    }

    #[test]
    fn a_flood_is_folded_and_known_series_stay() {
        let family = family(http_client::CLIENT_REQUEST_DURATION);
        let known = std::ptr::from_ref(family.series(&[Some("GET"), Some("identity"), Some("200"), None]));
        for n in 0..50_000 {
            let (name, status) = (format!("d{n}"), (100 + n % 900).to_string());
            family.series(&[Some("GET"), Some(&name), Some(&status), Some(&(500 + n % 100).to_string())]);
        }
        assert!(std::ptr::eq(known, family.series(&[Some("GET"), Some("identity"), Some("200"), None])));
        assert!(family.all().len() <= HARD + 4, "{}", family.all().len());
        assert!(family.overflow.get() > 48_000);
        family.series(&[Some("GET"), Some("new"), Some("200"), None]).record(1);
        let (good, bad) = (|it: &&&Series| it.values[3].is_none(), |it: &&&Series| it.values[3].is_some());
        let all = family.all();
        let other: Vec<_> = all.iter().filter(|it| it.values[1].as_deref() == Some("_OTHER")).collect();
        assert_eq!(other.iter().filter(|it| good(it)).count(), 1, "good ones and bad ones stay apart");
        assert!(other.iter().any(bad));
    }
}
