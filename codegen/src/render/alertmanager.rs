//! The Alertmanager file: everything of the base stays as it is, the tree, the inhibition and the hours are ours.
//!
//! A base without routes gets the whole tree. A base with routes keeps them, and our tree becomes their first child, for
//! our alerts only.

use serde_json::{Map, Value};

use super::rules::banner;
use crate::model::Estate;
use crate::plan::routing::{Routing, UNROUTED, own_alerts};
use crate::yaml;

/// The text. A base that lacks a receiver gets it without a destination, and a comment that says so.
pub fn text(estate: &Estate, routing: &Routing) -> Result<String, String> {
    let mut file: Map<String, Value> = match &estate.alertmanager.base {
        Some(base) => yaml::from_str(base)?,
        None => Map::new(),
    };
    let known: Vec<String> =
        list(&mut file, "receivers")?.iter().filter_map(|it| it["name"].as_str().map(str::to_owned)).collect();
    let missing: Vec<&String> = routing.receivers.iter().filter(|it| !known.contains(it)).collect();
    list(&mut file, "receivers")?.extend(missing.iter().map(|name| serde_json::json!({"name": name})));
    let mut ours = routing.clone();
    let subtree = file.contains_key("route");
    if subtree {
        ours.route.matchers = vec![own_alerts()];
    }
    let Value::Object(ours) = serde_json::to_value(ours).map_err(|error| error.to_string())? else {
        return Err("the tree is no mapping".to_owned());
    };
    for (key, value) in ours {
        match value {
            Value::Array(items) => list(&mut file, &key)?.extend(items),
            tree if subtree => child(&mut file, tree)?,
            tree => drop(file.insert(key, tree)),
        }
    }
    let mut text = banner("# ", &estate.source, estate.time_scale);
    if subtree {
        text.push_str(
            "# The base file has routes: they stay, and Kilter's tree is their first child, for its own alerts.\n",
        );
    }
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
        let note = if proof.unrouted { UNROUTED } else { "" };
        text.push_str(&format!("# route: {} -> {}{note}\n", labels.join(" "), proof.receiver));
    }
    Ok(text + &yaml::to_string(&Value::Object(file))?)
}

/// A list of the file; made when there is none.
fn list<'a>(file: &'a mut Map<String, Value>, key: &str) -> Result<&'a mut Vec<Value>, String> {
    match file.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(items) => Ok(items),
        _ => Err(format!("`{key}` of the Alertmanager base file is no list")),
    }
}

/// Puts our tree before the other routes, so that none of them takes our alerts.
fn child(file: &mut Map<String, Value>, tree: Value) -> Result<(), String> {
    let Some(Value::Object(root)) = file.get_mut("route") else {
        return Err("`route` of the Alertmanager base file is no mapping".to_owned());
    };
    list(root, "routes")?.insert(0, tree);
    Ok(())
}
