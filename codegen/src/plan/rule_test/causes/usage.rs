//! USE: saturated, near its limit, erroring, filling.

use kilter_contract::{db, process, resource, slo};

use super::super::super::resources::{DB_POOL, PROCESS, TOKIO};
use super::super::text::percentage;
use super::clock::{LONG, after, counter, levels};
use super::{Labels, Scene, Series, Stage, Struck, TOLD, TROUBLE, resource_labels, with};
use crate::model::{Decimal, Duration, Resource};

const NONE: Duration = Duration::ZERO;

/// Something waits at two instances, at one of them more; then a third has nothing waiting. Neighbours: one thing waits
/// after a pause of one sample; one pauses again and again; another has just come.
pub(super) fn saturated(stage: &Stage<'_>, it: &Resource) -> Scene {
    let (clock, usual) = (stage.clock, stage.settings.saturated_for);
    let held = it.saturated_for.unwrap_or(usual);
    let pool = it.kind == DB_POOL;
    let metric = if pool { db::CONNECTION_PENDING } else { resource::PENDING }.name;
    let lasts = clock.samples(TROUBLE.max(held.plus(TOLD)));
    // A pool goes with its process, anything else recovers.
    let ends = |values: String| if pool { format!("{values} stale") } else { format!("{values} 0+0x{LONG}") };
    let mut series = stage.own_and_stranger(lasts, |target, quiet, lasts| {
        let one = |number: &str, waiting: u8| -> Series {
            let labels = stage.instance(&stage.of(target, it, &it.name), number);
            (metric, labels, ends(levels(&[(0, quiet), (waiting, lasts)])))
        };
        vec![one("1", 3), one("2", 5), one("3", 0)]
    });
    let mut struck = vec![Struck { labels: resource_labels(it, &it.name), value: "5".to_owned() }];
    let of = |name: &str| stage.of(&stage.target, it, name);
    if !stage.exception {
        let paused = levels(&[(1, clock.quiet - 1), (0, 1), (1, lasts)]);
        series.push((metric, of("single"), ends(paused)));
        struck.push(Struck { labels: resource_labels(it, "single"), value: "1".to_owned() });
    }
    let pause = clock.samples(usual).saturating_sub(2);
    let rests = vec![format!("3+0x{pause} 0"); usize::try_from(LONG / (pause + 2)).unwrap_or(1)].join(" ");
    let young = clock.quiet + clock.samples(held).saturating_sub(4);
    series
        .extend([(metric, of("calm"), rests), (metric, of("young"), after(young, &format!("3+0x{pause} 0+0x{LONG}")))]);
    // What vanished was still there within the time.
    let ended = clock.step.times(lasts).plus(if pool { held } else { NONE });
    Scene {
        alert: slo::RESOURCE_SATURATED,
        series,
        struck,
        moments: vec![(clock.before(held), false), (clock.seen(held), true), (clock.seen(ended), false)],
        told: clock.seen(held.max(TOLD)),
    }
}

/// Just at the threshold, then a thousandth above it, at one of two instances. Neighbours: one at the threshold of all
/// others, one without a limit, one whose limit is 1.
pub(super) fn near_limit(stage: &Stage<'_>, it: &Resource) -> Scene {
    let (clock, hold) = (stage.clock, stage.settings.near_limit_hold);
    let thousand = Decimal::new(1_000, 0);
    let at = it.near_limit.unwrap_or(stage.settings.near_limit).times(thousand).to_f64();
    let single = [PROCESS, TOKIO].contains(&(it.kind.as_str(), it.name.as_str()));
    let usual = if single { at } else { stage.settings.near_limit.times(thousand).to_f64() };
    let lasts = clock.samples(TROUBLE);
    let rate = Duration::from_mins(5);
    let tokio = (it.kind.as_str(), it.name.as_str()) == TOKIO;
    let used_and_limit = |target: &Labels, name: &str, number: &str, used: String, limit: f64| -> Vec<Series> {
        let limit = format!("{limit}+0x{LONG}");
        let labels = stage.of(target, it, name);
        let labels = if single { labels } else { stage.instance(&labels, number) };
        match (it.kind.as_str(), it.name.as_str()) {
            (DB_POOL, _) => {
                let of = |state: &str| with(&labels, &[(db::CONNECTION_STATE.key, state)]);
                vec![
                    (db::CONNECTION_COUNT.name, of("used"), used),
                    (db::CONNECTION_COUNT.name, of("idle"), limit.clone()),
                    (db::CONNECTION_MAX.name, labels, limit),
                ]
            }
            PROCESS => {
                vec![(process::OPEN_FDS.name, labels.clone(), used), (process::MAX_FDS.name, labels, limit)]
            }
            TOKIO => {
                vec![(process::TOKIO_BUSY.name, labels.clone(), used), (process::TOKIO_WORKERS.name, labels, limit)]
            }
            _ => vec![(resource::USAGE.name, labels.clone(), used), (resource::LIMIT.name, labels, limit)],
        }
    };
    // A counter rises by as much; at the threshold itself the rounding of the rate would decide.
    let rise = |share: f64| share / 1_000.0 * stage.context.estate.time_scale.apply(clock.step).secs_f64();
    let busy = |share: f64| format!("0+{}x{LONG}", rise(share));
    let level = |used: f64| if tokio { busy(used - 1.0) } else { format!("{used}+0x{LONG}") };
    let mut series = stage.own_and_stranger(lasts, |target, quiet, lasts| {
        let own = |number: &str, before: f64, used: f64| {
            let (used, limit) = match (tokio, single) {
                // One worker.
                (true, _) => (counter(quiet + 1, rise(used), lasts), 1.0),
                (_, true) => (levels(&[(before, quiet), (used, lasts), (before, LONG)]), 1_000.0),
                _ => (levels(&[(before, quiet), (used, lasts), (0.0, LONG)]), 1_000.0),
            };
            used_and_limit(target, if single { number } else { &it.name }, number, used, limit)
        };
        [own("1", at, at + 1.0), own("2", 0.0, at / 2.0)].concat()
    });
    let mut struck = vec![Struck { labels: resource_labels(it, &it.name), value: percentage((at + 1.0) / 1_000.0) }];
    let target = &stage.target;
    if !single && !stage.exception {
        let full = levels(&[(0, clock.quiet), (1, lasts), (0, LONG)]);
        series.extend(used_and_limit(target, "small", "1", full, 1.0));
        struck.push(Struck { labels: resource_labels(it, "small"), value: percentage(1.0) });
    }
    series.extend(used_and_limit(target, "calm", "1", level(usual), if tokio { 1.0 } else { 1_000.0 }));
    series.extend(used_and_limit(target, "unlimited", "1", level(5.0), 0.0));
    if tokio {
        // A process that begins again, and one that joins, with four workers of which two are busy.
        let half = rise(500.0);
        let again = format!("0+{half}x{} 0+{half}x{LONG}", clock.quiet.saturating_sub(1));
        series.extend(used_and_limit(target, "reset", "1", again, 1.0));
        let joins = after(clock.quiet, &format!("1000+{}x{LONG}", rise(2_000.0)));
        series.extend(used_and_limit(target, "joined", "1", joins, 4.0));
    }
    // A rate needs its window to be full; it is extrapolated over less than a sample.
    let (early, late) = if tokio { (rate.minus(clock.step), rate) } else { (NONE, NONE) };
    let ended = clock.step.times(lasts + 1).plus(late);
    Scene {
        alert: slo::RESOURCE_NEAR_LIMIT,
        series,
        struck,
        moments: vec![
            (clock.before(early).plus(hold), false),
            (clock.seen(late).plus(hold), true),
            (clock.seen(ended), false),
        ],
        told: clock.seen(hold.plus(rate).plus(clock.eval())),
    }
}

/// Two instances refuse again and again, a neighbour has an error as seldom as is still seen always. Others: one burst, a
/// counter that begins again, and one that joins.
pub(super) fn erroring(stage: &Stage<'_>, it: &Resource) -> Scene {
    let (clock, hold, range) = (stage.clock, stage.settings.erroring_hold, Duration::from_mins(5));
    let metric = if it.kind == DB_POOL { db::CONNECTION_TIMEOUTS } else { resource::ERRORS }.name;
    let lasts = clock.samples(TROUBLE);
    let of = |name: &str| stage.of(&stage.target, it, name);
    let mut series = stage.own_and_stranger(lasts, |target, quiet, lasts| {
        let one = |number: &str, rise: f64| -> Series {
            (metric, stage.instance(&stage.of(target, it, &it.name), number), counter(quiet, rise, lasts))
        };
        vec![one("1", 1.0), one("2", 2.0)]
    });
    let mut struck = vec![Struck { labels: resource_labels(it, &it.name), value: "60".to_owned() }];
    let quiet = clock.quiet;
    if !stage.exception {
        let apart = range.minus(clock.step).millis() / clock.step.millis();
        let errors = lasts / apart;
        let mut parts = vec![(0, quiet)];
        parts.extend((1..errors).map(|it| (it, apart)));
        parts.push((errors, LONG));
        series.push((metric, of("seldom"), levels(&parts)));
        struck.push(Struck { labels: resource_labels(it, "seldom"), value: "1".to_owned() });
    }
    series.extend([
        (metric, of("calm"), levels(&[(0, quiet), (5, LONG)])),
        (metric, of("reset"), levels(&[(50, quiet), (0, LONG)])),
        (metric, of("joined"), after(quiet, &format!("7+0x{LONG}"))),
    ]);
    Scene {
        alert: slo::RESOURCE_ERRORS,
        series,
        struck,
        moments: vec![
            (clock.seen(NONE).plus(hold).minus(clock.eval()), false),
            (clock.seen(NONE).plus(hold), true),
            (clock.seen(clock.step.times(lasts).plus(range)), false),
        ],
        told: clock.seen(TOLD),
    }
}

/// When a line through the range begins to point at the limit, after the growth began: between two
/// evaluations.
const POINTS: Duration = Duration::from_secs(27 * 60 + 30);

/// How much more a line through the range foretells, when something began to grow by one a sample so long ago.
///
/// The slope of the line of least squares through a ramp over the last part `p` of the range is `3p^2 - 2p^3` of the
/// ramp's, and the line's end is `2p^2 - p^3` of the range's length above the ground.
fn foretold(range: f64, ahead: f64, grown: f64) -> f64 {
    let p = grown / range;
    range * (2.0 * p.powi(2) - p.powi(3)) + ahead * (3.0 * p.powi(2) - 2.0 * p.powi(3))
}

/// Flat, then it grows: at an instance that is fuller, and at one that is less full. Neighbours: one less than half full,
/// one of a type that fills and empties, one without a limit, one that is nearly full and does not grow.
pub(super) fn filling(stage: &Stage<'_>, it: &Resource) -> Scene {
    let (clock, settings) = (stage.clock, stage.settings);
    let within = it.fills_within.unwrap_or(settings.fills_within);
    let samples = |length: Duration| length.secs_f64() / clock.step.secs_f64();
    // So much is left when the growth begins.
    let left = foretold(samples(settings.filling_range), samples(within), samples(POINTS)).round();
    let process = (it.kind.as_str(), it.name.as_str()) == PROCESS;
    let (used, most) = if process {
        (process::OPEN_FDS.name, process::MAX_FDS.name)
    } else {
        (resource::USAGE.name, resource::LIMIT.name)
    };
    let grows = clock.seen(POINTS).plus(settings.filling_hold).minus(clock.began());
    let lasts = clock.samples(grows) + 2;
    // From `from`, in units of `unit`, and in the end nearly empty.
    let growing = |quiet: u64, from: f64, unit: f64, lasts: u64| {
        let flat = levels(&[(from * unit, quiet)]);
        let rise = format!("{}+{unit}x{} {}+0x{LONG}", from * unit, lasts.saturating_sub(1), from * unit / 8.0);
        format!("{flat} {rise}").trim().to_owned()
    };
    let both = |labels: Labels, values: String, limit: f64| -> Vec<Series> {
        vec![(used, labels.clone(), values), (most, labels, format!("{limit}+0x{LONG}"))]
    };
    let of = |target: &Labels, name: &str, number: &str| {
        let name = if process && name == it.name { number } else { name };
        let labels = stage.of(target, it, name);
        if process { labels } else { stage.instance(&labels, number) }
    };
    // A process has one alert whatever the instance: a limit of 1 is the fuller one.
    let unit = if process { 1.0 / (2.5 * left) } else { 1.0 };
    let mut series = stage.own_and_stranger(lasts, |target, quiet, lasts| {
        let fuller = growing(quiet, 1.5 * left, unit, lasts);
        let emptier = growing(quiet, 1.3 * left, 1.0, lasts);
        [
            both(of(target, &it.name, "1"), fuller, 2.5 * left * unit),
            both(of(target, &it.name, "2"), emptier, 2.3 * left),
        ]
        .concat()
    });
    let told = clock.began().plus(grows);
    let share = percentage((1.5 * left + samples(grows)) / (2.5 * left));
    let mut struck = vec![Struck { labels: resource_labels(it, &it.name), value: share.clone() }];
    let target = &stage.target;
    if !process && !stage.exception {
        let unit = 1.0 / (2.5 * left);
        series.extend(both(of(target, "small", "1"), growing(clock.quiet, 1.5 * left, unit, lasts), 1.0));
        struck.push(Struck { labels: resource_labels(it, "small"), value: share });
    }
    if !process {
        let other = Resource { kind: "semaphore".to_owned(), ..it.clone() };
        let labels = stage.of(target, &other, "busy");
        series.extend(both(labels, growing(clock.quiet, 1.5 * left, 1.0, lasts), 2.5 * left));
    }
    if !stage.exception {
        // It began earlier, and the line points at its limit earlier.
        series.extend(both(of(target, "half", "1"), growing(clock.quiet - 20, 0.0, 1.0, lasts + 20), left));
    }
    series.extend(both(of(target, "unlimited", "1"), format!("10+1x{LONG}"), 0.0));
    series.extend(both(of(target, "calm", "1"), format!("900+0x{LONG}"), 1_000.0));
    Scene {
        alert: slo::RESOURCE_FILLING,
        series,
        struck,
        moments: vec![(told.minus(clock.eval()), false), (told, true), (clock.seen(clock.step.times(lasts)), false)],
        told,
    }
}
