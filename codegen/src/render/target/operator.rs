//! `PrometheusRule` objects of the Prometheus Operator (`monitoring.coreos.com/v1`), each in a file of its own and small
//! enough for a ConfigMap and for `kubectl apply`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Group, Made, Source};
use crate::model::Estate;
use crate::yaml;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata<'a>,
    spec: Spec,
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    labels: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Spec {
    groups: Vec<Group>,
}

/// What `kubectl delete` and `kubectl apply --prune` find them by.
const MANAGED: (&str, &str) = ("app.kubernetes.io/managed-by", "kilter");

/// As few objects as hold the groups. No group is divided here: its rules need their order.
pub(super) fn objects(estate: &Estate, source: &Source<'_>, groups: Vec<Group>) -> Made {
    let most = estate.limits().bytes.unwrap_or(usize::MAX);
    let mut shards: Vec<(usize, Vec<Group>)> = Vec::new();
    for group in groups {
        let size = serde_json::to_string(&group).map_err(|error| error.to_string())?.len();
        match shards.last_mut().filter(|(sum, _)| sum + size <= most) {
            Some((sum, shard)) => {
                *sum += size;
                shard.push(group);
            }
            None => shards.push((size, vec![group])),
        }
    }
    let one = |(number, (_, groups)): (usize, (usize, Vec<Group>))| {
        // No name of a service has a dot, so that no other service's first object is called so.
        let end = if number == 1 { String::new() } else { format!(".{number}") };
        let mut labels = BTreeMap::from([MANAGED]);
        labels.extend(estate.settings.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let name = format!("slo-{}{end}", source.stem);
        let object = Object {
            api_version: "monitoring.coreos.com/v1",
            kind: "PrometheusRule",
            metadata: Metadata { name, namespace: estate.settings.namespace.as_deref(), labels },
            spec: Spec { groups },
        };
        Ok((format!("rules/operator/{}{end}.yaml", source.stem), yaml::to_string(&object)?))
    };
    (1..).zip(shards).map(one).collect()
}
