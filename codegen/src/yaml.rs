//! The one home of the YAML library. Text becomes a tree in which every key and value knows its place.

mod quick;
pub mod write;

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Spanned};

/// Bytes `start..end` of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Range {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands. For a block scalar, from the first character of its content.
    pub range: Range,
}

/// What YAML can say.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Text, a number or a boolean, with the text of the source: `99.90` stays `99.90`.
    Scalar {
        /// The decoded text.
        text: String,
        /// Whether YAML reads it as a string rather than as a number or boolean.
        string: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the source; keys are unique.
    Map(Vec<(Key, Node)>),
}

/// A key and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The decoded text.
    pub text: String,
    /// Where it stands.
    pub range: Range,
}

/// Why a text is no YAML document of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// One sentence.
    pub message: String,
    /// Where.
    pub range: Range,
    /// What to do.
    pub help: &'static str,
}

/// A document that could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its tree; of a key that stands twice, the first value counts.
    pub root: Node,
    /// Keys that stand twice in one mapping. They are errors, but the rest of the document can still be checked.
    pub duplicates: Vec<YamlError>,
}

/// The largest text that is read.
pub const MAX_BYTES: usize = 32 << 20;

/// Our deepest file has ten levels. Each level of the tree takes kilobytes of stack in a build without optimisation.
const MAX_DEPTH: usize = 24;

const MEND: &str = "mend the YAML here; `kilter schema slo` gives editors what they need";

/// Reads one document. Duplicate keys are told, all of them; depth, aliases and size have limits.
pub fn parse(text: &str) -> Result<Document, YamlError> {
    if text.len() > MAX_BYTES {
        let message = format!("larger than {} MiB", MAX_BYTES >> 20);
        return Err(YamlError { message, range: Range::default(), help: "an SLO file has a few hundred lines" });
    }
    if let Some(root) = quick::read(text) {
        return Ok(Document { root, duplicates: Vec::new() });
    }
    parse_slowly(text)
}

/// Whatever YAML there is, by the library.
fn parse_slowly(text: &str) -> Result<Document, YamlError> {
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough,
        // `1e400` is the objective check's to refuse, with all its other findings.
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, flow_nesting_limit: MAX_DEPTH, max_aliases: 1_000, max_nodes: 1_000_000, max_events: 4_000_000, max_recorded_anchor_events: 50_000 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 50_000 },
        strict_booleans: true,
        with_snippet: false,
    };
    let tree: Spanned<Tree> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| explain(&error, text))?;
    let mut duplicates = Vec::new();
    let root = node(tree, text, &mut duplicates);
    Ok(Document { root, duplicates })
}

/// Reads every document of a text, as the formats of others may hold several; those without content are left out.
/// Places are those of the whole text.
pub fn parse_all(text: &str) -> Vec<Result<Document, YamlError>> {
    let parse_part = |part: Range| {
        let moved = |range: Range| Range { start: range.start + part.start, end: range.end + part.start };
        let error = |it: YamlError| YamlError { range: moved(it.range), ..it };
        let document = parse(&text[part.start..part.end]).map_err(error)?;
        let duplicates = document.duplicates.into_iter().map(error).collect();
        let root = if part.start == 0 { document.root } else { document.root.moved(part.start) };
        Ok(Document { root, duplicates })
    };
    parts(text).into_iter().map(parse_part).collect()
}

/// The documents of a text: `---` and `...` at the start of a line separate them, whatever stands around.
fn parts(text: &str) -> Vec<Range> {
    let mut all = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let mark = ["---", "..."].iter().any(|it| {
            line.strip_prefix(it).is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        });
        if mark {
            all.push(Range { start, end: at });
            start = at + 3;
        }
        at += line.len();
    }
    all.push(Range { start, end: text.len() });
    let says = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#') && !line.starts_with('%');
    all.retain(|part| text[part.start..part.end].lines().any(says));
    all
}

/// Writes a value. Strings that YAML 1.1 readers would take for something else are quoted; longer texts become blocks.
pub fn to_string(value: &impl Serialize) -> Result<String, String> {
    // PromQL is never folded: what stands on one line is copied as one line.
    let options = serde_saphyr::ser_options! { min_fold_chars: usize::MAX, folded_wrap_chars: usize::MAX };
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, value, options).map_err(|error| error.to_string())?;
    Ok(text)
}

/// Reads our own data files and what we wrote ourselves; users' files go through [`parse`].
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

impl Node {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(it, _)| it.text == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The same value in a text in which so many bytes stand before it.
    fn moved(self, by: usize) -> Self {
        let place = |range: Range| Range { start: range.start + by, end: range.end + by };
        let value = match self.value {
            Value::List(items) => Value::List(items.into_iter().map(|it| it.moved(by)).collect()),
            Value::Map(entries) => {
                let entry = |(key, node): (Key, Node)| (Key { range: place(key.range), ..key }, node.moved(by));
                Value::Map(entries.into_iter().map(entry).collect())
            }
            other => other,
        };
        Node { value, range: place(self.range) }
    }

    /// What it is, in words for a diagnostic.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar { string: true, .. } => "a text",
            Value::Scalar { string: false, .. } => "a number or boolean",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// As serde sees it, before source texts are put in.
enum Tree {
    Null,
    Text(String),
    Other,
    List(Vec<Spanned<Tree>>),
    Map(Vec<(Spanned<Tree>, Spanned<Tree>)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a YAML value")
    }
    fn visit_unit<E: de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }
    fn visit_none<E: de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Other)
    }
    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }
    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }
    fn visit_i128<E: de::Error>(self, _: i128) -> Result<Tree, E> {
        Ok(Tree::Other)
    }
    fn visit_u128<E: de::Error>(self, _: u128) -> Result<Tree, E> {
        Ok(Tree::Other)
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }
    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Tree, E> {
        Ok(Tree::Text(String::from_utf8_lossy(bytes).into_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Tree::List(all))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            all.push(entry);
        }
        Ok(Tree::Map(all))
    }
}

fn node(tree: Spanned<Tree>, text: &str, duplicates: &mut Vec<YamlError>) -> Node {
    let range = place(&tree.referenced, text);
    let value = match tree.value {
        Tree::Null => Value::Null,
        Tree::Text(text) => Value::Scalar { text, string: true },
        Tree::Other => Value::Scalar {
            text: text.get(range.start..range.end).unwrap_or_default().trim().to_owned(),
            string: false,
        },
        Tree::List(items) => Value::List(items.into_iter().map(|item| node(item, text, duplicates)).collect()),
        Tree::Map(entries) => Value::Map(mapping(entries, text, duplicates)),
    };
    Node { value, range }
}

/// The entries of a mapping, each key once.
fn mapping(
    entries: Vec<(Spanned<Tree>, Spanned<Tree>)>,
    text: &str,
    duplicates: &mut Vec<YamlError>,
) -> Vec<(Key, Node)> {
    let mut seen = BTreeSet::new();
    let mut unique = Vec::new();
    for (key, value) in entries {
        let (key, value) = (key_of(key, text), node(value, text, duplicates));
        if seen.insert(key.text.clone()) {
            unique.push((key, value));
        } else {
            let message = format!("the key `{}` stands twice in this mapping", key.text.escape_debug());
            duplicates.push(YamlError { message, range: key.range, help: "keep one of the two" });
        }
    }
    unique
}

/// A key as text. Our keys are texts; of any other kind its place and source are enough to refuse it by name.
fn key_of(key: Spanned<Tree>, text: &str) -> Key {
    let range = place(&key.referenced, text);
    match key.value {
        Tree::Text(text) => Key { text, range },
        _ => Key { text: text.get(range.start..range.end).unwrap_or_default().trim().to_owned(), range },
    }
}

/// The library counts bytes where it can; lines and columns (1-based, in characters) otherwise.
fn place(location: &serde_saphyr::Location, text: &str) -> Range {
    let span = location.span();
    let clamp = |at: usize| (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    if let (Some(start), Some(len)) = (span.byte_offset(), span.byte_len()) {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        return Range { start: clamp(start), end: clamp(start.saturating_add(usize::try_from(len).unwrap_or(0))) };
    }
    let line = usize::try_from(location.line()).unwrap_or(1).saturating_sub(1);
    let column = usize::try_from(location.column()).unwrap_or(1).saturating_sub(1);
    let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>().min(text.len());
    let within = text[start..].chars().take(column).map(char::len_utf8).sum::<usize>();
    let start = clamp(start + within);
    Range { start, end: clamp(start + 1) }
}

/// The library's messages speak to developers; these speak to whoever wrote the file.
fn explain(error: &Error, text: &str) -> YamlError {
    let range = error.location().map(|location| place(&location, text)).unwrap_or_default();
    let said = error.without_snippet().to_string();
    let lower = said.to_lowercase();
    let (message, help) = if ["budget", "limit", "depth", "nest"].iter().any(|it| lower.contains(it)) {
        ("nested too deeply, or too many aliases".to_owned(), "no SLO file needs that: write the values out")
    } else if lower.contains("multiple yaml documents") {
        ("more than one YAML document".to_owned(), "one file holds one service: move the second into its own file")
    } else {
        // The library adds the place, which the diagnostic shows better.
        let first = said.lines().next().unwrap_or_default().split(" at line ").next().unwrap_or_default();
        let help = if lower.contains("tab") { "indent with spaces: YAML allows no tabs there" } else { MEND };
        (format!("not YAML: {}", first.trim_end_matches('.')), help)
    };
    YamlError { message, range, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_place() {
        let text = "a: 99.90\nb:\n  - no\n  - 'q\"q'\nc: |\n  sum(\n  x)\n";
        let tree = parse(text).unwrap().root;
        let slice = |node: &Node| text[node.range.start..node.range.end].to_owned();
        let a = tree.get("a").unwrap();
        assert_eq!((slice(a).as_str(), a.kind()), ("99.90", "a number or boolean"));
        assert_eq!(a.value, Value::Scalar { text: "99.90".into(), string: false });
        let Value::List(items) = &tree.get("b").unwrap().value else { panic!("a list") };
        assert_eq!(items[0].value, Value::Scalar { text: "no".into(), string: true });
        assert_eq!(items[1].value, Value::Scalar { text: "q\"q".into(), string: true });
        let c = tree.get("c").unwrap();
        assert!(slice(c).starts_with("sum("), "{:?}", slice(c));
    }

    #[test]
    fn hostile_texts_are_refused_with_a_place() {
        let brackets = "[".repeat(100_000);
        let laughs = (0..9).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, n| {
            let all = vec![format!("*a{n}"); 9].join(",");
            format!("{text}a{}: &a{} [{all}]\n", n + 1, n + 1)
        });
        for text in [brackets.as_str(), &laughs, "a: 'x\n", "a: b: c\n", "a: 1\n---\nb: 2\n"] {
            let error = parse(text).unwrap_err();
            assert!(error.message.len() > 10 && error.message.len() < 200, "{}", error.message);
        }
    }

    #[test]
    fn every_document_knows_its_place_in_the_whole() {
        let text = "# first\n---\na: ü\n--- # second\nb: |\n  ---x\n  y\n...\n---\n---\n'c': [1, 2\n";
        let all = parse_all(text);
        assert_eq!(all.len(), 3, "{all:?}");
        let slice = |range: Range| &text[range.start..range.end];
        let first = &all[0].as_ref().unwrap().root;
        assert_eq!(slice(first.get("a").unwrap().range), "ü");
        let second = &all[1].as_ref().unwrap().root;
        assert!(slice(second.get("b").unwrap().range).starts_with("---x\n  y"));
        let broken = all[2].as_ref().unwrap_err();
        assert!(broken.range.start >= text.find("'c'").unwrap(), "{broken:?}");
        assert!(parse_all("").is_empty() && parse_all("---\n# x\n").is_empty());
    }

    #[test]
    fn every_duplicate_key_is_told_and_the_first_counts() {
        let document = parse("a: 1\nab: 2\na: 3\nb: {c: 1, 'c': 2, 1: x, 1: y}\n").unwrap();
        let told: Vec<(&str, usize)> =
            document.duplicates.iter().map(|it| (it.message.as_str(), it.range.start)).collect();
        let message = |key: &str| format!("the key `{key}` stands twice in this mapping");
        assert_eq!(told, [(&*message("a"), 11), (&*message("c"), 26), (&*message("1"), 40)]);
        assert_eq!(document.root.get("a").unwrap().value, Value::Scalar { text: "1".into(), string: false });
    }
}
