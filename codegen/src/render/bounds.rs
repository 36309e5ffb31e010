//! The bounds file of a service: the bucket bounds that its latency SLOs need beyond those that its histograms declare. The
//! service embeds it, so that thresholds become bounds. A signal and its bounds in seconds on each line.

use kilter_contract::le_text;

use super::rules::banner;
use super::{Artifact, Kind};
use crate::model::{Estate, Service, TimeScale};

/// A file for each service that needs one.
pub fn all(estate: &Estate) -> Vec<Artifact> {
    estate.services.iter().filter(|it| !it.bounds.is_empty()).map(|it| file(it, estate.time_scale)).collect()
}

fn file(service: &Service, scale: TimeScale) -> Artifact {
    let mut text = banner("# ", &service.source, scale);
    for (signal, bounds) in &service.bounds {
        text.push_str(signal);
        bounds.iter().for_each(|it| text.extend([" ", &le_text(*it)]));
        text.push('\n');
    }
    let path = format!("rules/{}.bounds", service.name);
    Artifact { path, text, kind: Kind::Bounds, service: Some(service.name.as_str().to_owned()) }
}
