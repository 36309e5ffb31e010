//! The JSON Schemas teach: an editor shows what each key is for, and inserts an example that fits.

use serde_json::Value;

use crate::cli::{kilter, said};

/// Every property below a schema, with the path to it.
fn properties<'a>(schema: &'a Value, path: &str, found: &mut Vec<(String, &'a Value)>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        properties(property, &path, found);
        found.push((path, property));
    }
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            properties(&schema[inner], path, found);
        }
    }
}

/// Whether a value is what a schema of ours asks for.
fn fits(schema: &Value, value: &Value) -> Result<(), String> {
    let kind = match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        _ => "nothing",
    };
    let types = match &schema["type"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one.as_str()],
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.contains(&kind) {
        return Err(format!("{value} is no {types:?}"));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        return Err(format!("{value} is none of {}", schema["enum"]));
    }
    for item in value.as_array().into_iter().flatten() {
        fits(&schema["items"], item)?;
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let more = &schema["additionalProperties"];
        let of = if more.is_object() { more } else { &schema["properties"][key] };
        if of.is_null() {
            return Err(format!("{key} is no key"));
        }
        fits(of, inner)?;
    }
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let missing = required.filter(|key| value.get(key).is_none()).collect::<Vec<_>>();
    if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} are missing in {value}")) }
}

#[test]
fn every_key_has_a_description_and_an_example_that_fits() {
    for (of, least) in [("slo", 60), ("estate", 40)] {
        let out = kilter(&["schema", of], std::path::Path::new("."));
        let schema: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", said(&out)));
        let mut all = Vec::new();
        properties(&schema, of, &mut all);
        assert!(all.len() > least, "{of}: only {} keys", all.len());
        for (path, property) in all {
            let description = property["description"].as_str().unwrap_or_default();
            // A few words that end as a sentence does.
            assert!(description.len() > 8 && description.ends_with('.'), "{path}: {description:?}");
            let examples = property["examples"].as_array().unwrap_or_else(|| panic!("{path} has no example"));
            assert!(!examples.is_empty(), "{path} has no example");
            for example in examples {
                fits(property, example).unwrap_or_else(|why| panic!("{path}: {why}"));
            }
        }
    }
}
