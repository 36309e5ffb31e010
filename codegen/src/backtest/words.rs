//! The outcome for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::advice::number;
use super::moment::Offset;
use super::result::{Backtest, Fired, Notice, Slo, Variant, Verdict};
use crate::numbers::{percent_apart, span_of};
use crate::spec::check::plain;

/// Notices of one SLO or service that are shown; the rest is counted.
const SHOWN: usize = 10;

/// A rate over five minutes begins later than the data; that is not told.
const NOTABLE: i64 = 600_000;

/// The whole outcome.
pub fn human(of: &Backtest) -> String {
    let offset: Offset = of.utc_offset.parse().unwrap_or_default();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} from {} to {} {offset}, evaluated every {}",
        span_of(of.to - of.from),
        offset.show(of.from),
        offset.show(of.to),
        span_of(of.step)
    );
    if of.step > of.interval {
        let _ = writeln!(
            text,
            "  the rules are evaluated every {}: times below can be {} late, and what lasts shorter can be missed",
            span_of(of.interval),
            span_of(of.step)
        );
    }
    if let Some(begins) = of.begins.filter(|it| it - of.from >= NOTABLE.min((of.to - of.from) / 20)) {
        let (missing, whole) = (span_of(begins - of.from), span_of(of.to - of.from));
        let _ = writeln!(
            text,
            "  history begins at {}: {missing} of {whole} are not judged, and a week is counted by the rest",
            offset.show(begins)
        );
    }
    let [as_it_is, what_ifs @ ..] = of.variants.as_slice() else { return text };
    for slo in &of.slos {
        slo_text(&mut text, slo, as_it_is, &of.server_gaps, offset);
    }
    service_text(&mut text, as_it_is, offset);
    summary(&mut text, of, as_it_is);
    incidents(&mut text, of, as_it_is, offset);
    if !what_ifs.is_empty() {
        table(&mut text, &of.variants);
    }
    list(
        &mut text,
        "advice",
        of.advice.iter().map(|it| format!("{}: {}", named(&it.service, Some(&it.slo), &it.labels), it.text)),
    );
    let gaps = of.server_gaps.iter().map(|[from, until]| {
        format!("the server recorded nothing for {} after {}", span_of(until - from), offset.show(*from))
    });
    list(&mut text, "not judged", of.not_judged.iter().map(|it| format!("{}: {}", it.what, it.why)).chain(gaps));
    list(&mut text, "the server warns", of.warnings.iter().cloned());
    text
}

fn list(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    for (number, line) in lines.enumerate() {
        if number == 0 {
            let _ = writeln!(text, "\n{title}");
        }
        let _ = writeln!(text, "  {line}");
    }
}

/// `shop/checkout {region="eu"}`.
pub(super) fn named(service: &str, slo: Option<&str>, labels: &BTreeMap<String, String>) -> String {
    let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", plain(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!(" {{{}}}", labels.join(", ")) };
    format!("{service}{}{labels}", slo.map_or(String::new(), |it| format!("/{it}")))
}

fn slo_text(text: &mut String, slo: &Slo, variant: &Variant, server_gaps: &[[i64; 2]], offset: Offset) {
    for group in &slo.groups {
        let sli = group.sli.map_or("no events".to_owned(), |it| format!("{} of events were good", percent_apart(it)));
        let left = group.budget.last().map_or(String::new(), |(_, it)| match *it {
            it if it < 0.0 => format!(", {} more than the budget was spent", percent_apart(-it)),
            it => format!(", {} of the budget is left", percent_apart(it)),
        });
        let known = if group.coverage < 0.999 {
            format!(", data for {} of the time", percent_apart(group.coverage))
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "\n{} ({} over {}): {sli}{left}{known}",
            named(&slo.service, Some(&slo.slo), &group.labels),
            slo.objective,
            slo.window
        );
        let of_group =
            |it: &&Fired| it.service == slo.service && it.slo.as_ref() == Some(&slo.slo) && it.labels == group.labels;
        fired(text, variant.fired.iter().filter(of_group), offset);
        // What the whole server lacks is told once, at the end.
        let own = |gap: &&[i64; 2]| !server_gaps.iter().any(|it| it[0] <= gap[0] && gap[1] <= it[1] + NOTABLE);
        let gaps: Vec<&[i64; 2]> = group.gaps.iter().filter(own).collect();
        for [from, until] in gaps.iter().take(SHOWN) {
            let _ = writeln!(text, "  no data  {}  for {}", offset.show(*from), span_of(until - from));
        }
        if gaps.len() > SHOWN {
            let _ = writeln!(text, "  and {} more times without data", gaps.len() - SHOWN);
        }
    }
    if slo.groups.is_empty() {
        let _ = writeln!(
            text,
            "\n{} ({} over {}): no data",
            named(&slo.service, Some(&slo.slo), &BTreeMap::new()),
            slo.objective,
            slo.window
        );
    }
}

fn service_text(text: &mut String, variant: &Variant, offset: Offset) {
    let mut services: Vec<&str> =
        variant.fired.iter().filter(|it| it.slo.is_none()).map(|it| it.service.as_str()).collect();
    services.sort_unstable();
    services.dedup();
    for service in services {
        let _ = writeln!(text, "\n{service}");
        fired(text, variant.fired.iter().filter(|it| it.slo.is_none() && it.service == service), offset);
    }
}

fn fired<'a>(text: &mut String, all: impl Iterator<Item = &'a Fired>, offset: Offset) {
    let all: Vec<&Fired> = all.collect();
    for it in all.iter().take(SHOWN) {
        // What fired when the reading began has fired for nobody knows how long.
        let (earlier, longer) = if it.since_before { (" or earlier", " or longer") } else { ("", "") };
        let length = |until: i64| format!("for {}{longer}", span_of(until - it.from));
        let length = it.until.map_or("and still fires".to_owned(), length);
        let windows = it.windows.as_ref().map_or(String::new(), |[long, short]| format!(" ({long} and {short})"));
        let labels =
            if it.slo.is_none() && !it.labels.is_empty() { named("", None, &it.labels) } else { String::new() };
        let _ = writeln!(
            text,
            "  {:<6}  {}{earlier}  {length}  {}{windows}{labels}",
            it.severity.as_str(),
            offset.show(it.from),
            it.alert
        );
    }
    if all.len() > SHOWN {
        let _ = writeln!(text, "  and {} more", all.len() - SHOWN);
    }
    if all.is_empty() {
        let _ = writeln!(text, "  no alert");
    }
}

fn summary(text: &mut String, of: &Backtest, variant: &Variant) {
    let it = &variant.summary;
    let _ = writeln!(
        text,
        "\n{} page{} ({}{} in the night {} {}), {} ticket{}",
        it.pages,
        if it.pages == 1 { "" } else { "s" },
        it.pages_per_week.map_or(String::new(), |it| format!("{} a week, ", number(it))),
        it.night_pages,
        of.night,
        of.utc_offset,
        it.tickets,
        if it.tickets == 1 { "" } else { "s" }
    );
}

fn incidents(text: &mut String, of: &Backtest, variant: &Variant, offset: Offset) {
    let Some(incidents) = &of.incidents else { return };
    let it = &variant.summary;
    let share = |it: Option<f64>| it.map_or("nothing to judge".to_owned(), percent_apart);
    let _ = writeln!(text, "\nincidents: recall {}, precision {}", share(it.recall), share(it.precision));
    if let (Some(median), Some(worst)) = (it.median_detection, it.worst_detection) {
        let spent = it
            .worst_spent
            .map_or(String::new(), |it| format!("; at most {} of a budget was spent by then", percent_apart(it)));
        let _ = writeln!(text, "  detected after {} (median), {} (worst){spent}", span_of(median), span_of(worst));
    }
    for (incident, verdict) in incidents.iter().zip(&variant.verdicts) {
        let what = match verdict {
            Verdict::Detected { after, slo, alert, spent, .. } => {
                let by = slo.as_ref().unwrap_or(alert);
                let by = if by.is_empty() { String::new() } else { format!(" by {by}") };
                let spent = spent.map_or(String::new(), |it| format!(", {} of its budget spent", percent_apart(it)));
                format!("detected after {}{by}{spent}", span_of(*after))
            }
            Verdict::Missed { ticket: true } => "MISSED: only a ticket told of it".to_owned(),
            Verdict::Missed { ticket: false } => "MISSED".to_owned(),
            Verdict::NotJudged { why } => format!("not judged: {why}"),
        };
        let _ = writeln!(
            text,
            "  {}  {} ({}): {what}",
            offset.show(incident.start),
            plain(&incident.name),
            span_of(incident.end - incident.start)
        );
    }
    let none = variant.pages.iter().filter(|it| it.incidents.is_empty() && it.from >= of.from);
    list(text, "pages that no incident explains", none.map(|it| notice(it, variant, offset)));
}

fn notice(of: &Notice, variant: &Variant, offset: Offset) -> String {
    let mut names: Vec<String> = of
        .fired
        .iter()
        .filter_map(|it| variant.fired.get(*it))
        .map(|it| {
            let slo = it.slo.as_ref().map_or(String::new(), |slo| format!(" of {slo}"));
            format!("{}{slo}", it.alert)
        })
        .collect();
    names.sort();
    names.dedup();
    let length = of.until.map_or("and still fires".to_owned(), |until| format!("for {}", span_of(until - of.from)));
    format!("{}  {length}  {}: {}", offset.show(of.from), of.service, names.join(", "))
}

/// The variants side by side.
fn table(text: &mut String, variants: &[Variant]) {
    let head = ["what if", "pages", "a week", "night", "tickets", "precision", "recall", "median", "worst"];
    let mut rows: Vec<[String; 9]> = vec![head.map(str::to_owned)];
    let share = |it: Option<f64>| it.map_or("-".to_owned(), percent_apart);
    let time = |it: Option<i64>| it.map_or("-".to_owned(), span_of);
    for variant in variants {
        let it = &variant.summary;
        rows.push([
            variant.name.clone(),
            it.pages.to_string(),
            it.pages_per_week.map_or("-".to_owned(), number),
            it.night_pages.to_string(),
            it.tickets.to_string(),
            share(it.precision),
            share(it.recall),
            time(it.median_detection),
            time(it.worst_detection),
        ]);
    }
    let widths: Vec<usize> =
        (0..head.len()).map(|column| rows.iter().map(|it| it[column].chars().count()).max().unwrap_or(0)).collect();
    text.push('\n');
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
}
