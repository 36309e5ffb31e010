//! Which SLOs of a service one timeline can drive at once.
//!
//! SLOs that count different series do not meet. Where one counts another's series too (an availability SLO counts what a
//! latency SLO of its route is fed with), it gets so much more traffic of its own that the other's can be neglected. What
//! does not come apart like this (two SLOs that count each other's series, groups, shares of time) is driven on a track of
//! its own, which is a test of its own. promtool holds at most 10,000 samples per query, so a track has few series.

use super::cases::schedule;
use super::inputs::Samples;
use super::subject::Subject;
use super::traffic::Volume;

/// Recorded series that a track may have: the longest test has about 250 points of each in one query.
const SERIES: usize = 30;
/// What is left of another SLO's errors in an own error budget.
const SHARE: f64 = 0.02;
/// The label that tells an SLO's own series from those of another one that counts the same.
pub(super) const INSTANCE: &str = "instance";

/// An SLO on its track.
pub(super) struct Driven<'s, 'a> {
    pub(super) subject: &'s Subject<'a>,
    pub(super) volume: Volume,
    /// Its series carry the label `instance` with the SLO's name.
    pub(super) apart: bool,
}

/// SLOs that one timeline drives.
#[derive(Default)]
pub(super) struct Track<'s, 'a>(pub(super) Vec<Driven<'s, 'a>>);

/// All that can be fed, each on the first track that has room for it.
pub(super) fn tracks<'s, 'a>(subjects: &'s [Subject<'a>]) -> Vec<Track<'s, 'a>> {
    let mut tracks: Vec<Track<'s, 'a>> = Vec::new();
    for subject in subjects.iter().filter(|it| it.fed()) {
        if !tracks.iter_mut().any(|track| track.takes(subject)) {
            let mut track = Track::default();
            track.takes(subject);
            tracks.push(track);
        }
    }
    tracks
}

impl<'s, 'a> Track<'s, 'a> {
    /// Takes an SLO in, if it can.
    fn takes(&mut self, subject: &'s Subject<'a>) -> bool {
        let series: usize = self.0.iter().map(|it| it.subject.inputs.groups.len()).sum();
        let first = self.0.first().map(|it| it.subject);
        let alike = first.is_none_or(|it| {
            schedule::of(it.slo) == schedule::of(subject.slo)
                && it.slo.sli.is_time_weighted() == subject.slo.sli.is_time_weighted()
        });
        if !alike || (first.is_some() && series + subject.inputs.groups.len() > SERIES) {
            return false;
        }
        let mut all: Vec<&'s Subject<'a>> = self.0.iter().map(|it| it.subject).collect();
        all.push(subject);
        let Some(volumes) = volumes(&all) else { return false };
        let shared = |it: &Subject<'_>, other: &Subject<'_>| {
            let mut own = it.inputs.series.iter();
            own.any(|a| other.inputs.series.iter().any(|b| a.metric == b.metric && a.labels == b.labels))
        };
        let apart = self.0.iter().any(|it| shared(subject, it.subject));
        if apart && subject.inputs.series.iter().any(|it| it.labels.contains_key(INSTANCE)) {
            return false;
        }
        self.0.push(Driven { subject, volume: volumes[0], apart });
        for (driven, volume) in self.0.iter_mut().zip(volumes) {
            driven.volume = volume;
        }
        true
    }
}

/// The traffic of each, so that what one counts of others does not matter; `None` when there is no such traffic.
fn volumes(all: &[&Subject<'_>]) -> Option<Vec<Volume>> {
    let sees = |it: usize, other: usize| it != other && all[other].inputs.feed(all[it].slo);
    for it in 0..all.len() {
        for other in (0..all.len()).filter(|other| sees(it, *other)) {
            let counters =
                |it: &Subject<'_>| it.inputs.series.iter().all(|raw| matches!(raw.samples, Samples::Counter(_)));
            let simple = all[it].slo.by.is_empty() && all[other].inputs.groups.len() == 1;
            if !simple || !counters(all[it]) || !counters(all[other]) {
                return None;
            }
        }
    }
    let mut found: Vec<Option<Volume>> = vec![None; all.len()];
    // Each round settles those that see settled ones only; a circle is never settled.
    for _ in 0..all.len() {
        for it in 0..all.len() {
            let counted: Option<Vec<Volume>> =
                (0..all.len()).filter(|other| sees(it, *other)).map(|other| found[other]).collect();
            if let (None, Some(counted)) = (found[it], counted) {
                let own = Volume::for_objective(all[it].budget, all[it].slo.min_errors);
                found[it] = Some(own.above(&counted, SHARE * all[it].budget)?);
            }
        }
    }
    found.into_iter().collect()
}

/// The label that sets an SLO's own series apart.
pub(super) fn mark(driven: &Driven<'_, '_>) -> Option<(String, String)> {
    driven.apart.then(|| (INSTANCE.to_owned(), driven.subject.slo.name.to_string()))
}
