//! The rules of one SLO, taken from the plan.

use crate::model::{Decimal, Duration, Name, NoData, Severity, Slo, Weekly};
use crate::plan::alerting::{self, Seen, Watch};
use crate::plan::class::Class;
use crate::plan::context::{Context, Layout};
use crate::plan::expr::{self, Over};
use crate::plan::maintenance::{AFTER, week};
use crate::plan::recording;

use super::{Firing, state};

/// Everything that decides what the rules of one SLO do. Cheap to make: for a what-if, change the SLO and make another.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "facts of an SLO that have nothing to do with each other")]
pub struct Rules {
    /// The SLO.
    pub slo: Name,
    /// `1 - objective`, for arithmetic.
    pub error_budget: f64,
    /// The compliance window, scaled.
    pub window: Duration,
    /// Points of its grid, of which [`super::Budget::coverage`] is a share.
    pub period_points: u64,
    /// Range of the recorded pair, and step of longer windows.
    pub rate: Duration,
    /// How often the budget is evaluated. promtool knows one interval only, whatever the group's.
    pub budget_interval: Duration,
    /// Pairs of alert windows with their factors.
    pub pairs: Vec<Burning>,
    /// Every alert window with how it is read, as for the series of its name.
    pub windows: Vec<(Duration, Over)>,
    /// The alerts.
    pub watches: Vec<Watch>,
    /// Whether ranges leave out their first moment. Prometheus 2 has both ends in them, Prometheus 3 does not.
    pub left_open: bool,
    pub(super) min_errors: u32,
    pub(super) no_data: NoData,
    /// Whether what is measured and what counts are two things.
    pub(super) measured: bool,
    /// Whether there is maintenance, and when it is scheduled.
    pub(super) maintained: bool,
    pub(super) schedule: Vec<Weekly>,
    /// Whether it has groups: then the other groups have data where one has none.
    pub(super) grouped: bool,
    pub(super) traffic_expected: u32,
    pub(super) page_memory: Duration,
    pub(super) ticket_memory: Duration,
    pub(super) traffic_memory: Duration,
}

/// A pair of alert windows, and when it alerts.
#[derive(Debug, Clone, PartialEq)]
pub struct Burning {
    /// How it is delivered.
    pub severity: Severity,
    /// Decides; as its series is named.
    pub long: Duration,
    /// Resets.
    pub short: Duration,
    /// The burn rate above which both must be.
    pub factor: Decimal,
    /// How the errors of the long window are counted for `min_errors`; `None` when there is no such guard.
    pub(super) guard: Option<Seen>,
}

impl Rules {
    /// The rules of an SLO of the context's service; `None` when it has none of that name.
    pub fn of(context: &Context<'_>, slo: &Name) -> Option<Self> {
        let class = context.classes().iter().find(|class| class.slos.iter().any(|it| it.name == *slo))?;
        let slo = class.slos.iter().find(|it| it.name == *slo)?;
        Some(Self::in_class(context, class, slo))
    }

    /// The rules of every SLO of the context's service, in the order of the file.
    pub fn all(context: &Context<'_>) -> Vec<Self> {
        context.service.slos.iter().filter_map(|slo| Self::of(context, &slo.name)).collect()
    }

    fn in_class(context: &Context<'_>, class: &Class<'_>, slo: &Slo) -> Self {
        let timing = &context.timing;
        let scaled = |duration| context.estate.time_scale.apply(duration);
        let guard = |long| (class.min_errors > 0).then(|| alerting::seen(context, long));
        let pair = |(pair, factor): &(crate::model::Pair, Decimal)| Burning {
            severity: pair.severity,
            long: pair.long,
            short: pair.short,
            factor: *factor,
            guard: guard(pair.long),
        };
        // A rule that classes share is read in one way for all of them.
        let together = if context.layout == Layout::Whole { context.classes() } else { std::slice::from_ref(class) };
        let own = |window: &Duration| class.pairs.iter().any(|(it, _)| it.long == *window || it.short == *window);
        let windows = recording::windows(together).into_iter().filter(|(window, _)| own(window));
        // A class may have the alert for others of its SLOs only.
        let traffic = alerting::has_traffic_to_lose(slo);
        let told = |it: &Watch| traffic || it.condition != alerting::Condition::TrafficLost;
        let windows = windows.map(|(window, tiles)| (window, expr::over(scaled(window), timing.rate, tiles))).collect();
        Self {
            slo: slo.name.clone(),
            error_budget: slo.objective.error_budget().to_f64(),
            window: scaled(slo.window),
            period_points: recording::period_points(context, class),
            rate: timing.rate,
            budget_interval: timing.budget_interval,
            pairs: class.pairs.iter().map(pair).collect(),
            windows,
            watches: alerting::watches(context, class).into_iter().filter(told).collect(),
            left_open: false,
            min_errors: class.min_errors,
            no_data: slo.no_data,
            measured: class.measured(),
            maintained: class.maintained,
            schedule: slo.policy.maintenance.iter().flat_map(|it| it.schedule.clone()).collect(),
            grouped: !slo.by.is_empty(),
            traffic_expected: timing.traffic_expected,
            page_memory: timing.missing_page_memory,
            ticket_memory: timing.missing_ticket_memory,
            traffic_memory: timing.traffic_memory,
        }
    }

    /// How long after an incident the last alert about burning should be gone, with some room: an exhausted budget is told
    /// for longer.
    pub fn longest_reset(&self) -> Duration {
        let short = self.pairs.iter().map(|it| it.short).max().unwrap_or(self.rate);
        let keep = self.watches.iter().filter(|it| it.condition == alerting::Condition::Burn).filter_map(|it| it.keep);
        short.plus(keep.max().unwrap_or(self.rate)).plus(self.rate.times(4))
    }

    /// When its schedule takes everything out of the budget, in minutes of the week from Sunday 00:00 UTC.
    pub fn maintenance(&self) -> Vec<(u16, u16)> {
        week(&self.schedule, AFTER)
    }

    /// The pairs of one severity, in the order of the alert's expression.
    pub fn pairs_of(&self, severity: Severity) -> impl Iterator<Item = &Burning> {
        self.pairs.iter().filter(move |it| it.severity == severity)
    }

    /// A firing with the names of the windows that began it.
    pub(super) fn named(&self, watch: Watch, firing: state::Raw) -> Firing {
        let first = firing.held.trailing_zeros() as usize;
        let pair = (watch.condition == alerting::Condition::Burn).then(|| self.pairs_of(watch.severity).nth(first));
        Firing {
            active: firing.active,
            from: firing.from,
            until: firing.until,
            pair: pair.flatten().map(|it| (it.long, it.short)),
        }
    }
}
