//! What a classic dashboard must be for Grafana 10 to 13 to import and provision it, as checks on its JSON.
//! `cargo xtask test --all` holds it against Grafana's own published types too.

use std::collections::BTreeSet;

use serde_json::Value;

/// Everything that is wrong with a dashboard.
pub(crate) fn wrong(board: &Value) -> Vec<String> {
    let mut all = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            all.push(what.to_owned());
        }
    };
    let text = |it: &Value, key: &str| it[key].as_str().map(str::to_owned).unwrap_or_default();
    must(!text(board, "title").trim().is_empty(), "it has no title");
    let uid = text(board, "uid");
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    must((1..=40).contains(&uid.len()) && uid.chars().all(plain), "its uid is not 1 to 40 letters, digits, - and _");
    must(board["schemaVersion"] == 42, "its schema is not 42, the last classic one");
    must(board.get("id").is_none_or(Value::is_null), "it has an id, which only a server gives");
    must(board["editable"] == false, "edits would be lost");
    let whole = board.to_string();
    must(!whole.contains("__inputs") && !whole.contains("${DS_"), "it needs the import dialog");
    must(whole.contains("\"${datasource}\""), "its data source cannot be chosen");

    let variables: BTreeSet<String> =
        board["templating"]["list"].as_array().into_iter().flatten().map(|it| text(it, "name")).collect();
    let overview = uid == "slo-overview";
    must(variables.contains("datasource") && (overview || variables.contains("slo")), "it lacks a variable");

    let panels = board["panels"].as_array().map_or(&[][..], Vec::as_slice);
    must(panels.len() >= 4, "it has hardly any panel");
    let ids: BTreeSet<String> = panels.iter().map(|it| it["id"].to_string()).collect();
    must(ids.len() == panels.len(), "two panels have one id");
    let place = |it: &Value| ["x", "y", "w", "h"].map(|key| it["gridPos"][key].as_u64().unwrap_or(u64::MAX));
    for (index, panel) in panels.iter().enumerate() {
        let title = text(panel, "title");
        let mut must = |holds: bool, what: &str| must(holds, &format!("the panel `{title}`: {what}"));
        let row = panel["type"] == "row";
        if row {
            let [x, _, w, h] = place(panel);
            must(!title.is_empty() && [x, w, h] == [0, 24, 1], "a row has a title and a line of its own");
            continue;
        }
        must(!title.is_empty() && !text(panel, "description").is_empty(), "it has no title or description");
        must(KINDS.contains(&text(panel, "type").as_str()), "Grafana ships no such panel");
        let defaults = &panel["fieldConfig"]["defaults"];
        must(defaults["unit"].is_string(), "it has no unit");
        must(defaults["noValue"].as_str().is_some_and(|it| !it.is_empty()), "it says nothing when there is nothing");
        must(panel["datasource"]["uid"] == "${datasource}", "it has a data source of its own");
        let words = defaults["mappings"][0]["options"].as_object();
        must(words.is_none_or(|it| it.values().all(|it| it["text"] != "")), "a colour has no word");
        let [x, y, w, h] = place(panel);
        must(w > 0 && h > 0 && x.saturating_add(w) <= 24, "it does not lie on the 24 columns");
        for other in panels.iter().take(index) {
            let [ox, oy, ow, oh] = place(other);
            let apart = x + w <= ox || ox + ow <= x || y + h <= oy || oy + oh <= y;
            must(apart, &format!("it lies on `{}`", text(other, "title")));
        }
        let targets = panel["targets"].as_array().map_or(&[][..], Vec::as_slice);
        must(!targets.is_empty(), "it asks nothing");
        let ids: BTreeSet<String> = targets.iter().map(|it| text(it, "refId")).collect();
        must(ids.len() == targets.len() && !ids.contains(""), "two queries have one refId, or none");
        for target in targets {
            let expr = text(target, "expr");
            let left = used(&expr).into_iter().find(|it| !BUILT_IN.contains(&it.as_str()) && !variables.contains(it));
            must(left.is_none(), &format!("${} is no variable: {expr}", left.clone().unwrap_or_default()));
            must(target["instant"] != target["range"], "a query is of one moment or of a range");
        }
    }
    all
}

/// Panels that every Grafana ships.
const KINDS: &[&str] =
    &["stat", "gauge", "bargauge", "timeseries", "table", "state-timeline", "heatmap", "text", "barchart"];
/// Variables of Grafana's own.
const BUILT_IN: &[&str] = &["__rate_interval", "__interval", "__range"];

/// Names after a `$` outside of an end of a regex.
pub(crate) fn used(expr: &str) -> Vec<String> {
    let names = expr.split('$').skip(1).map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
    });
    names.filter(|it| it.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')).collect()
}
