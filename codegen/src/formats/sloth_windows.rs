//! Sloth's `AlertWindows`: the compliance window and the alert windows of every SLO, in a file of its own.

use super::Neighbour;
use super::draft::{Text, texts};
use super::report::Report;
use super::shape::{Fields, Unknown, scalar};
use super::target::Target;
use crate::diagnostic::{Code, Findings};
use crate::load::Sources;
use crate::model::{Decimal, Duration};
use crate::plan::windows::{self, Pair, Severity};
use crate::resolve::can_be_window;
use crate::yaml::{Node, Range, Value};

/// Sloth's period where nothing says another.
const DEFAULT_PERIOD: &str = "30d";

/// One catalogue entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AlertWindows {
    /// Compliance window.
    pub(super) period: String,
    pairs: Vec<Pair>,
}

impl AlertWindows {
    /// The entry that holds for the SLOs here: the one for 30 days, Sloth's default period, or the only one. Every entry
    /// of these documents is checked; those of other files are, when those are read.
    pub(super) fn chosen(documents: &[&Node], neighbours: &[Neighbour], report: &mut Report<'_, '_>) -> Option<Self> {
        let is = |root: &Node| root.get("kind").and_then(scalar).is_some_and(|it| it.text == "AlertWindows");
        let mut all: Vec<Self> = documents.iter().filter(|it| is(it)).filter_map(|it| Self::read(it, report)).collect();
        let own = !all.is_empty();
        report.take_notes();
        let (sources, mut unheard) = (Sources::default(), Vec::new());
        let mut quiet = Findings::new(0, &sources, &mut unheard);
        let mut quiet = Report::new(&mut quiet);
        let others = neighbours.iter().filter(|it| it.input && !own && (super::sloth::READER.owns)(&it.root));
        all.extend(others.filter(|it| is(&it.root)).filter_map(|it| Self::read(&it.root, &mut quiet)));
        all.dedup();
        let default = all.iter().position(|it| same_duration(&it.period, DEFAULT_PERIOD));
        match (default, all.len()) {
            (Some(index), _) => Some(all.swap_remove(index)),
            (None, 1) => all.pop(),
            _ => None,
        }
    }

    fn read(root: &Node, report: &mut Report<'_, '_>) -> Option<Self> {
        let fields = Fields::of(root, "Sloth's AlertWindows", report)?;
        fields.only(&["apiVersion", "kind", "metadata", "spec"], Unknown::Ignored, report);
        let spec = fields.need_map("spec", "the spec of AlertWindows", report)?;
        spec.only(&["sloPeriod", "page", "ticket"], Unknown::Ignored, report);
        let period = spec.need("sloPeriod", DEFAULT_PERIOD, report);
        let mut pairs = Vec::new();
        for (key, severity) in [("page", Severity::Page), ("ticket", Severity::Ticket)] {
            let Some(alert) = spec.need_map(key, "an alert of AlertWindows", report) else { continue };
            alert.only(&["quick", "slow"], Unknown::Ignored, report);
            for key in ["quick", "slow"] {
                let Some(pair) = alert.need_map(key, "a pair of AlertWindows", report) else { continue };
                pair.only(&["errorBudgetPercent", "shortWindow", "longWindow"], Unknown::Ignored, report);
                let percent = pair.need("errorBudgetPercent", "2", report);
                let (long, short) = (pair.need("longWindow", "1h", report), pair.need("shortWindow", "5m", report));
                let share = percent.as_ref().and_then(|it| it.text.parse::<Decimal>().ok()).map(|it| it.shift_left(2));
                if let (Some(percent), None) = (&percent, share) {
                    wrong(percent, "a percentage of the error budget", "2", report);
                }
                let mut duration = |text: &Option<Text>| {
                    let text = text.as_ref()?;
                    let read = text.text.parse::<Duration>().ok();
                    if read.is_none() {
                        wrong(text, "a duration", "1h", report);
                    }
                    read
                };
                if let (Some(share), Some(long), Some(short)) = (share, duration(&long), duration(&short)) {
                    pairs.push(Pair { severity, share, long, short });
                }
            }
        }
        let period = period?;
        if period.text.parse::<Duration>().is_err() {
            wrong(&period, "a duration", DEFAULT_PERIOD, report);
            return None;
        }
        (pairs.len() == 4).then_some(Self { period: period.text, pairs })
    }

    /// The pairs as a key of our file, unless they are Kilter's own for the period.
    pub(super) fn own_windows(&self, at: Range, report: &mut Report<'_, '_>) -> Option<(Target, Node)> {
        let period: Duration = self.period.parse().ok()?;
        if windows::table(period).pairs == self.pairs {
            return None;
        }
        let fits = |it: &Pair| it.short < it.long && [it.long, it.short].into_iter().all(can_be_window);
        if !Target::Windows.exists() || !self.pairs.iter().all(fits) {
            let message = format!("alert windows of its own for {period} are not carried: Kilter's are used");
            let help = "Kilter's windows are multiples of 5m; `kilter generate` writes the factors into the rules";
            report.not_carried(at, message, help);
            return None;
        }
        let pair = |it: &Pair| {
            let entries = [
                ("severity", it.severity.as_str().to_owned()),
                ("share", format!("{}%", it.share.shift_right(2))),
                ("long", it.long.to_string()),
                ("short", it.short.to_string()),
            ];
            texts(at, &entries.map(|(key, text)| (key, Text::new(text, at))))
        };
        let list = Node { value: Value::List(self.pairs.iter().map(pair).collect()), range: at };
        Some((Target::Windows, list))
    }
}

fn wrong(text: &Text, what: &str, example: &str, report: &mut Report<'_, '_>) {
    let message = format!("`{}` is not {what}", crate::spec::check::printable(&text.text));
    report.error(Code::BadValue, text.range, message, format!("for example: {example}"));
}

fn same_duration(one: &str, other: &str) -> bool {
    matches!((one.parse::<Duration>(), other.parse::<Duration>()), (Ok(a), Ok(b)) if a == b)
}
