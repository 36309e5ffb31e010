//! Structure: unknown, misspelt, missing keys and wrong types, all of them at once.

use super::{Kind, Object};
use crate::diagnostic::{Code, Findings};
use crate::yaml::{Node, Value};

/// Checks a tree against the table.
pub fn check(node: &Node, object: &Object, findings: &mut Findings<'_>) {
    let Value::Map(entries) = &node.value else {
        let message = format!("{} is a mapping, but here is {}", object.name, node.kind());
        return findings.error(
            Code::WrongType,
            node.range,
            message,
            format!("its keys are: {}", names(object).join(", ")),
        );
    };
    for (key, value) in entries {
        match object.keys.iter().find(|it| it.name == key.text) {
            Some(known) => check_kind(value, &known.kind, &key.text, known.example, findings),
            None if object.later.contains(&key.text.as_str()) => {
                let message = format!("this version of Kilter has no `{}` in {} yet", key.text, object.name);
                findings.error(Code::NotYet, key.range, message, format!("it has: {}", names(object).join(", ")));
            }
            None => {
                let message = format!("{} has no key `{}`", object.name, printable(&key.text));
                findings.error(Code::UnknownKey, key.range, message, help(&key.text, &names(object)));
            }
        }
    }
    for missing in object.keys.iter().filter(|it| it.required && node.get(it.name).is_none()) {
        let help = format!("add `{}: {}`. {}", missing.name, missing.example, missing.doc);
        findings.error(Code::MissingKey, first_line(node), format!("{} needs `{}`", object.name, missing.name), help);
    }
    let known = entries.iter().filter(|(key, _)| object.keys.iter().any(|it| it.name == key.text)).count();
    let later = entries.iter().any(|(key, _)| object.later.contains(&key.text.as_str()));
    if object.one_of && known != 1 && !later {
        let message = format!("{} is exactly one kind, but here are {known}", object.name);
        findings.error(
            Code::MissingKey,
            first_line(node),
            message,
            format!("choose one of: {}", names(object).join(", ")),
        );
    }
}

fn check_kind(node: &Node, kind: &Kind, key: &str, example: &str, findings: &mut Findings<'_>) {
    let mut wrong = |wanted: &str| {
        let message = format!("`{key}` takes {wanted}, but here is {}", node.kind());
        findings.error(Code::WrongType, node.range, message, format!("for example: `{key}: {example}`"));
    };
    match (kind, &node.value) {
        (Kind::Text, Value::Scalar { string: true, .. }) | (Kind::Number, Value::Scalar { .. }) => {}
        (Kind::Text, _) => wrong("a text"),
        (Kind::Number, _) => wrong("a number"),
        (Kind::Word(words), Value::Scalar { text, .. }) => {
            if !words.contains(&text.as_str()) {
                let message = format!("`{key}` cannot be `{}`", printable(text));
                findings.error(Code::BadValue, node.range, message, help(text, words));
            }
        }
        (Kind::Word(words), _) => wrong(&format!("one of {}", words.join(", "))),
        (Kind::List(inner), Value::List(items)) => {
            items.iter().for_each(|item| check_kind(item, inner, key, example, findings));
        }
        (Kind::List(_), _) => wrong("a list"),
        (Kind::Object(object), _) => check(node, object, findings),
        (Kind::Map(inner), Value::Map(entries)) => {
            entries.iter().for_each(|(name, value)| check_kind(value, inner, &name.text, example, findings));
        }
        (Kind::Map(_), _) => wrong("a mapping"),
    }
}

/// `did you mean ...?` when something is near, and always what there is.
pub fn help(text: &str, known: &[&str]) -> String {
    let near = nearest(text, known).map(|it| format!("did you mean `{it}`? ")).unwrap_or_default();
    format!("{near}known are: {}", known.join(", "))
}

/// The known word that a misspelt one most likely means.
pub fn nearest<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    // The distance takes time and room of the product of both lengths, and no word of ours is that long.
    if text.len() > 100 {
        return None;
    }
    // Of two that are as near, people more often get the end wrong than the beginning: `rat` is `rate` and not `rad`.
    let same = |it: &str| it.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    let (edits, _, best) = known.iter().fold(None, |best: Option<(usize, usize, &str)>, it| {
        if best.is_some_and(|(edits, ..)| least_edits(text, it) > edits) {
            return best;
        }
        let this = (strsim::damerau_levenshtein(text, it), usize::MAX - same(it), *it);
        Some(best.map_or(this, |best| best.min(this)))
    })?;
    let near = edits <= 2 && edits < best.len() || strsim::jaro_winkler(text, best) > 0.88;
    near.then_some(best)
}

/// Edits that lie between two texts at least: one for each letter that one of them has more often. It takes a hundredth of
/// the time that their distance does.
pub fn least_edits(one: &str, other: &str) -> usize {
    if !one.is_ascii() || !other.is_ascii() {
        return 0;
    }
    let mut more = [0_i32; 128];
    one.bytes().for_each(|it| more[usize::from(it)] += 1);
    other.bytes().for_each(|it| more[usize::from(it)] -= 1);
    let sum = |sign: i32| more.iter().map(|it| (it * sign).max(0)).sum::<i32>();
    usize::try_from(sum(1).max(sum(-1))).unwrap_or(0)
}

/// A text as it is, but for what a terminal would do something on.
pub fn plain(text: &str) -> String {
    let visible = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    text.chars().map(visible).collect()
}

/// A text for a message: one line, not too long.
pub fn printable(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().count() > 60 {
        short.push('…');
    }
    short
}

fn names(object: &Object) -> Vec<&'static str> {
    object.keys.iter().map(|it| it.name).collect()
}

/// Where something is missing: the first key of the mapping, so that the caret is one line.
fn first_line(node: &Node) -> crate::yaml::Range {
    match &node.value {
        Value::Map(entries) => entries.first().map_or(node.range, |(key, _)| key.range),
        _ => node.range,
    }
}
