//! Which bucket bounds the latency SLOs of a service need beyond those that its histograms declare.

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::{Instrument, find, le_nanos};

use super::known::Known;
use super::{Code, Findings};
use crate::model::{Decimal, Sli, Slo};
use crate::yaml::Node;

/// Most bounds of a histogram of the SDK.
const MOST: usize = 30;

/// By signal, in nanoseconds. A histogram that neither the contract nor the service declares has whatever bounds it has.
pub(super) fn needed(slos: &[Slo], known: &Known) -> BTreeMap<String, BTreeSet<u64>> {
    let mut all: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for slo in slos {
        let (metric, nanos) = match &slo.sli {
            Sli::Red(red) => match red.slower_than_nanos {
                Some(nanos) => (red.family.signal().name.to_owned(), nanos),
                None => continue,
            },
            Sli::Latency(histogram) if !histogram.native => match nanos(histogram.threshold) {
                Some(nanos) => (histogram.metric.clone(), nanos),
                None => continue,
            },
            _ => continue,
        };
        if declared(&metric, known).is_some_and(|it| !it.contains(&nanos)) {
            all.entry(metric).or_default().insert(nanos);
        }
    }
    all
}

/// More than a histogram holds is told where the SLOs begin: it is not one of them that is too much.
pub(super) fn few_enough(
    needed: &BTreeMap<String, BTreeSet<u64>>,
    known: &Known,
    tree: &Node,
    findings: &mut Findings<'_>,
) {
    for (metric, more) in needed {
        let base = declared(metric, known).unwrap_or_default().len();
        if base + more.len() > MOST {
            let place = super::items(tree.get("slos")).first().and_then(|it| it.get("name")).unwrap_or(tree);
            let message = format!("these SLOs ask {metric} for {} bounds; {MOST} are the most", base + more.len());
            let help = format!("let SLOs share thresholds: {} are left beside its own", MOST.saturating_sub(base));
            findings.error(Code::ManyBounds, place.range, message, help);
        }
    }
}

/// The bounds that a histogram of durations declares; `None` for anything else.
pub(super) fn declared(metric: &str, known: &Known) -> Option<Vec<u64>> {
    let own = || {
        let own = known.own(metric).filter(|it| it.instrument == "histogram" && it.unit == "s")?;
        Some(own.bounds.iter().filter_map(|it| le_nanos(it)).collect())
    };
    match find(metric).map(|it| it.instrument) {
        Some(Instrument::Histogram(buckets)) => Some(buckets.nanos().to_vec()),
        Some(_) => None,
        None => own(),
    }
}

/// A threshold in seconds as nanoseconds.
fn nanos(seconds: Decimal) -> Option<u64> {
    le_nanos(&seconds.to_string())
}
