//! An alert over time, as Prometheus 2.42 keeps it.

use super::grid::millis;
use crate::model::Duration;

/// A time in which an alert fired. All times are those of evaluations, in milliseconds since the epoch of Unix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firing {
    /// When its condition began to hold.
    pub active: i64,
    /// When it began to fire.
    pub from: i64,
    /// The first evaluation at which it fired no longer; `None` when it still does at the end.
    pub until: Option<i64>,
    /// Of a burning budget the long and the short window that began it.
    pub pair: Option<(Duration, Duration)>,
}

/// The same before its windows are named: which parts of the condition held when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Raw {
    pub(super) active: i64,
    pub(super) from: i64,
    pub(super) until: Option<i64>,
    pub(super) held: u32,
}

/// What an alert is between two evaluations.
#[derive(Debug, Clone, Copy)]
enum State {
    Inactive,
    Pending {
        since: i64,
        held: u32,
    },
    /// The last of the list; its condition no longer holds since then.
    Firing {
        ended: Option<i64>,
    },
}

/// When an alert fires whose condition holds at these evaluations: for `hold` before it does, and it stays for `keep`.
pub(super) fn firings(
    evaluations: impl Iterator<Item = (i64, u32)>,
    hold: Option<Duration>,
    keep: Option<Duration>,
) -> Vec<Raw> {
    let (hold, keep) = (hold.map_or(0, millis), keep.map_or(0, millis));
    let mut all: Vec<Raw> = Vec::new();
    let mut state = State::Inactive;
    for (now, held) in evaluations {
        state = match (state, held) {
            (State::Inactive | State::Pending { .. }, 0) => State::Inactive,
            (State::Inactive, held) => State::Pending { since: now, held },
            (State::Firing { ended }, 0) => {
                let ended = ended.unwrap_or(now);
                if now - ended < keep {
                    State::Firing { ended: Some(ended) }
                } else {
                    if let Some(last) = all.last_mut() {
                        last.until = Some(now);
                    }
                    State::Inactive
                }
            }
            (State::Firing { .. }, _) => State::Firing { ended: None },
            (pending @ State::Pending { .. }, _) => pending,
        };
        if let State::Pending { since, held } = state
            && now - since >= hold
        {
            all.push(Raw { active: since, from: now, until: None, held });
            state = State::Firing { ended: None };
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Evaluations every 30 s, one letter each: `x` where the condition holds.
    fn times(held: &str, hold: u64, keep: u64) -> Vec<(i64, i64, Option<i64>)> {
        let held = held.bytes().zip(0_i64..).map(|(it, at)| (at * 30_000, u32::from(it == b'x')));
        let seconds = |it: u64| Some(Duration::from_secs(it));
        let all = firings(held, seconds(hold), seconds(keep)).into_iter();
        all.map(|it| (it.active / 1_000, it.from / 1_000, it.until.map(|it| it / 1_000))).collect()
    }

    #[test]
    fn an_alert_holds_fires_and_stays() {
        assert_eq!(times("..xx..", 0, 0), [(60, 60, Some(120))]);
        assert_eq!(times("..xxxx", 60, 0), [(60, 120, None)]);
        // A gap while it is pending begins it anew; while it is kept it does not.
        assert_eq!(times("xx.xxx.", 60, 0), [(90, 150, Some(180))]);
        assert_eq!(times("x.x..x...", 0, 60), [(0, 0, Some(240))]);
        assert_eq!(times("x....x", 0, 60), [(0, 0, Some(90)), (150, 150, None)]);
    }
}
