//! The labels of one series of the contract: which there are, and what stands in them.

use super::expected::Expected;
use super::former;
use super::found::{Found, text};
use super::page::PAGE;
use crate::diagnostic::{Code, Severity};
use crate::exposition::Raw;
use crate::spec::check::printable;
use kilter_contract::{VERSION, error_type, identity};

/// Labels that Prometheus puts on every series of a target.
const TARGET: &[&str] = &["job", "instance"];

/// Labels that instrumentations of OpenTelemetry add, and that multiply nothing or little.
const HARMLESS: &[&str] = &["network_protocol_name", "network_protocol_version", "url_scheme"];

pub(super) fn check<'a>(raw: &Raw<'a>, expected: &Expected, family: usize, found: &mut Found<'a>) {
    let info = expected.instrument == "info";
    for label in raw.present() {
        let own = label.key == "le" && expected.is_histogram();
        match expected.label(label.key) {
            None if info || own => {}
            None => extra(label.key, label.at, expected, found),
            Some(known) if !known.allows(&label.value) => {
                let detail = format!("{}={}", label.key, label.value);
                found.tell((Severity::Error, Code::ContractValue), (family, detail), label.at, || {
                    let value = printable(&label.value);
                    text(
                        format!("`{}` of `{}` cannot be `{value}`", label.key, expected.name),
                        value_help(label.key, &label.value, &known.takes()),
                    )
                });
            }
            Some(_) => {}
        }
    }
    for label in expected.labels.iter().filter(|it| !it.optional && raw.label(&it.key).is_empty()) {
        found.tell((Severity::Error, Code::ContractLabel), (family, label.key.clone()), raw.name_at, || {
            let keys = || expected.labels.iter().map(|it| it.key.as_str());
            let elsewhere = raw.present().find(|it| former::label(it.key, keys()) == Some(label.key.as_str()));
            let help = elsewhere.map_or_else(
                || format!("it takes: {}", label.takes()),
                |it| format!("the page has it as `{}`: rename that; it takes: {}", it.key, label.takes()),
            );
            text(format!("`{}` needs the label `{}`", expected.name, label.key), help)
        });
    }
    let version = raw.label(identity::CONTRACT_VERSION.key);
    if expected.name == identity::BUILD_INFO.name && !version.is_empty() && version != VERSION {
        found.tell((Severity::Warning, Code::ContractValue), (family, "version"), raw.name_at, || {
            text(
                format!(
                    "the service follows version {} of the contract, this command version {VERSION}",
                    printable(version)
                ),
                "take a command and an SDK of one version",
            )
        });
    }
}

fn value_help(key: &str, value: &str, takes: &str) -> String {
    let upper = value.to_ascii_uppercase();
    if key == "http_request_method" && takes.split(", ").any(|it| it == upper) {
        return format!("write it as `{upper}`");
    }
    if takes.contains(error_type::OTHER) {
        return format!("it takes: {takes}; what is none of these is `{}`", error_type::OTHER);
    }
    format!("it takes: {takes}")
}

fn extra<'a>(key: &'a str, at: crate::yaml::Range, expected: &Expected, found: &mut Found<'a>) {
    let scope = key.starts_with("otel_scope_");
    let severity = if scope || HARMLESS.contains(&key) { Severity::Note } else { Severity::Warning };
    // One finding for all of a kind: a page has them on every family.
    let detail = if scope { "otel_scope_" } else { key };
    found.tell((severity, Code::ExtraLabel), (PAGE, detail), at, || {
        let help = if TARGET.contains(&key) {
            format!("Prometheus puts its own `{key}` on every series and renames this one `exported_{key}`: choose another name")
        } else if scope {
            "it multiplies nothing; a metric_relabel_config with labeldrop drops it".to_owned()
        } else if let Some(new) = former::label(key, expected.labels.iter().map(|it| it.key.as_str())) {
            format!("the contract names it `{new}`")
        } else {
            "rules add it away, but each of its values is a series more: leave it out, or drop it with a view or a metric_relabel_config".to_owned()
        };
        let what = if scope { "otel_scope_*" } else { key };
        text(format!("{} does not have the label `{what}` for `{}`", expected.whose(), expected.name), help)
    });
}
