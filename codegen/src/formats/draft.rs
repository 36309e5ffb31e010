//! What every reader makes of a foreign file: our own SLO file as values, each with its place in the user's file.

use super::target::Target;
use crate::yaml::{Key, Node, Range, Value};

/// A text and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// As our file says it.
    pub text: String,
    /// Where the foreign file says it.
    pub range: Range,
}

impl Text {
    /// A text at a place.
    pub fn new(text: impl Into<String>, range: Range) -> Self {
        Self { text: text.into(), range }
    }

    fn node(&self) -> Node {
        Node { value: Value::Scalar { text: self.text.clone(), string: true }, range: self.range }
    }
}

/// One service of a foreign file.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name.
    pub name: Text,
    /// Who is told.
    pub team: Text,
    /// What it promises.
    pub slos: Vec<Slo>,
    /// What a reader of the printed file must know of the service as a whole.
    pub notes: Vec<Note>,
}

/// One SLO.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// Its name.
    pub name: Text,
    /// One sentence.
    pub description: Text,
    /// As `99.9%`.
    pub objective: Text,
    /// Compliance window.
    pub window: Text,
    /// What is measured.
    pub sli: Sli,
    /// One SLO per value of these labels.
    pub by: Vec<Text>,
    /// Policy for missing data, when the file has one.
    pub no_data: Option<Text>,
    /// What it says in keys that not every version has.
    pub more: Vec<(Target, Node)>,
    /// What could not be carried as it was.
    pub notes: Vec<Note>,
}

/// A remark for the printed file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The place that it is about.
    pub at: usize,
    /// One sentence.
    pub text: String,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Sli {
    /// Requests of the contract.
    HttpServer {
        /// Route templates.
        routes: Vec<Text>,
        /// Methods.
        methods: Vec<Text>,
        /// A bucket bound: a latency SLI.
        slower_than: Option<Text>,
    },
    /// Two counters.
    Events {
        /// `errors` or `good`.
        side: Side,
        /// The query of that side.
        part: Text,
        /// All events.
        total: Text,
    },
    /// A kind that not every version has; the mapping below its key.
    Other(Target, Node),
}

/// Which events a query counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Bad ones.
    Errors,
    /// Good ones.
    Good,
}

impl Side {
    const fn key(self) -> &'static str {
        match self {
            Side::Errors => "errors",
            Side::Good => "good",
        }
    }
}

impl Service {
    /// The service as a tree of our SLO file, as if the user had written that. Without the SLOs of later versions.
    pub fn tree(&self) -> Node {
        let at = self.name.range;
        let slos: Vec<Node> = self.slos.iter().filter(|it| it.sli.exists()).map(Slo::tree).collect();
        map(
            at,
            [
                ("apiVersion", Text::new("kilter/v1", at).node()),
                ("service", self.name.node()),
                ("team", self.team.node()),
                ("slos", Node { value: Value::List(slos), range: at }),
            ],
        )
    }
}

impl Slo {
    /// The SLO as our file writes it.
    pub fn tree(&self) -> Node {
        let at = self.name.range;
        let mut entries = vec![
            ("name", self.name.node()),
            ("description", self.description.node()),
            ("objective", self.objective.node()),
            ("window", self.window.node()),
            ("sli", self.sli.tree(at)),
        ];
        if !self.by.is_empty() {
            entries.push(("by", list(at, &self.by)));
        }
        if let Some(no_data) = &self.no_data {
            entries.push(("no_data", no_data.node()));
        }
        let more = self.more.iter().filter(|(target, _)| target.exists());
        entries.extend(more.map(|(target, node)| (target.key(), node.clone())));
        map(at, entries)
    }
}

impl Sli {
    /// Whether this version has the kind.
    pub fn exists(&self) -> bool {
        !matches!(self, Sli::Other(target, _) if !target.exists())
    }

    fn tree(&self, at: Range) -> Node {
        let kind = match self {
            Sli::HttpServer { routes, methods, slower_than } => {
                let mut entries = Vec::new();
                if !routes.is_empty() {
                    entries.push(("routes", list(at, routes)));
                }
                if !methods.is_empty() {
                    entries.push(("methods", list(at, methods)));
                }
                entries.extend(slower_than.iter().map(|it| ("slower_than", it.node())));
                ("http_server", map(at, entries))
            }
            Sli::Events { side, part, total } => {
                ("events", map(at, [(side.key(), part.node()), ("total", total.node())]))
            }
            Sli::Other(target, node) => (target.key(), node.clone()),
        };
        map(at, [kind])
    }
}

fn list(at: Range, items: &[Text]) -> Node {
    Node { value: Value::List(items.iter().map(Text::node).collect()), range: at }
}

/// A mapping whose keys stand where its values do: the foreign file has no such keys.
pub fn map<'a>(at: Range, entries: impl IntoIterator<Item = (&'a str, Node)>) -> Node {
    let entry = |(key, node): (&str, Node)| (Key { text: key.to_owned(), range: node.range }, node);
    Node { value: Value::Map(entries.into_iter().map(entry).collect()), range: at }
}

/// A mapping of texts.
pub fn texts(at: Range, entries: &[(&str, Text)]) -> Node {
    map(at, entries.iter().map(|(key, text)| (*key, text.node())))
}
