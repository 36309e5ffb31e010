//! The same table as a JSON Schema (2020-12), for editors.

use serde_json::{Map, Value, json};

use super::{Kind, Object};

/// The schema of a whole file.
pub fn json_schema(object: &Object, title: &str) -> Value {
    let mut schema = schema_of(object);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(title);
    schema
}

fn schema_of(object: &Object) -> Value {
    let mut properties = Map::new();
    for key in object.keys {
        let mut property = kind(&key.kind);
        property["description"] = json!(key.doc);
        property["examples"] = json!([example(&key.kind, key.example)]);
        properties.insert(key.name.to_owned(), property);
    }
    let required: Vec<&str> = object.keys.iter().filter(|it| it.required).map(|it| it.name).collect();
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if object.one_of {
        schema["minProperties"] = json!(1);
        schema["maxProperties"] = json!(1);
    }
    schema
}

/// As editors insert it: a list is a list there, not the text of one.
fn example(of: &Kind, text: &str) -> Value {
    match of {
        Kind::Text | Kind::Word(_) => json!(text),
        _ => crate::yaml::from_str(text).unwrap_or_else(|_| json!(text)),
    }
}

fn kind(of: &Kind) -> Value {
    match of {
        Kind::Text => json!({"type": "string"}),
        Kind::Number => json!({"type": ["number", "string"]}),
        Kind::Word(words) => json!({"enum": words}),
        Kind::List(inner) => json!({"type": "array", "items": kind(inner)}),
        Kind::Object(object) => schema_of(object),
        Kind::Map(inner) => json!({"type": "object", "additionalProperties": kind(inner)}),
    }
}
