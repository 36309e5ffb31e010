//! Addresses of dashboards and runbooks, one function each: alerts, runbooks and dashboards link the same way.

use std::fmt::Write as _;

use super::context::Context;
use crate::model::Estate;

/// The uid of the dashboard of all services, and the name of its file.
pub const OVERVIEW: &str = "slo-overview";

/// The uid of a service's dashboard: stable, at most 40 characters as Grafana demands.
pub fn dashboard_uid(service: &str) -> String {
    let uid = format!("slo-{service}");
    if uid.len() <= 40 {
        return uid;
    }
    // FNV-1a keeps two long names apart that begin alike.
    let hash = service
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{}-{:08x}", &uid[..31], hash >> 32)
}

/// The dashboard of the whole estate; on the same server when `links.grafana` is not set.
pub fn overview(estate: &Estate) -> String {
    format!("{}/d/{OVERVIEW}", estate.links.grafana.as_deref().unwrap_or_default())
}

/// The runbook of a row of the overview, by the labels of the row.
pub fn overview_runbook(estate: &Estate) -> Option<String> {
    let base = estate.links.runbooks.as_ref()?;
    Some(format!("{base}/${{__data.fields.service}}/${{__data.fields.slo}}.md"))
}

/// The service's dashboard at an SLO and a time range such as `6h`; `None` when `links.grafana` is not set.
pub fn dashboard(context: &Context<'_>, slo: &str, range: &str) -> Option<String> {
    let base = context.estate.links.grafana.as_ref()?;
    let uid = dashboard_uid(context.service.name.as_str());
    let slo = if slo.is_empty() { String::new() } else { format!("&var-slo={slo}") };
    Some(format!("{base}/d/{uid}?from=now-{range}&to=now{slo}"))
}

/// The dashboard of all services; `None` when `links.grafana` is not set.
pub fn overview_now(estate: &Estate) -> Option<String> {
    estate.links.grafana.as_ref().map(|base| format!("{base}/d/{OVERVIEW}?from=now-6h&to=now"))
}

/// A query in the Prometheus of the estate, drawn over a range such as `2h`; `None` when `links.prometheus` is not set.
/// The page of version 2: version 3 forwards it to its own.
pub fn query(estate: &Estate, promql: &str, range: &str) -> Option<String> {
    let base = estate.links.prometheus.as_ref()?;
    Some(format!("{base}/graph?g0.expr={}&g0.tab=0&g0.range_input={range}", encoded(promql)))
}

/// Text as a value within the query of an address (RFC 3986, section 2).
fn encoded(text: &str) -> String {
    let mut all = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            all.push(char::from(byte));
        } else {
            let _ = write!(all, "%{byte:02X}");
        }
    }
    all
}

/// The section of an SLO's runbook; a path below the output folder when `links.runbooks` is not set.
pub fn runbook(context: &Context<'_>, slo: &str, section: &str) -> String {
    let base = context.estate.links.runbooks.as_deref().unwrap_or("rules/runbooks");
    format!("{base}/{}/{slo}.md#{section}", context.service.name)
}

/// The runbook of whatever alert a rule over all services is about: of its SLO, or of its service.
pub fn runbook_of_alert(estate: &Estate) -> String {
    let base = estate.links.runbooks.as_deref().unwrap_or("rules/runbooks");
    format!("{base}/{{{{ $labels.service }}}}{{{{ with $labels.slo }}}}/{{{{ . }}}}.md{{{{ end }}}}")
}
