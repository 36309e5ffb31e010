//! Pages against incidents.

use std::collections::{BTreeMap, BTreeSet};

use super::moment::{Night, Offset};
use super::questions::millis;
use super::result::{Fired, Notice, Summary, Variant, Verdict};
use super::{Incident, Period, per_week};
use crate::model::{Duration, Severity};

/// An alert that fired, with what each incident had spent of its SLO's budget by then.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The alert.
    pub fired: Fired,
    /// Shares by index of the incident.
    pub spent: BTreeMap<usize, f64>,
}

/// What alerts are judged by, and what there is history of.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// The list.
    pub incidents: Option<&'a [Incident]>,
    /// Those of which there are data.
    pub known: &'a BTreeSet<usize>,
    /// How long after an incident a page may still tell of it.
    pub grace: Duration,
    /// The judged time.
    pub period: Period,
    /// How much of it there is history of.
    pub judged: i64,
    /// Times in which the server itself recorded nothing.
    pub server_gaps: &'a [[i64; 2]],
    /// The night, and its clock.
    pub night: (Night, Offset),
}

/// Whether an alert is about an incident: of its service and SLO, and firing at some time of it, or from soon after it. What
/// still fires at the end of the judged time is known to fire until then.
pub fn tells_of(fired: &Fired, incident: &Incident, grace: Duration, end: i64) -> bool {
    incident.concerns(&fired.service, fired.slo.as_deref())
        && fired.from <= incident.end + millis(grace)
        && fired.until.map_or(end >= incident.start, |it| it > incident.start)
}

/// Everything about one variant.
pub fn judge(name: &str, mut seen: Vec<Seen>, by: &By<'_>) -> Variant {
    seen.sort_by(|a, b| {
        let key = |it: &Seen| (it.fired.from, it.fired.service.clone(), it.fired.slo.clone(), it.fired.alert.clone());
        key(a).cmp(&key(b))
    });
    let notices = |severity| notices(&seen, severity, by);
    let (pages, tickets) = (notices(Severity::Page), notices(Severity::Ticket));
    let incidents = by.incidents.unwrap_or_default();
    let verdicts: Vec<Verdict> =
        (incidents.iter().enumerate()).map(|(index, it)| verdict((index, it), &seen, (&pages, &tickets), by)).collect();
    let summary = summary(&pages, &tickets, &verdicts, by);
    let fired = seen.into_iter().map(|it| it.fired).collect();
    Variant { name: name.to_owned(), fired, pages, tickets, summary, verdicts }
}

/// Pages of one service that overlap are one: somebody is awake already. Tickets are pieces of work, so only those of the
/// same alert and SLO are one.
fn notices(seen: &[Seen], severity: Severity, by: &By<'_>) -> Vec<Notice> {
    let mut all: Vec<Notice> = Vec::new();
    let mut open: BTreeMap<[&str; 3], usize> = BTreeMap::new();
    for (index, Seen { fired, .. }) in seen.iter().enumerate().filter(|(_, it)| it.fired.severity == severity) {
        let key = match severity {
            Severity::Page => [fired.service.as_str(), "", ""],
            Severity::Ticket => [&fired.service, fired.slo.as_deref().unwrap_or_default(), &fired.alert],
        };
        let last = open.get(&key).copied();
        let joined = last.filter(|it| all[*it].until.is_none_or(|until| fired.from <= until));
        let place = joined.unwrap_or_else(|| {
            let night = by.night.0.holds(fired.from, by.night.1);
            let (service, until) = (fired.service.clone(), fired.until);
            all.push(Notice { service, from: fired.from, until, fired: vec![], night, incidents: vec![] });
            all.len() - 1
        });
        open.insert(key, place);
        let notice = &mut all[place];
        notice.fired.push(index);
        notice.until = notice.until.and_then(|until| fired.until.map(|it| it.max(until)));
        for (number, incident) in by.incidents.unwrap_or_default().iter().enumerate() {
            if tells_of(fired, incident, by.grace, by.period.to) && !notice.incidents.contains(&number) {
                notice.incidents.push(number);
            }
        }
    }
    all.iter_mut().for_each(|it| it.incidents.sort_unstable());
    all
}

fn verdict(
    (index, incident): (usize, &Incident),
    seen: &[Seen],
    (pages, tickets): (&[Notice], &[Notice]),
    by: &By<'_>,
) -> Verdict {
    let not = |why: &str| Verdict::NotJudged { why: why.to_owned() };
    if incident.start < by.period.from {
        return not("it began before the judged time");
    }
    if incident.start > by.period.to {
        return not("it began after the judged time");
    }
    if incident.end > by.period.to {
        return not("it ended after the judged time");
    }
    if by.server_gaps.iter().any(|[from, until]| *from <= incident.start && incident.end <= *until) {
        return not("the server recorded nothing while it lasted");
    }
    let first = (pages.iter().enumerate())
        .flat_map(|(page, notice)| notice.fired.iter().map(move |it| (page, &seen[*it])))
        .filter(|(_, it)| tells_of(&it.fired, incident, by.grace, by.period.to))
        .min_by_key(|(_, it)| it.fired.from);
    let Some((page, it)) = first else {
        if !by.known.contains(&index) {
            return not("there are no data of what it concerns");
        }
        // One that was there before told nobody anything new.
        let ticket = tickets.iter().any(|it| it.from >= incident.start && it.incidents.contains(&index));
        return Verdict::Missed { ticket };
    };
    Verdict::Detected {
        after: (it.fired.from - incident.start).max(0),
        page,
        slo: it.fired.slo.clone(),
        alert: it.fired.alert.clone(),
        spent: it.spent.get(&index).copied(),
    }
}

fn summary(pages: &[Notice], tickets: &[Notice], verdicts: &[Verdict], by: &By<'_>) -> Summary {
    let began = |all: &[Notice]| all.iter().filter(|it| it.from >= by.period.from).cloned().collect::<Vec<_>>();
    let (pages, tickets) = (began(pages), began(tickets));
    let share = |part: usize, of: usize| (of > 0).then(|| part as f64 / of as f64);
    let explained = pages.iter().filter(|it| !it.incidents.is_empty()).count();
    let (mut times, mut missed, mut worst_spent) = (Vec::new(), 0, None);
    for verdict in verdicts {
        match verdict {
            Verdict::Detected { after, spent, .. } => {
                times.push(*after);
                worst_spent = spent.map_or(worst_spent, |it| Some(worst_spent.map_or(it, |most: f64| most.max(it))));
            }
            Verdict::Missed { .. } => missed += 1,
            Verdict::NotJudged { .. } => {}
        }
    }
    times.sort_unstable();
    Summary {
        pages: pages.len(),
        pages_per_week: per_week(pages.len(), by.judged),
        night_pages: pages.iter().filter(|it| it.night).count(),
        tickets: tickets.len(),
        precision: by.incidents.and_then(|_| share(explained, pages.len())),
        recall: share(times.len(), times.len() + missed),
        // Of two in the middle the later one: a promise is not made better than it is.
        median_detection: times.get(times.len() / 2).copied(),
        worst_detection: times.last().copied(),
        worst_spent,
    }
}
