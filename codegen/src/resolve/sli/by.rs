//! `by`: one SLO per value of a label, which must not depend on how an interaction ended.

use kilter_contract::{Signal, find, job};

use super::super::estate::RESERVED;
use super::{Code, Findings, items, printable, scalar};
use crate::model::{Estate, Family, Sli};
use crate::yaml::Node;

/// Beginnings of the labels that the contract's signals own; any other label may come from the scrape.
pub(in super::super) const OWNED: &[&str] = &["http_", "rpc_", "db_", "messaging_", "job_", "cache_", "error_type"];

/// The labels that can group.
pub(in super::super) fn by(
    node: &Node,
    sli: Option<&Sli>,
    estate: &Estate,
    findings: &mut Findings<'_>,
) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for item in items(node.get("by")) {
        let Some((label, place)) = scalar(item) else { continue };
        let legal = label.starts_with(|c: char| c.is_ascii_alphabetic())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let mut bad = |why: String, help: String| findings.error(Code::BadBy, place.range, why, help);
        if !legal {
            bad(
                format!("`{}` is no label name", printable(label)),
                "letters, digits and underscores, such as region".to_owned(),
            );
        } else if RESERVED.contains(&label) || estate.identity.contains_key(label) {
            bad(
                format!("`{label}` is a label that Kilter or Prometheus sets itself"),
                "group by a label of the series, such as region".to_owned(),
            );
        } else if all.iter().any(|it| it == label) {
            bad(format!("`{label}` stands twice"), "name each label once".to_owned());
        } else if let Some((why, help)) = sli.and_then(|it| refused(it, label)) {
            bad(why, help);
        } else {
            all.push(label.to_owned());
        }
    }
    all
}

/// Why an SLI cannot be grouped by a label, and what to do.
fn refused(sli: &Sli, label: &str) -> Option<(String, String)> {
    let signal = signal(sli)?;
    let family = sli.red().map(|it| it.family);
    if family.is_some_and(|it| ends_with_it(it, label)) {
        return Some((
            format!("`{label}` tells how a request ended, so every group would be all good or all bad"),
            "group by a label that does not depend on the outcome".to_owned(),
        ));
    }
    let rejected = sli.red().is_some_and(crate::model::Red::counts_rejected);
    if rejected && label != kilter_contract::http_client::DEPENDENCY.key && signal.label(label).is_some() {
        return Some((
            format!("calls that a breaker rejected have no `{label}`, so they would be a group that is always bad"),
            "make one SLO per value with `methods`, or group by a label of the target, such as region".to_owned(),
        ));
    }
    let labels: Vec<&str> = signal.labels.iter().map(|it| it.key).collect();
    let ours = OWNED.iter().any(|it| label.starts_with(it));
    (ours && !labels.contains(&label))
        .then(|| (format!("{} has no label `{label}`", signal.name), crate::spec::check::help(label, &labels)))
}

fn ends_with_it(family: Family, label: &str) -> bool {
    family.outcomes().iter().any(|it| it.label.key == label)
}

/// The signal of the contract that an SLI reads.
fn signal(sli: &Sli) -> Option<Signal> {
    match sli {
        Sli::Red(red) => Some(red.family.signal()),
        Sli::Freshness { .. } => Some(job::LAST_SUCCESS),
        Sli::Latency(histogram) => find(&histogram.metric).copied(),
        _ => None,
    }
}
