//! The HTTP server family: routes, methods, outcomes. Insert-only tables that are read without a lock.
//!
//! Routes are found by the *content* of the matched template, in a table that the instance owns. Layers hold nothing:
//! axum makes one per connection. Templates come from the service's code, so no client chooses keys.

use std::sync::{Mutex, OnceLock, PoisonError};

use http::Method;
use kilter_contract::http as contract;

use super::birth::Birth;
use super::histogram::Histogram;
use super::shard::Counter;
use crate::routes::Route;

/// Slots of the route table: twice the budget, so that probing stays short.
const SLOTS: usize = 1024;
/// Most routes that are told apart; the rest share `_OTHER`.
pub(crate) const BUDGET: usize = SLOTS / 2;
/// Slots of a method's outcomes: thirty of its own, and one each for good and bad beyond them.
const OUTCOMES: usize = 32;

/// Why a request failed, as an index: 0 is success, then the contract's kinds, then the service's own.
pub(crate) type ErrorId = u8;
/// Success.
pub(crate) const NONE: ErrorId = 0;
/// The status code of a server error.
pub(crate) const STATUS: ErrorId = 1;
/// The first of [`kilter_contract::error_type::KINDS`].
pub(crate) const KINDS: ErrorId = 2;
/// Key of outcomes beyond the budget that are good, or bad.
const OVERFLOW: [u32; 2] = [u32::MAX - 1, u32::MAX];

/// Bucket bounds of the family: those of the contract, and what the service's SLOs need beyond them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HttpBounds {
    pub(crate) duration: &'static [u64],
    pub(crate) first_byte: &'static [u64],
    pub(crate) stream: &'static [u64],
}

/// All routes of a service.
#[derive(Debug)]
pub(crate) struct Routes {
    /// Of a length that the compiler knows: no index is checked.
    slots: Box<[OnceLock<&'static RouteSeries>; SLOTS]>,
    all: Mutex<Vec<&'static RouteSeries>>,
    bounds: &'static HttpBounds,
    unmatched: &'static RouteSeries,
    overflow: &'static RouteSeries,
}

/// One route.
#[derive(Debug)]
pub(crate) struct RouteSeries {
    /// The template; `None` when no route matched.
    pub(crate) template: Option<Box<str>>,
    /// Whether its responses are streams by declaration.
    pub(crate) stream: bool,
    bounds: &'static HttpBounds,
    methods: [OnceLock<Box<MethodSeries>>; 10],
}

/// One route and method: what all its series share.
#[derive(Debug)]
pub(crate) struct MethodSeries {
    pub(crate) started: Counter,
    pub(crate) ended: Counter,
    pub(crate) first_byte: Timed,
    bounds: &'static HttpBounds,
    outcomes: [OnceLock<(u32, Box<Outcome>)>; OUTCOMES],
    lock: Mutex<usize>,
    /// The name of its spans, made for the first that is sampled.
    pub(crate) span_name: OnceLock<String>,
}

/// Status and error of an outcome (`None` when folded), whether it is bad, and its series.
pub(crate) type Ended<'a> = (Option<(u16, ErrorId)>, bool, &'a Outcome);

/// A histogram series with its birth.
#[derive(Debug)]
pub(crate) struct Timed {
    pub(crate) histogram: Histogram,
    pub(crate) birth: Birth,
}

/// How requests of a route and method ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) duration: Timed,
    pub(crate) stream: OnceLock<Box<Timed>>,
    bounds: &'static HttpBounds,
}

impl Timed {
    pub(crate) fn new(bounds: &'static [u64]) -> Self {
        Self { histogram: Histogram::new(bounds), birth: Birth::default() }
    }
}

impl Outcome {
    fn new(bounds: &'static HttpBounds) -> Self {
        Self { duration: Timed::new(bounds.duration), stream: OnceLock::new(), bounds }
    }

    /// The stream histogram of this outcome.
    pub(crate) fn stream(&self) -> &Timed {
        self.stream.get_or_init(|| Box::new(Timed::new(self.bounds.stream)))
    }
}

impl MethodSeries {
    fn new(bounds: &'static HttpBounds) -> Self {
        Self {
            started: Counter::default(),
            ended: Counter::default(),
            first_byte: Timed::new(bounds.first_byte),
            bounds,
            outcomes: std::array::from_fn(|_| OnceLock::new()),
            lock: Mutex::new(0),
            span_name: OnceLock::new(),
        }
    }

    /// The outcome of a status and error; `true` when it was folded because the budget is used up.
    pub(crate) fn outcome(&self, status: u16, error: ErrorId) -> (&Outcome, bool) {
        let key = u32::from(status) << 8 | u32::from(error);
        match self.probe(key) {
            Some(found) => (found, false),
            None => self.insert(key, error != NONE),
        }
    }

    /// Every outcome with its status and error; `None` for the folded ones.
    pub(crate) fn outcomes(&self) -> Vec<Ended<'_>> {
        let split = |key: u32| (u16::try_from(key >> 8).unwrap_or(0), u8::try_from(key & 0xff).unwrap_or(0));
        let mut all: Vec<_> = self
            .outcomes
            .iter()
            .filter_map(OnceLock::get)
            .map(|(key, outcome)| {
                let folded = OVERFLOW.contains(key);
                let bad = if folded { *key == OVERFLOW[1] } else { split(*key).1 != NONE };
                ((!folded).then(|| split(*key)), bad, outcome.as_ref())
            })
            .collect();
        all.sort_by_key(|(key, bad, _)| (key.is_none(), *key, *bad));
        all
    }

    fn probe(&self, key: u32) -> Option<&Outcome> {
        let start = slot_of(key);
        for step in 0..OUTCOMES {
            match self.outcomes[(start + step) % OUTCOMES].get() {
                Some((it, outcome)) if *it == key => return Some(outcome),
                None => return None,
                Some(_) => {}
            }
        }
        None
    }

    #[cold]
    fn insert(&self, key: u32, bad: bool) -> (&Outcome, bool) {
        let mut used = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let folded = *used >= OUTCOMES - OVERFLOW.len();
        let key = if folded { OVERFLOW[usize::from(bad)] } else { key };
        let start = slot_of(key);
        for step in 0..OUTCOMES {
            let slot = &self.outcomes[(start + step) % OUTCOMES];
            match slot.get() {
                Some((it, outcome)) if *it == key => return (outcome, folded),
                Some(_) => {}
                None => {
                    let (_, outcome) = slot.get_or_init(|| (key, Box::new(Outcome::new(self.bounds))));
                    *used += usize::from(!folded);
                    return (outcome, folded);
                }
            }
        }
        unreachable!("two slots are kept for the folded outcomes")
    }
}

fn slot_of(key: u32) -> usize {
    (key.wrapping_mul(0x9E37_79B1) >> 27) as usize
}

impl RouteSeries {
    fn new(template: Option<&str>, stream: bool, bounds: &'static HttpBounds) -> Self {
        Self { template: template.map(Into::into), stream, bounds, methods: std::array::from_fn(|_| OnceLock::new()) }
    }

    #[inline]
    fn is(&self, template: &str) -> bool {
        self.template.as_deref().is_some_and(|own| same(own.as_bytes(), template.as_bytes()))
    }

    /// The series of a method.
    #[inline]
    pub(crate) fn method(&self, index: usize) -> &MethodSeries {
        self.methods[index].get_or_init(|| Box::new(MethodSeries::new(self.bounds)))
    }

    /// Every method that was seen or declared.
    pub(crate) fn methods(&self) -> impl Iterator<Item = (&'static str, &MethodSeries)> {
        self.methods.iter().enumerate().filter_map(|(index, it)| Some((contract::METHODS[index], it.get()?.as_ref())))
    }
}

/// What the drain deadline ends.
fn shutdown() -> ErrorId {
    let kinds = kilter_contract::error_type::KINDS;
    let index = kinds.iter().position(|it| *it == kilter_contract::error_type::SERVER_SHUTDOWN);
    KINDS + index.and_then(|it| ErrorId::try_from(it).ok()).unwrap_or_default()
}

/// Index of the method whose responses have no body.
pub(crate) const HEAD: usize = 5;
/// Index of the method whose success is a tunnel.
pub(crate) const CONNECT: usize = 7;

/// Index of a method in [`contract::METHODS`]; unknown ones share the last.
#[inline]
pub(crate) fn method_index(method: &Method) -> usize {
    match *method {
        Method::GET => 0,
        Method::POST => 1,
        Method::PUT => 2,
        Method::DELETE => 3,
        Method::PATCH => 4,
        Method::HEAD => HEAD,
        Method::OPTIONS => 6,
        Method::CONNECT => CONNECT,
        Method::TRACE => 8,
        _ => 9,
    }
}

impl Routes {
    /// The table with the declared routes, whose success and 500 series exist at zero from the start.
    pub(crate) fn new(declared: &[Route], bounds: HttpBounds) -> Self {
        let bounds: &'static HttpBounds = Box::leak(Box::new(bounds));
        let routes = Self {
            slots: Box::new([const { OnceLock::new() }; SLOTS]),
            all: Mutex::default(),
            bounds,
            unmatched: Box::leak(Box::new(RouteSeries::new(None, false, bounds))),
            overflow: Box::leak(Box::new(RouteSeries::new(Some(kilter_contract::error_type::OTHER), false, bounds))),
        };
        for route in declared {
            let (series, _) = routes.find_or_insert(route.path(), route.is_stream());
            for method in route.methods() {
                let method = series.method(method_index(method));
                let (success, _) = method.outcome(route.success_status(), NONE);
                let (failure, _) = method.outcome(500, STATUS);
                if route.is_stream() {
                    success.stream();
                    failure.stream();
                    // What the end of the process cuts is seen by the last scrape, or by none: no time for a birth.
                    method.outcome(route.success_status(), shutdown()).0.stream();
                }
            }
        }
        routes
    }

    /// The series of a matched template, of no match, or of what is beyond the budget (then `true`).
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "once per request, in one place")]
    pub(crate) fn find(&self, template: Option<&str>) -> (&'static RouteSeries, bool) {
        match template {
            None => (self.unmatched, false),
            Some(template) => self.find_or_insert(template, false),
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "once per request, in one place")]
    fn find_or_insert(&self, template: &str, stream: bool) -> (&'static RouteSeries, bool) {
        let start = hash(template.as_bytes());
        for step in 0..SLOTS {
            match self.slots[(start + step) % SLOTS].get() {
                Some(route) if route.is(template) => return (route, false),
                Some(_) => {}
                None => return self.insert(template, stream, start),
            }
        }
        (self.overflow, true)
    }

    #[cold]
    fn insert(&self, template: &str, stream: bool, start: usize) -> (&'static RouteSeries, bool) {
        // Names of the service's choice that the page would show like one of ours.
        match template {
            "" => return (self.unmatched, false),
            kilter_contract::error_type::OTHER => return (self.overflow, false),
            _ => {}
        }
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = all.iter().find(|it| it.template.as_deref() == Some(template)) {
            return (route, false);
        }
        if all.len() >= BUDGET {
            return (self.overflow, true);
        }
        // An instance lives as long as its process, so its routes may too: no reference is counted per request.
        let route: &'static RouteSeries = Box::leak(Box::new(RouteSeries::new(Some(template), stream, self.bounds)));
        let free = (0..SLOTS).map(|step| &self.slots[(start + step) % SLOTS]).find(|slot| slot.set(route).is_ok());
        debug_assert!(free.is_some(), "the budget is half the table");
        all.push(route);
        (route, false)
    }

    /// Requests in flight, on all routes.
    pub(crate) fn active(&self) -> u64 {
        let of = |it: &MethodSeries| {
            let ended = it.ended.get();
            it.started.get().saturating_sub(ended)
        };
        self.all().iter().flat_map(|route| route.methods()).map(|(_, method)| of(method)).sum()
    }

    /// Every route, sorted by template; unmatched first.
    pub(crate) fn all(&self) -> Vec<&'static RouteSeries> {
        let mut all = self.all.lock().map(|it| it.clone()).unwrap_or_default();
        all.extend([self.unmatched, self.overflow]);
        all.sort_by(|a, b| a.template.cmp(&b.template));
        all
    }
}

/// Whether two short texts are the same: eight bytes at a time, without the call that `==` of slices is.
#[inline]
fn same(one: &[u8], other: &[u8]) -> bool {
    let (Some(last), Some(other_last)) = (one.last_chunk::<8>(), other.last_chunk::<8>()) else { return one == other };
    let (mut rest, mut others) = (one, other);
    while let (Some((word, after)), Some((other, other_after))) =
        (rest.split_first_chunk::<8>(), others.split_first_chunk::<8>())
    {
        if word != other {
            return false;
        }
        (rest, others) = (after, other_after);
    }
    one.len() == other.len() && last == other_last
}

/// Eight bytes at a time, in the manner of FNV-1a: short keys, no attacker. The last eight overlap those before.
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> usize {
    const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: [u8; 8]| (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(PRIME);
    let mut hash = bytes.len() as u64;
    if let Some(last) = bytes.last_chunk::<8>() {
        let mut rest = bytes;
        while let Some((word, after)) = rest.split_first_chunk::<8>() {
            hash = mix(hash, *word);
            rest = after;
        }
        hash = mix(hash, *last);
    } else {
        hash = mix(hash, bytes.iter().fold(0_u64, |last, byte| last << 8 | u64::from(*byte)).to_le_bytes());
    }
    // Names that differ in one place differ in few bits until here.
    usize::try_from((hash ^ hash >> 32).wrapping_mul(PRIME) >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: HttpBounds = HttpBounds { duration: &[1], first_byte: &[1], stream: &[1] };

    #[test]
    fn routes_beyond_the_budget_share_one_and_known_ones_keep_theirs() {
        let routes = Routes::new(&[], BOUNDS);
        let first = routes.find(Some("/first")).0;
        for n in 0..2_000 {
            routes.find(Some(&format!("/{n}")));
        }
        let (beyond, folded) = routes.find(Some("/one-more"));
        assert!(folded && beyond.template.as_deref() == Some("_OTHER"));
        assert!(std::ptr::eq(routes.find(Some("/first")).0, first));
        assert_eq!(routes.all().len(), BUDGET + 2);
        assert!(std::ptr::eq(routes.find(Some("_OTHER")).0, beyond), "two series of one name would be on the page");
        assert!(std::ptr::eq(routes.find(Some("")).0, routes.find(None).0));
    }

    #[test]
    fn outcomes_beyond_the_budget_stay_good_or_bad() {
        let method = MethodSeries::new(&BOUNDS);
        for status in 200..300 {
            method.outcome(status, NONE);
        }
        let (good, folded) = method.outcome(299, NONE);
        let (bad, _) = method.outcome(599, STATUS);
        assert!(folded && !std::ptr::eq(good, bad));
        assert_eq!(method.outcomes().len(), OUTCOMES);
        assert!(!method.outcome(200, NONE).1, "a known outcome keeps its series");
    }
}
