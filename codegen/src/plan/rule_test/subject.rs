//! An SLO with what its tests need again and again.

use kilter_contract::slo as names;

use super::super::class;
use super::super::context::Context;
use super::super::windows::Severity;
use super::file::{Labels, selector};
use super::inputs::{Fed, Inputs, identity};
use super::text::Told;
use super::theory;
use crate::model::{Duration, NoData, Slo};
use crate::render::engine::Templates;

pub(super) const PAGE: Told<'_> =
    Told { alert: names::ERROR_BUDGET_BURN, template: "burn", severity: Severity::Page, range: "" };
pub(super) const TICKET: Told<'_> =
    Told { alert: names::ERROR_BUDGET_BURN, template: "burn", severity: Severity::Ticket, range: "" };
pub(super) const MISSING_PAGE: Told<'_> =
    Told { alert: names::DATA_MISSING, template: "missing", severity: Severity::Page, range: "6h" };
pub(super) const MISSING_TICKET: Told<'_> =
    Told { alert: names::DATA_MISSING, template: "missing", severity: Severity::Ticket, range: "6h" };
pub(super) const EXHAUSTED: Told<'_> =
    Told { alert: names::ERROR_BUDGET_EXHAUSTED, template: "exhausted", severity: Severity::Ticket, range: "30d" };

pub(super) const fn traffic_lost(severity: Severity) -> Told<'static> {
    Told { alert: names::TRAFFIC_LOST, template: "traffic", severity, range: "6h" }
}

/// An SLO under test.
pub(super) struct Subject<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) templates: &'a Templates,
    pub(super) slo: &'a Slo,
    pub(super) inputs: Inputs,
    pub(super) budget: f64,
    /// What would page.
    pub(super) page: Vec<theory::Pair>,
    /// What would ticket.
    pub(super) ticket: Vec<theory::Pair>,
    /// How missing data are told.
    pub(super) missing: Option<Severity>,
}

impl<'a> Subject<'a> {
    pub(super) fn of(context: &'a Context<'a>, slo: &'a Slo, templates: &'a Templates) -> Self {
        Self {
            context,
            templates,
            slo,
            inputs: Inputs::of(context.estate, context.service, slo),
            budget: slo.objective.error_budget().to_f64(),
            page: theory::page(slo),
            ticket: theory::ticket(slo),
            missing: match slo.no_data {
                NoData::Page => Some(Severity::Page),
                NoData::Bad if !theory::page(slo).is_empty() => Some(Severity::Page),
                NoData::Ticket | NoData::Bad => Some(Severity::Ticket),
                NoData::Ignore => None,
            },
        }
    }

    /// Whether anything can be fed. Where missing data are bad, the rule of the errors speaks as soon as there is a total:
    /// nothing can be fed beside it.
    pub(super) fn fed(&self) -> bool {
        self.inputs.fed != Fed::Pair || self.slo.no_data != NoData::Bad
    }

    /// Whether errors can be fed: they need series that errors are counted in.
    pub(super) fn errs(&self) -> bool {
        self.fed() && self.inputs.fed != Fed::Total
    }

    /// `<service>/<slo>`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.context.service.name, self.slo.name)
    }

    /// The pairs of a severity.
    pub(super) fn pairs(&self, severity: Severity) -> &[theory::Pair] {
        if severity == Severity::Page { &self.page } else { &self.ticket }
    }

    /// What a total outage raises first, and its pairs.
    pub(super) fn loudest(&self) -> (Told<'static>, &[theory::Pair]) {
        if self.page.is_empty() { (TICKET, &self.ticket) } else { (PAGE, &self.page) }
    }

    /// How long it takes, at a burn rate, until there are as many errors as the low-traffic guard asks for. Tests choose
    /// the number of events, but not the length of a second.
    pub(super) fn enough(&self, burn: f64) -> Duration {
        if !self.slo.sli.is_time_weighted() {
            return Duration::ZERO;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a test")]
        let seconds = (f64::from(self.slo.min_errors) / (burn * self.budget)).ceil() as u64;
        Duration::from_secs(seconds)
    }

    pub(super) fn time(&self, real: Duration) -> Duration {
        self.context.estate.time_scale.apply(real)
    }

    /// Labels of the struck group's recorded series.
    pub(super) fn recorded(&self) -> Labels {
        let mut labels = identity(self.context.estate, self.context.service, self.slo);
        labels.extend(self.inputs.groups.first().cloned().unwrap_or_default());
        labels
    }

    /// Labels of an alert of the struck group.
    pub(super) fn owned(&self, told: Told<'_>) -> Labels {
        owned(self.context, self.slo, self.recorded(), told)
    }

    pub(super) fn firing(&self, told: Told<'_>) -> Labels {
        let mut labels = self.owned(told);
        labels.insert("alertname".to_owned(), told.alert.to_owned());
        labels.insert("alertstate".to_owned(), "firing".to_owned());
        labels
    }

    /// The firing alert of the struck group.
    pub(super) fn alert(&self, told: Told<'_>) -> String {
        selector("ALERTS", &self.firing(told))
    }

    /// Anything of this SLO that fires, of one severity or any.
    pub(super) fn any(&self, severity: &str) -> String {
        let mut labels = identity(self.context.estate, self.context.service, self.slo);
        labels.insert("alertstate".to_owned(), "firing".to_owned());
        labels.insert(names::SEVERITY_LABEL.to_owned(), severity.to_owned());
        selector("ALERTS", &labels)
    }

    /// The same, at any moment until then.
    pub(super) fn ever(&self, severity: &str, until: Duration) -> String {
        format!("count_over_time({}[{}])", self.any(severity), self.time(until))
    }

    /// Alerts of the groups that nothing struck.
    pub(super) fn others(&self) -> Vec<String> {
        let others = self.inputs.groups.iter().skip(1).map(|group| {
            let mut labels = identity(self.context.estate, self.context.service, self.slo);
            labels.extend(group.clone());
            selector("ALERTS", &labels)
        });
        others.collect()
    }

    /// How fast the budget burns by the last five minutes. Not all alert windows of one's own record it.
    pub(super) fn burning(&self) -> String {
        let five = Duration::from_mins(5);
        if self.page.iter().chain(&self.ticket).any(|it| it.long == five || it.short == five) {
            return selector(&names::burn_rate("5m"), &self.recorded());
        }
        let [error, total] = [names::ERROR_RATE, names::TOTAL_RATE].map(|it| selector(it, &self.recorded()));
        format!("{error} / {total} / {}", self.budget)
    }

    /// A series of the whole SLO.
    pub(super) fn series(&self, name: &str) -> String {
        selector(name, &identity(self.context.estate, self.context.service, self.slo))
    }
}

/// Labels of an alert, from those of its recorded series.
pub(super) fn owned(context: &Context<'_>, slo: &Slo, recorded: Labels, told: Told<'_>) -> Labels {
    let mut labels = recorded;
    labels.extend(slo.policy.extra.labels.clone());
    let severities = &context.estate.policy.severities;
    labels.insert(names::SEVERITY_LABEL.to_owned(), severities.of(told.severity).to_owned());
    labels.insert(names::TEAM_LABEL.to_owned(), context.service.team.to_string());
    let classes = context.classes();
    let number =
        classes.iter().find(|it| it.slos.iter().any(|member| member.name == slo.name)).and_then(|it| it.number);
    labels.extend(number.map(|number| (class::POLICY_LABEL.to_owned(), number.to_string())));
    labels
}
