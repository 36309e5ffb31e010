//! SARIF 2.1.0 (OASIS), which code hosting services show beside the code.

use serde_json::{Value, json};

use super::super::{Code, Diagnostic, Edit};
use super::{Region, region, sorted};
use crate::load::Sources;

/// One run.
pub fn sarif(all: &[Diagnostic], sources: &Sources) -> String {
    let all = sorted(all);
    let used: Vec<Code> = Code::ALL.iter().copied().filter(|code| all.iter().any(|it| it.code == *code)).collect();
    let rules: Vec<Value> = used.iter().map(|it| rule(*it)).collect();
    let results: Vec<Value> = all.into_iter().map(|it| result(it, &used, sources)).collect();
    format!("{:#}\n", log(&rules, &results))
}

/// A log of one run with these rules and results.
pub fn log(rules: &[Value], results: &[Value]) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kilter",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": {"text": code.title()},
        "fullDescription": {"text": code.explanation()},
    })
}

fn result(it: &Diagnostic, used: &[Code], sources: &Sources) -> Value {
    let file = &sources.files[it.span.file];
    let artifact = json!({"uri": uri(&file.path)});
    let mut result = json!({
        "ruleId": it.code.as_str(),
        "ruleIndex": used.iter().position(|code| *code == it.code),
        "level": it.severity.as_str(),
        "message": {"text": format!("{}\nNext: {}", it.message, it.help)},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": json(region(&file.text, it.span.range))}}],
    });
    if !it.fix.is_empty() {
        let replacement = |edit: &Edit| json!({"deletedRegion": json(region(&file.text, edit.range)), "insertedContent": {"text": edit.text}});
        let replacements: Vec<Value> = it.fix.iter().map(replacement).collect();
        result["fixes"] = json!([{
            "description": {"text": it.help},
            "artifactChanges": [{"artifactLocation": artifact, "replacements": replacements}],
        }]);
    }
    result
}

fn json(of: Region) -> Value {
    json!({"startLine": of.line, "startColumn": of.column, "endLine": of.end_line, "endColumn": of.end_column})
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|it| if plain(it) { char::from(it).to_string() } else { format!("%{it:02X}") }).collect()
}
