//! The only place that knows kinds of SLI: each lowers to one pair of an error rate and a total rate.
//!
//! Sources: `docs/adr/0003-burn-rate-rules.md`; the defaults (unmatched routes are out, `client_disconnect` is no
//! availability error, a latency SLI counts what did not fail) are explained in `docs/slo-file.md`.

mod histogram;
mod red;
mod text;
mod time;

use kilter_contract::slo;

use super::context::Context;
use crate::model::{Duration, Sli, Slo};

pub use red::spent;
pub(crate) use time::SLICE;

/// Events per second over the rate window, as PromQL that is recorded under the SLO's labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What is recorded before them, because it must outlive its source: the last success of a freshness SLI.
    pub memory: Option<String>,
    /// All events.
    pub total: String,
    /// Bad events. May read the recorded total.
    pub error: String,
}

impl Pair {
    const fn of(total: String, error: String) -> Self {
        Self { memory: None, total, error }
    }
}

/// What lowering an SLO needs besides its SLI.
struct Lowering<'a> {
    context: &'a Context<'a>,
    by: &'a [String],
    /// The recorded total of this SLO.
    total_series: String,
    rate: Duration,
    /// Whether no rule has recorded anything: then everything is asked of what was scraped.
    raw: bool,
}

/// Lowers an SLO to its pair.
pub fn pair(context: &Context<'_>, slo: &Slo) -> Pair {
    lowered(context, slo, false)
}

/// The same pair over what was scraped alone, for history from before its rules were there.
pub fn raw_pair(context: &Context<'_>, slo: &Slo) -> Pair {
    let mut pair = lowered(context, slo, true);
    let recorded = context.recorded(slo::TOTAL_RATE, &[slo.name.as_str()]);
    pair.error = pair.error.replace(&recorded, &format!("({})", pair.total));
    pair
}

fn lowered(context: &Context<'_>, slo: &Slo, raw: bool) -> Pair {
    let total_series = context.recorded(slo::TOTAL_RATE, &[slo.name.as_str()]);
    let lowering = Lowering { context, by: &slo.by, total_series, rate: context.timing.rate, raw };
    match &slo.sli {
        Sli::Red(red) => lowering.red(red),
        Sli::Freshness { job, within } => lowering.freshness(slo, job, *within),
        Sli::Events { side, total } => lowering.events(side, total),
        Sli::Ratio(side) => lowering.ratio(side),
        Sli::Latency(histogram) => lowering.histogram(histogram),
        Sli::Uptime { up } => lowering.uptime(up),
        Sli::Slices { good } => lowering.slices(good),
    }
}

impl Lowering<'_> {
    /// Total minus good, never below zero: two scrapes of a histogram's parts need not be of one moment. Both are of the
    /// same evaluation: where what it records cannot be read, the total is asked for again, because traffic that falls
    /// would else look like errors.
    fn without(&self, total: &str, good: &str) -> String {
        if self.context.estate.target.engine().reads_own {
            let on = self.context.join().join(", ");
            return format!("clamp_min({} - ignoring ({on}) {good}, 0)", self.total_series);
        }
        format!("clamp_min(({total}) - {good}, 0)")
    }
}
