//! Our SLOs as OpenSLO `openslo/v1`: a document per service and per SLO.

use kilter_contract::{error_type, http};
use serde_json::{Map, Value, json};

use super::draft::Side;
use crate::model::{Estate, EventSide, Service, Sli, Slo};
use crate::plan::context::Context;
use crate::plan::expr::{quote, select, sum_by};
use crate::plan::sli::{http_matchers, le_regex};
use crate::promql;
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
    let metric = |query: String| {
        let query = promql::with_window(&query, &context.timing.rate.to_string());
        json!({"metricSource": {"type": "Prometheus", "spec": {"query": query}}})
    };
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

/// Good or bad events, and all: without Kilter's own series, so that any reader can run them.
fn queries(context: &Context<'_>, slo: &Slo) -> Option<(Side, String, String)> {
    if let Sli::Events { side, total } = &slo.sli {
        let summed = |text: &str| if promql::is_aggregation(text) { text.to_owned() } else { sum_by(&slo.by, text) };
        let (side, part) = match side {
            EventSide::Errors(part) => (Side::Errors, part),
            EventSide::Good(part) => (Side::Good, part),
        };
        return Some((side, summed(part), summed(total)));
    }
    let Sli::HttpServer { routes, methods, slower_than_nanos, .. } = &slo.sli else { return None };
    let name = http::SERVER_REQUEST_DURATION.name;
    let key = http::ERROR_TYPE.key;
    let mut base = http_matchers(context, routes, methods);
    let rate = |metric: &str, matchers: &[String]| {
        sum_by(&slo.by, &format!("rate({}[$window])", select(&format!("{name}_{metric}"), matchers)))
    };
    if let Some(nanos) = slower_than_nanos {
        base.push(format!("{key}=~{}", quote(&format!("|{}", error_type::CLIENT_DISCONNECT))));
        let mut fast = base.clone();
        fast.push(format!("le=~{}", quote(&le_regex(*nanos))));
        return Some((Side::Good, rate("bucket", &fast), rate("count", &base)));
    }
    let mut bad = base.clone();
    bad.push(format!("{key}!=\"\""));
    bad.push(format!("{key}!={}", quote(error_type::CLIENT_DISCONNECT)));
    Some((Side::Errors, rate("count", &bad), rate("count", &base)))
}
