//! The rules that serve all SLOs of a class, at the edges of each of their parts: a group of series for each edge, beside the
//! others, fed at its recorded pair as one SLO's groups are with `by` labels. So an edge costs a few series and no timeline.
//!
//! | group | what must hold |
//! |---|---|
//! | a pair's own burn | 1.4 times its factor while no other pair sees anything: silent while the long window is below the factor, an alert before it is full, none when the short window is just below |
//! | too few errors, then enough | everything fails, at 0.8 of `min_errors`: silence; 1.25 times as many: an alert; 0.8 again, when the first are older than the window: silence |
//! | everything fails, then the traffic of years | the alert stays as long as it is kept, and no longer; no other policy's beside it |
//! | a burst of one step; after a gap | an hour of tiles counts each once, and none for what is not there |
//! | what vanished; without events; a gap; one side only | page for an hour and ticket for a day, nothing for no events, nothing within the hold; ticket |
//! | traffic that was lost, was too little, came in a burst, was young, was long ago | lost traffic alerts, by the last hour without its last five minutes |
//! | another SLO | what was removed is silent, what never came tickets |
//! | another service | nothing is recorded or told of it |
//!
//! Durations follow from the pair's windows. Groups that no window of another pair can be silenced for are left out: those
//! of pairs whose factors are held at half of a total outage, and of long windows that are hardly longer than each other.
//! A share of time is fed like events here, for the rules of windows cannot tell them apart. What is recorded is on the
//! grid of evaluations by itself, so nothing here is shown off it.

mod burn;
mod missing;
mod neighbour;
mod traffic;

use super::super::super::class::{Class, POLICY_LABEL};
use super::super::super::context::Context;
use super::super::super::maintenance::has_measured;
use super::super::file::{Labels, selector};
use super::super::inputs::total_of;
use super::super::stage::{Grid, Made, Stage};
use super::super::subject::Subject;
use super::super::text::Told;
use kilter_contract::slo as names;

use crate::model::Duration;

/// The label that tells the groups from each other and from what the SLO records itself.
const LABEL: &str = "proof";
/// Points of all groups that one query may read: promtool holds 10,000.
const POINTS: u64 = 8_000;
/// Windows up to this long need evaluations at the pace of hours.
const HOURS: u64 = 12 * 60;

/// What is recorded of a group for so many minutes: errors and all events per second; no series for none.
type Phase = (u64, Option<f64>, Option<f64>);

/// One group.
struct Group {
    grid: Grid,
    name: String,
    phases: Vec<Phase>,
    asks: Vec<Ask>,
}

/// What must hold of a group's alerts, at a minute.
enum Ask {
    /// This one fires, or does not.
    Fires(Told<'static>, u64, bool),
    /// Where a service has several policies, no rule of another one fires beside it.
    Alone(Told<'static>, u64),
    /// It has not fired for so many minutes.
    Silent(Told<'static>, u64, u64),
}

impl Group {
    fn minutes(&self) -> u64 {
        self.phases.iter().map(|it| it.0).sum()
    }

    /// When it is asked for last.
    fn last(&self) -> u64 {
        let asked = self.asks.iter().map(|it| match it {
            Ask::Fires(_, at, _) | Ask::Alone(_, at) | Ask::Silent(_, _, at) => *at,
        });
        asked.max().unwrap_or(0)
    }
}

/// The tests of each class, with one of its SLOs.
pub(super) fn all<'a>(context: &'a Context<'a>, subjects: &'a [Subject<'a>]) -> Vec<Made> {
    let mut made = Vec::new();
    for class in context.classes() {
        // Maintenance lies between the pair and what the alerts read: its own tests show it.
        let fits = |it: &&Subject<'_>| {
            class.slos.iter().any(|slo| slo.name == it.slo.name)
                && it.slo.policy.maintenance.is_none()
                && it.slo.by.iter().all(|label| label != LABEL)
        };
        let lossy = |it: &&Subject<'_>| traffic::has_traffic(it.slo);
        let all = || subjects.iter().filter(fits);
        let Some(it) = all().find(lossy).or_else(|| all().next()) else { continue };
        for grid in [Grid::Hours, Grid::Days] {
            for mut test in of_class(it, class, grid) {
                if let Some(number) = class.number {
                    test.rename(&format!(" (policy {number})"));
                }
                made.push(test);
            }
        }
    }
    made
}

/// The few that last the longest are by themselves: every evaluation reads all groups, whether they have ended or not.
fn of_class<'a>(it: &'a Subject<'a>, class: &Class<'_>, grid: Grid) -> Vec<Made> {
    let mut all = missing::groups(it);
    // Where missing data count as errors, what alerts on the pair reads more than the pair.
    if !has_measured(it.slo) {
        all.splice(0..0, burn::groups(it));
        all.extend(traffic::groups(it));
    }
    all.retain(|group| group.grid == grid);
    let most = all.iter().map(Group::last).max().unwrap_or(0);
    let (long, short): (Vec<Group>, Vec<Group>) = all.into_iter().partition(|group| group.last() * 2 > most);
    let made = match grid {
        Grid::Days => [
            played(it, class, grid, "groups of one SLO at the edges of a day", short),
            played(it, class, grid, "groups of one SLO at the edges of days", long),
        ],
        _ => [
            played(it, class, grid, "groups of one SLO at the edges of all rules", short),
            played(it, class, grid, "groups of one SLO at the edges of hours", long),
        ],
    };
    made.into_iter().flatten().collect()
}

fn played<'a>(it: &'a Subject<'a>, class: &Class<'_>, grid: Grid, proves: &str, mut all: Vec<Group>) -> Option<Made> {
    let mut points = 0;
    all.retain(|group| {
        let more = group.minutes() / 5;
        let fits = points + more <= POINTS;
        points += if fits { more } else { 0 };
        fits
    });
    // What is beside the groups is beside those of the first test.
    let beside = all.iter().any(|group| group.name == missing::IDLE);
    let end = all.iter().map(Group::last).max()?.max(if beside { neighbour::END } else { 0 });
    let end = Duration::from_mins(end);
    let stage = Stage::between(it.context, &[], grid, proves, end)?;
    let mut stage = if grid == Grid::Days { stage.sampled(super::RATE) } else { stage };
    for group in &all {
        feed(&mut stage, it, &own(it, &group.name), &group.phases);
        for ask in &group.asks {
            asked(&mut stage, it, group, ask);
        }
    }
    if beside {
        missing::recorded(&mut stage, it);
        neighbour::fed(&mut stage, it, class);
    }
    stage.done()
}

/// Labels of what is recorded for a group.
fn own(it: &Subject<'_>, group: &str) -> Labels {
    let mut labels = it.recorded();
    labels.insert(LABEL.to_owned(), group.to_owned());
    labels
}

/// A group's alert, firing.
fn alert(it: &Subject<'_>, group: &str, told: Told<'_>) -> Labels {
    let mut labels = it.firing(told);
    labels.insert(LABEL.to_owned(), group.to_owned());
    labels
}

fn asked(stage: &mut Stage<'_>, it: &Subject<'_>, group: &Group, ask: &Ask) {
    let minutes = Duration::from_mins;
    match ask {
        Ask::Fires(told, at, fires) => {
            let alert = selector("ALERTS", &alert(it, &group.name, *told));
            stage.asks(it, &alert, minutes(*at), fires.then_some(1.0));
        }
        Ask::Alone(told, at) => {
            let mut labels = alert(it, &group.name, *told);
            if labels.remove(POLICY_LABEL).is_some() {
                let all = format!("count({})", selector("ALERTS", &labels));
                stage.asks_with(it, &all, minutes(*at), &Labels::new(), 1.0);
            }
        }
        Ask::Silent(told, back, at) => {
            let alert = selector("ALERTS", &alert(it, &group.name, *told));
            stage.asks(it, &format!("count_over_time({alert}[{}])", it.time(minutes(*back))), minutes(*at), None);
        }
    }
}

/// The pair of a group.
fn feed(stage: &mut Stage<'_>, it: &Subject<'_>, labels: &Labels, phases: &[Phase]) {
    let errors: Vec<(u64, Option<f64>)> = phases.iter().map(|it| (it.0, it.1)).collect();
    let all: Vec<(u64, Option<f64>)> = phases.iter().map(|it| (it.0, it.2)).collect();
    for (metric, rates) in [(names::ERROR_RATE, errors), (total_of(it.slo), all)] {
        if rates.iter().any(|it| it.1.is_some()) {
            // In scaled time there are as many events.
            let pace = it.context.estate.time_scale.divisor() as f64;
            let values = values(stage, &rates, pace);
            stage.feeds(selector(metric, labels), None, &values);
        }
    }
}

/// `0.5+0x9 stale _x4`.
fn values(stage: &Stage<'_>, rates: &[(u64, Option<f64>)], pace: f64) -> String {
    let mut parts = Vec::new();
    for (minutes, rate) in rates {
        let Some(repeats) = stage.count(Duration::from_mins(*minutes)).checked_sub(1) else { continue };
        if let Some(rate) = rate {
            parts.push(format!("{}+0x{repeats}", number(rate * pace)));
        } else {
            parts.push("stale".to_owned());
            parts.extend((repeats > 0).then(|| format!("_x{repeats}")));
        }
    }
    // It is over, and not only silent.
    parts.push("stale".to_owned());
    parts.join(" ")
}

/// Without an exponent, and no longer than needed.
fn number(value: f64) -> String {
    let text = format!("{value:.9}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
