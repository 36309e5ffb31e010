//! Replicas, breakers, processes that stay, telemetry.

use kilter_contract::{Signal, Values, db, http_client, process, resilience, slo, telemetry};

use super::super::text::{duration, percentage};
use super::clock::{LONG, after, levels};
use super::{Labels, Scene, Series, Stage, Struck, TOLD, TROUBLE, with};
use crate::model::{Duration, Resource};

/// By the word of two instances; a third has not noticed.
pub(super) fn lagging(stage: &Stage<'_>, it: &Resource) -> Scene {
    let (clock, hold) = (stage.clock, stage.settings.lag_hold);
    let lag = it.lag.unwrap_or(stage.settings.lag).secs_f64();
    let metric = resilience::REPLICA_LAG.name;
    let of = |target: &Labels, replica: &str, number: &str| {
        let named = [(resilience::REPLICA.key, replica), (db::NAMESPACE.key, "main")];
        stage.instance(&with(target, &named), number)
    };
    let lasts = clock.samples(TROUBLE);
    let mut series = stage.own_and_stranger(lasts, |target, quiet, lasts| {
        let one = |number: &str, more: f64| -> Series {
            let values = levels(&[(lag, quiet), (lag + more, lasts), (lag, LONG)]);
            (metric, of(target, &it.name, number), values)
        };
        vec![one("1", 1.0), one("2", 3.0), (metric, of(target, &it.name, "3"), format!("0+0x{LONG}"))]
    });
    // The neighbour has no exception of its own.
    let calm = stage.settings.lag.secs_f64();
    series.push((metric, of(&stage.target, "calm", "1"), format!("{calm}+0x{LONG}")));
    let labels = vec![(resilience::REPLICA.key, it.name.clone()), (db::NAMESPACE.key, "main".to_owned())];
    let none = Duration::ZERO;
    Scene {
        alert: slo::REPLICA_LAGGING,
        series,
        struck: vec![Struck { labels, value: duration(lag + 3.0) }],
        moments: vec![
            (clock.seen(none).plus(hold).minus(clock.eval()), false),
            (clock.seen(none).plus(hold), true),
            (clock.seen(clock.step.times(lasts)), false),
        ],
        told: clock.seen(TOLD),
    }
}

/// Open for good, as one instance says; a neighbour is open for two minutes, another for four samples of ten, and that of
/// a third is closed.
pub(super) fn breaker(stage: &Stage<'_>) -> Scene {
    let (clock, settings) = (stage.clock, stage.settings);
    let metric = resilience::CIRCUIT_BREAKER_STATE.name;
    let of = |target: &Labels, dependency: &str, state: &str, number: &str| {
        let named = [(http_client::DEPENDENCY.key, dependency), (resilience::STATE.key, state)];
        stage.instance(&with(target, &named), number)
    };
    let lasts = clock.samples(TROUBLE);
    let mut series = stage.own_and_stranger(lasts, |target, quiet, lasts| {
        vec![
            (metric, of(target, "struck", resilience::OPEN, "1"), levels(&[(0, quiet), (1, lasts), (0, LONG)])),
            (metric, of(target, "struck", resilience::OPEN, "2"), format!("0+0x{LONG}")),
        ]
    });
    let short = clock.samples(Duration::from_mins(2)).min(clock.samples(settings.breaker_range) * 2 / 5);
    let flapping = vec!["0+0x5 1+0x3"; usize::try_from(LONG / 10).unwrap_or(1)].join(" ");
    series.extend([
        (metric, of(&stage.target, "calm", resilience::OPEN, "1"), levels(&[(0, clock.quiet), (1, short), (0, LONG)])),
        (metric, of(&stage.target, "flapping", resilience::OPEN, "1"), flapping),
        (metric, of(&stage.target, "sound", "closed", "1"), format!("1+0x{LONG}")),
    ]);
    // More than half of the range.
    let half = Duration::from_millis(settings.breaker_range.millis() / 2);
    let hold = settings.breaker_hold;
    let ended = clock.step.times(lasts);
    Scene {
        alert: slo::CIRCUIT_BREAKER_OPEN,
        series,
        struck: vec![Struck {
            labels: vec![(http_client::DEPENDENCY.key, "struck".to_owned())],
            value: percentage(1.0),
        }],
        moments: vec![
            (clock.before(half.minus(clock.step)).plus(hold), false),
            (clock.seen(half.plus(clock.step)).plus(hold), true),
            (clock.seen(ended.plus(half).plus(clock.step)), false),
        ],
        told: clock.seen(TOLD),
    }
}

/// One instance starts again and again, another once less.
pub(super) fn restarts(stage: &Stage<'_>) -> Scene {
    let (clock, settings) = (stage.clock, stage.settings);
    let metric = process::START_TIME.name;
    let often = u64::from(settings.restarts);
    // All of them within two thirds of the range.
    let apart = settings.restarts_range.millis() * 2 / 3 / often / clock.step.millis();
    let starts = |quiet: u64, times: u64| {
        let mut parts = vec![(100, quiet)];
        parts.extend((1..times).map(|it| (100 + it, apart)));
        parts.push((900, LONG));
        levels(&parts)
    };
    let mut series = stage.own_and_stranger(0, |target, quiet, _| {
        // What begins with a start has one less.
        vec![(metric, stage.instance(target, "struck"), starts(quiet, often + 1 + u64::from(quiet == 0)))]
    });
    series.push((metric, stage.instance(&stage.target, "calm"), starts(clock.quiet, often)));
    let last = clock.step.times(apart * often);
    let (range, keep) = (settings.restarts_range, settings.restarts_keep_firing);
    let mut moments = vec![(clock.before(last), false), (clock.seen(last), true)];
    if clock.is_on() {
        // The first one is no longer in the range; and then it is kept.
        moments.push((clock.seen(range).plus(keep).minus(clock.eval().times(2)), true));
        moments.push((clock.seen(range).plus(keep).plus(clock.eval()), false));
    }
    Scene {
        alert: slo::PROCESS_RESTARTING,
        series,
        struck: vec![Struck { labels: vec![], value: (settings.restarts + 1).to_string() }],
        moments,
        told: clock.seen(last),
    }
}

/// One loss in two thirds of the range, and a few of another instance late; where nothing goes on for long: one burst, a
/// counter that begins again, and one that joins.
pub(super) fn telemetry(stage: &Stage<'_>, signal: Signal, problem: &str, goes_on: bool) -> Scene {
    let (clock, range, hold) = (stage.clock, stage.settings.telemetry_range, stage.settings.telemetry_hold);
    let part = |numerator: u64| clock.samples(Duration::from_millis(range.millis() * numerator / 15));
    let metric = signal.name;
    let why = signal.labels.first().map(|it| match it.values {
        Values::Closed(all) => (it.key, all.first().copied().unwrap_or_default()),
        _ => (it.key, "ad_hoc"),
    });
    let of = |target: &Labels, number: &str| stage.instance(&with(target, why.as_slice()), number);
    let quiet = clock.quiet;
    let series = if goes_on {
        stage.own_and_stranger(part(12), |target, quiet, lasts| {
            let again = if lasts == LONG {
                (0..LONG / part(10)).map(|it| (it + 1, part(10))).collect()
            } else {
                vec![(1, part(10)), (2, LONG)]
            };
            let often = levels(&[vec![(0, quiet)], again].concat());
            vec![
                (metric, of(target, "1"), often),
                (metric, of(target, "2"), levels(&[(0, quiet + part(12)), (3, LONG)])),
            ]
        })
    } else {
        vec![
            (metric, of(&stage.target, "1"), levels(&[(0, quiet), (5, LONG)])),
            (metric, of(&stage.target, "2"), levels(&[(50, quiet), (0, LONG)])),
            (metric, of(&stage.target, "3"), after(quiet, &format!("7+0x{LONG}"))),
        ]
    };
    let none = Duration::ZERO;
    // In the range at that time: the second loss of the one, all of the other.
    let told = Duration::from_millis(range.millis() * 16 / 15);
    Scene {
        alert: slo::TELEMETRY_DEGRADED,
        series,
        struck: goes_on
            .then(|| Struck { labels: vec![("problem", problem.to_owned())], value: "4".to_owned() })
            .into_iter()
            .collect(),
        moments: vec![
            (clock.seen(none).plus(hold).minus(clock.eval()), false),
            (clock.seen(none).plus(hold), true),
            (clock.seen(clock.step.times(part(12)).plus(range)), false),
        ],
        told: clock.seen(told),
    }
}

/// Every loss of telemetry that the SDK tells of, with the word that the alert has for it.
pub(super) const LOSSES: [(Signal, &str); 4] = [
    (telemetry::SPANS_DROPPED, "spans_dropped"),
    (telemetry::EXPORT_FAILURES, "exports_failed"),
    (telemetry::SERIES_OVERFLOW, "series_overflowed"),
    (telemetry::VIOLATIONS, "metrics_refused"),
];
