//! The Alertmanager file: the base's receivers and settings untouched, the tree and the inhibition ours.

use serde_json::{Map, Value};

use super::rules::banner;
use crate::model::Estate;
use crate::plan::routing::Routing;
use crate::yaml;

/// The text. A base that lacks a receiver gets it without a destination, and a comment that says so.
pub fn text(estate: &Estate, routing: &Routing) -> Result<String, String> {
    let mut file: Map<String, Value> = match &estate.alertmanager_base {
        Some(base) => yaml::from_str(base)?,
        None => Map::new(),
    };
    let receivers = file.entry("receivers").or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(receivers) = receivers else {
        return Err("`receivers` of the Alertmanager base file is no list".to_owned());
    };
    let known: Vec<String> = receivers.iter().filter_map(|it| it["name"].as_str().map(str::to_owned)).collect();
    let missing: Vec<&String> = routing.receivers.iter().filter(|it| !known.contains(it)).collect();
    receivers.extend(missing.iter().map(|name| serde_json::json!({"name": name})));
    let ours = serde_json::to_value(routing).map_err(|error| error.to_string())?;
    file.insert("route".to_owned(), ours["route"].clone());
    let own_inhibitions = ours["inhibit_rules"].as_array().cloned().unwrap_or_default();
    match file.entry("inhibit_rules").or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(all) => all.extend(own_inhibitions),
        _ => return Err("`inhibit_rules` of the Alertmanager base file is no list".to_owned()),
    }
    let mut text = banner("# ", &estate.source, estate.time_scale);
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|it| it.as_str()).collect();
        text.push_str(&format!(
            "# Receivers without a destination, because the base file lacks them: {}\n",
            names.join(", ")
        ));
    }
    text.push_str("# Who is told what; `kilter test` proves each line with amtool:\n");
    for proof in &routing.proofs {
        let labels: Vec<String> = proof.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        text.push_str(&format!("# route: {} -> {}\n", labels.join(" "), proof.receiver));
    }
    Ok(text + &yaml::to_string(&Value::Object(file))?)
}
