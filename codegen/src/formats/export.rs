//! Our SLOs as OpenSLO `openslo/v1`: a document per service and per SLO.

use kilter_contract::slo;
use serde_json::{Map, Value, json};

use super::draft::Side;
use super::query::unwrapped;
use crate::model::{Estate, Service, Slo};
use crate::plan::context::Context;
use crate::plan::sli;
use crate::yaml;

/// What was written, and what could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// YAML documents.
    pub text: String,
    /// Services and SLOs that OpenSLO cannot say, with why.
    pub missing: Vec<String>,
}

/// The services of an estate whose names pass, as one text of several documents.
pub fn openslo(estate: &Estate, wanted: &dyn Fn(&str) -> bool) -> Result<Exported, String> {
    let mut documents = Vec::new();
    let mut missing = Vec::new();
    for service in estate.services.iter().filter(|it| wanted(it.name.as_str())) {
        let context = Context::new(estate, service);
        documents.push(yaml::to_string(&service_document(service))?);
        for slo in &service.slos {
            match slo_document(&context, slo) {
                Some(document) => documents.push(yaml::to_string(&document)?),
                None => missing.push(format!("{}/{}: OpenSLO has no counterpart of its SLI", service.name, slo.name)),
            }
            if !slo.by.is_empty() {
                let labels = slo.by.join(", ");
                missing.push(format!("{}/{}: `by: [{labels}]` stays in the queries only", service.name, slo.name));
            }
        }
    }
    Ok(Exported { text: documents.join("---\n"), missing })
}

fn service_document(service: &Service) -> Value {
    json!({
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {"name": service.name.as_str(), "labels": {"team": service.team.as_str()}},
        "spec": {},
    })
}

fn slo_document(context: &Context<'_>, slo: &Slo) -> Option<Value> {
    let (side, part, total) = queries(context, slo)?;
    let metric = |query: String| json!({"metricSource": {"type": "Prometheus", "spec": {"query": query}}});
    let mut ratio = Map::new();
    // The queries are rates already.
    ratio.insert("counter".to_owned(), json!(false));
    ratio.insert(if side == Side::Good { "good" } else { "bad" }.to_owned(), metric(part));
    ratio.insert("total".to_owned(), metric(total));
    Some(json!({
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {
            "name": slo.name.as_str(),
            "labels": {"team": context.service.team.as_str()},
        },
        "spec": {
            "description": slo.description,
            "service": context.service.name.as_str(),
            "indicator": {
                "metadata": {"name": slo.name.as_str()},
                "spec": {"ratioMetric": ratio},
            },
            "timeWindow": [{"duration": slo.window.to_string(), "isRolling": true}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"target": Number(slo.objective.fraction().to_string()).value()}],
        },
    }))
}

/// An exact decimal as a number of YAML, where it has one; else as text.
struct Number(String);

impl Number {
    fn value(self) -> Value {
        let exact = self.0.parse::<f64>().ok().filter(|it| it.to_string() == self.0);
        exact.map_or_else(|| json!(self.0), |it| json!(it))
    }
}

/// Good or bad events, and all: the pair that is recorded, without Kilter's own series, so that any reader can run it.
/// Whatever the kind of SLI. `None` when it reads more of what Kilter records.
fn queries(context: &Context<'_>, slo: &Slo) -> Option<(Side, String, String)> {
    let pair = sli::pair(context, slo);
    let recorded = context.recorded(slo::TOTAL_RATE, &[slo.name.as_str()]);
    let total = bare(&pair.total);
    // OpenSLO says nothing about missing data, so the zeros that Kilter fills in are left out.
    let counted = |text: &str| bare(text.split("\nor 0 * ").next().unwrap_or(text));
    let minus = format!("clamp_min({recorded} - ignoring ({}) ", context.join().join(", "));
    let good = pair.error.strip_prefix(&minus).and_then(|rest| rest.strip_suffix(", 0)"));
    let (side, part) = match good {
        Some(good) => (Side::Good, counted(unwrapped(good))),
        None => (Side::Errors, counted(&pair.error)),
    };
    // What still names the total gets its expression.
    let part = part.replace(&recorded, &format!("({total})"));
    (![&part, &total].iter().any(|it| it.contains("slo:"))).then_some((side, part, total))
}

/// Without the guard against NaN, which only what is recorded needs.
fn bare(text: &str) -> String {
    unwrapped(text.trim().trim_end_matches(" >= 0")).to_owned()
}
