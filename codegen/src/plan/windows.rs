//! The one table of windows, factors, holds and intervals, read from the data files in `codegen/windows/`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::{Duration, Slo, TimeScale};
pub use crate::model::{Pair, Severity};
use crate::yaml;

/// Alert windows for one range of compliance windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowTable {
    /// The shortest compliance window that it is for.
    pub min_window: Duration,
    /// Pairs, pages first.
    pub pairs: Vec<Pair>,
}

impl WindowTable {
    /// Every alert window of the table, once, shortest first.
    pub fn windows(&self) -> Vec<Duration> {
        let mut all: Vec<Duration> = self.pairs.iter().flat_map(|pair| [pair.long, pair.short]).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

macro_rules! timing {
    ($($(#[doc = $doc:literal])+ $name:ident),+ $(,)?) => {
        /// Intervals and holds, in real time or scaled.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Timing {
            $($(#[doc = $doc])+ pub $name: Duration,)+
            /// Events expected in one rate window before their absence alerts.
            pub traffic_expected: u32,
        }

        #[derive(Deserialize)]
        struct TimingFile { $($name: String,)+ traffic_expected: u32 }

        impl Timing {
            fn read(text: &str) -> Result<Self, String> {
                let file: TimingFile = yaml::from_str(text)?;
                Ok(Self {
                    $($name: file.$name.parse().map_err(|error| format!("{}: {error}", stringify!($name)))?,)+
                    traffic_expected: file.traffic_expected,
                })
            }

            /// Everything divided by the scale.
            #[must_use]
            pub fn scaled(&self, scale: TimeScale) -> Self {
                Self { $($name: scale.apply(self.$name),)+ traffic_expected: self.traffic_expected }
            }
        }
    };
}

timing! {
    /// Range of the recorded pair, and step of longer windows.
    rate,
    /// Evaluation of pairs, burn rates and alerts.
    interval,
    /// Evaluation of the budget.
    budget_interval,
    /// How others read the budget's series.
    budget_lookback,
    /// How long a page stays after its condition ended.
    page_keep_firing,
    /// How long a ticket stays.
    ticket_keep_firing,
    /// How long an exhausted budget stays.
    exhausted_keep_firing,
    /// How long data must be missing before a page.
    missing_page_hold,
    /// Data that were there within this time can go missing.
    missing_page_memory,
    /// How long data must be missing before a ticket.
    missing_ticket_hold,
    /// The same for tickets.
    missing_ticket_memory,
    /// How long traffic must be gone.
    traffic_hold,
    /// Traffic of this time says what was normal.
    traffic_memory,
    /// How long a recorded last success is looked for.
    success_memory,
    /// How long a service must be down.
    down_hold,
    /// Targets that were there within this time.
    down_memory,
    /// How long a page must fire before it escalates.
    escalation_hold,
    /// How long it must fire before the leadership hears of it.
    leadership_hold,
    /// How long pages of several teams must go on at once.
    widespread_hold,
    /// Rule failures within this time.
    rules_memory,
}

/// Tables from the longest compliance window to the shortest.
static TABLES: LazyLock<Vec<WindowTable>> = LazyLock::new(|| {
    let texts = [include_str!("../../windows/month.yaml"), include_str!("../../windows/week.yaml")];
    texts
        .into_iter()
        .map(|text| read_table(text).unwrap_or_else(|error| unreachable!("a table of ours: {error}")))
        .collect()
});

static TIMING: LazyLock<Timing> = LazyLock::new(|| {
    Timing::read(include_str!("../../windows/timing.yaml"))
        .unwrap_or_else(|error| unreachable!("timing.yaml of ours: {error}"))
});

/// The table for a compliance window. The shortest table serves everything below it; `resolve` refuses such windows.
pub fn table(window: Duration) -> &'static WindowTable {
    TABLES.iter().find(|table| window >= table.min_window).unwrap_or(&TABLES[TABLES.len() - 1])
}

/// The alert windows of an SLO: its own, or the table's for its compliance window.
pub fn pairs(slo: &Slo) -> &[Pair] {
    slo.policy.windows.as_deref().unwrap_or(&table(slo.window).pairs)
}

/// The shortest compliance window that any table is for.
pub fn shortest_window() -> Duration {
    TABLES.iter().map(|table| table.min_window).min().unwrap_or(Duration::ZERO)
}

/// Intervals and holds in real time.
pub fn timing() -> &'static Timing {
    &TIMING
}

#[derive(Deserialize)]
struct TableFile {
    min_window: String,
    pairs: Vec<PairFile>,
}

#[derive(Deserialize)]
struct PairFile {
    severity: Severity,
    share: String,
    long: String,
    short: String,
}

fn read_table(text: &str) -> Result<WindowTable, String> {
    let file: TableFile = yaml::from_str(text)?;
    let duration = |text: &str| text.parse::<Duration>().map_err(|error| format!("{text}: {error}"));
    let pairs = file.pairs.iter().map(|pair| {
        let share = pair.share.parse().map_err(|error| format!("{}: {error}", pair.share))?;
        Ok(Pair { severity: pair.severity, share, long: duration(&pair.long)?, short: duration(&pair.short)? })
    });
    Ok(WindowTable { min_window: duration(&file.min_window)?, pairs: pairs.collect::<Result<_, String>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Objective;

    fn factors(window: &str, objective: &str) -> Vec<String> {
        let window: Duration = window.parse().unwrap();
        let objective = Objective::new(objective.parse().unwrap()).unwrap();
        table(window).pairs.iter().map(|pair| pair.factor(window, objective).to_string()).collect()
    }

    /// 30 days: table 5-8 of the SRE workbook. Low objectives: half of what a total outage burns.
    #[test]
    fn factors_are_those_of_the_workbook() {
        assert_eq!(factors("30d", "0.999"), ["14.4", "6", "3", "1"]);
        assert_eq!(factors("28d", "0.999"), ["13.44", "5.6", "2.8", "0.933"]);
        assert_eq!(factors("7d", "0.999"), ["13.44", "3.5", "1.4", "0.98"]);
        assert_eq!(factors("30d", "0.95"), ["10", "6", "3", "1"]);
        assert_eq!(factors("30d", "0.9"), ["5", "5", "3", "1"]);
        assert_eq!(factors("30d", "0.8"), ["2.5", "2.5", "2.5", "1"]);
    }

    #[test]
    fn everything_scales() {
        let scaled = timing().scaled(TimeScale::one_in(20).unwrap());
        assert_eq!(scaled.interval.to_string(), "1500ms");
        assert_eq!(scaled.budget_interval.to_string(), "6s");
        assert!(timing().budget_interval.times(2) <= Duration::from_mins(5), "above half the lookback");
    }
}
