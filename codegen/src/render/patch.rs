//! JSON merge patches (RFC 7396) on dashboards and rule groups, for what no key of Kilter's says. The file that was written
//! is parsed back, patched and checked: an alert that is lost, or PromQL that does not parse, refuses the patch.

use serde_json::{Map, Value};

use super::patch_check::{Problem, dashboard, group};
use super::{Artifact, Kind};
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::spec::check::help;
use crate::yaml::{self, Node, Range, Value as Yaml};

/// Applies every patch of `kilter.yaml` to the artifacts, in order; what is wrong with one is told.
pub fn apply(sources: &Sources, estate: &Estate, artifacts: &mut [Artifact]) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let Some(list) = sources.trees.first().and_then(|it| it.as_ref()?.get("patches")) else { return all };
    let Yaml::List(entries) = &list.value else { return all };
    for (entry, file) in &sources.patches {
        let Some(node) = entries.get(*entry) else { continue };
        let Some(patch) = read(*file, sources, &mut all) else { continue };
        let target = match target(node, artifacts) {
            Ok(target) => target,
            Err((place, message, help)) => {
                Findings::new(0, sources, &mut all).error(Code::BadPatch, place.range, message, help);
                continue;
            }
        };
        match patched(&target, &patch, estate, artifacts) {
            Ok(text) => artifacts[target.artifact].text = text,
            Err(mut problems) => {
                if target.part.is_some() {
                    problems = problems.into_iter().map(Problem::within).collect();
                }
                let text = &sources.files[*file].text;
                let tree = yaml::parse(text).ok().map(|it| it.root);
                let mut findings = Findings::new(*file, sources, &mut all);
                for Problem { message, help, at } in problems {
                    findings.error(Code::BadPatch, located(tree.as_ref(), &at), message, help);
                }
            }
        }
    }
    all
}

/// Where a patch goes.
struct Target<'a> {
    artifact: usize,
    /// The group, when it is one.
    group: Option<&'a str>,
    /// The panel or the rules within, when not the whole is meant.
    part: Option<&'a str>,
}

type Refusal<'a> = (&'a Node, String, String);

fn target<'a>(node: &'a Node, artifacts: &[Artifact]) -> Result<Target<'a>, Refusal<'a>> {
    let named = |key: &str| match node.get(key).map(|it| (&it.value, it)) {
        Some((Yaml::Scalar { text, .. }, place)) => Some((text.as_str(), place)),
        _ => None,
    };
    let part = |key: &str| named(key).map(|(text, _)| text);
    let wrong = |key: &str, with: &str| {
        named(key)
            .map(|(_, place)| (place, format!("`{key}` goes with `{with}`"), format!("remove it, or name a {with}")))
    };
    match (named("dashboard"), named("group")) {
        (Some((service, place)), None) => {
            let path = format!("dashboards/{service}.json");
            let found = artifacts.iter().position(|it| it.kind == Kind::Dashboards && it.path == path);
            let known = || -> Vec<&str> {
                let all = artifacts.iter().filter(|it| it.kind == Kind::Dashboards);
                all.filter_map(|it| it.path.strip_prefix("dashboards/")?.strip_suffix(".json")).collect()
            };
            let refusal = || (place, format!("there is no dashboard `{service}`"), help(service, &known()));
            if let Some(refusal) = wrong("rule", "group") {
                return Err(refusal);
            }
            Ok(Target { artifact: found.ok_or_else(refusal)?, group: None, part: part("panel") })
        }
        (None, Some((name, place))) => {
            let files: Vec<(usize, Vec<String>)> = artifacts
                .iter()
                .enumerate()
                .filter(|(_, it)| it.kind == Kind::Rules)
                .map(|(at, it)| (at, groups_of(&it.text)))
                .collect();
            let found = files.iter().find(|(_, groups)| groups.iter().any(|it| it == name));
            let known: Vec<&str> = files.iter().flat_map(|(_, groups)| groups).map(String::as_str).collect();
            let refusal = || (place, format!("there is no rule group `{name}`"), help(name, &known));
            if let Some(refusal) = wrong("panel", "dashboard") {
                return Err(refusal);
            }
            Ok(Target { artifact: found.ok_or_else(refusal)?.0, group: Some(name), part: part("rule") })
        }
        _ => Err((
            node,
            "a patch changes either a `dashboard` or a `group`".to_owned(),
            "for example: {group: slo-git-https, rule: SLOTrafficLost, patch: patches/quiet.json}".to_owned(),
        )),
    }
}

fn groups_of(text: &str) -> Vec<String> {
    let file: Value = yaml::from_str(text).unwrap_or_default();
    let groups = file["groups"].as_array().cloned().unwrap_or_default();
    groups.iter().filter_map(|it| it["name"].as_str().map(str::to_owned)).collect()
}

/// The patch as JSON.
fn read(file: usize, sources: &Sources, all: &mut Vec<Diagnostic>) -> Option<Value> {
    let text = &sources.files[file].text;
    let mut findings = Findings::new(file, sources, all);
    match serde_json::from_str(text) {
        Ok(patch @ Value::Object(_)) => Some(patch),
        Ok(_) => {
            let message = "a patch is a JSON object: anything else would replace the whole";
            findings.error(Code::BadPatch, Range::default(), message, "for example: {\"limit\": 1000}");
            None
        }
        Err(error) => {
            let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            let start = (before + error.column().saturating_sub(1)).min(text.len());
            let start = (0..=start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let end = text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
            let said = error.to_string();
            let message = format!("not JSON: {}", said.split(" at line ").next().unwrap_or_default());
            findings.error(Code::BadPatch, Range { start, end }, message, "mend the JSON here");
            None
        }
    }
}

/// The artifact's new text, or everything that speaks against it.
fn patched(
    target: &Target<'_>,
    patch: &Value,
    estate: &Estate,
    artifacts: &[Artifact],
) -> Result<String, Vec<Problem>> {
    let old = &artifacts[target.artifact].text;
    let unreadable = |error: String| vec![Problem::new(error, "this is a bug of Kilter: please report it")];
    let Some(name) = target.group else {
        let before: Value = serde_json::from_str(old).map_err(|error| unreadable(error.to_string()))?;
        let mut after = before.clone();
        match target.part {
            None => merge(&mut after, patch),
            Some(title) => merge_parts(&mut after["panels"], patch, title, &["title"])?,
        }
        let problems = dashboard(&before, &after);
        let text = serde_json::to_string_pretty(&after).map_err(|error| unreadable(error.to_string()))?;
        return if problems.is_empty() { Ok(text + "\n") } else { Err(problems) };
    };
    let mut file: Value = yaml::from_str(old).map_err(unreadable)?;
    let groups = file["groups"].as_array_mut().into_iter().flatten();
    for after in groups.filter(|it| it["name"].as_str() == Some(name)) {
        let before = after.clone();
        match target.part {
            None => merge(after, patch),
            Some(rule) => merge_parts(&mut after["rules"], patch, rule, &["alert", "record"])?,
        }
        let problems = group(&before, after, estate.target, estate.limits());
        if !problems.is_empty() {
            return Err(problems);
        }
    }
    let banner: String = old.split_inclusive('\n').take_while(|line| line.starts_with('#')).collect();
    Ok(banner + &yaml::to_string(&file).map_err(unreadable)?)
}

/// Patches the members of a list that have this name.
fn merge_parts(list: &mut Value, patch: &Value, name: &str, keys: &[&str]) -> Result<(), Vec<Problem>> {
    let is = |it: &Value| keys.iter().any(|key| it[*key].as_str() == Some(name));
    let all = list.as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
    let names: Vec<String> =
        all.iter().filter_map(|it| keys.iter().find_map(|key| it[*key].as_str())).map(str::to_owned).collect();
    let mut any = false;
    for part in all.iter_mut().filter(|it| is(it)) {
        merge(part, patch);
        any = true;
    }
    if any {
        return Ok(());
    }
    let mut known: Vec<&str> = names.iter().map(String::as_str).collect();
    known.sort_unstable();
    known.dedup();
    Err(vec![Problem::new(format!("there is no `{name}` to patch"), help(name, &known))])
}

/// RFC 7396: members of a patch replace, `null` removes, everything else stays.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(object) = target.as_object_mut() else { return };
    for (key, value) in members {
        if value.is_null() {
            object.remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// The place of a key in the patch, or of the last of its parents that the patch has.
fn located(tree: Option<&Node>, path: &[String]) -> Range {
    let Some(mut node) = tree else { return Range::default() };
    let mut range = Range { start: node.range.start, end: node.range.start };
    for key in path {
        match &node.value {
            Yaml::Map(entries) => {
                let Some((found, value)) = entries.iter().find(|(it, _)| it.text == *key) else { break };
                (range, node) = (found.range, value);
            }
            Yaml::List(items) => {
                let Some(value) = key.parse::<usize>().ok().and_then(|at| items.get(at)) else { break };
                node = value;
            }
            _ => break,
        }
    }
    range
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Appendix A of RFC 7396.
    #[test]
    fn merges_as_the_rfc_says() {
        for (mut target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            merge(&mut target, &patch);
            assert_eq!(target, result, "{patch}");
        }
    }
}
