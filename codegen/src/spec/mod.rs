//! The files as users write them: one table of keys drives the check, the suggestions and the JSON Schema.

pub mod check;
mod estate;
mod incidents;
mod policy;
mod resource;
mod scenario;
mod schema;
mod sli;
mod slo;

pub use estate::ESTATE;
pub use incidents::{INCIDENT, INCIDENTS};
pub use policy::TIER;
pub use scenario::SCENARIO;
pub use schema::json_schema;
pub use slo::SLO_FILE;

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// A number, or a text such as `99.9%`.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list.
    List(&'static Kind),
    /// A mapping with these keys.
    Object(&'static Object),
    /// A mapping from names of the user's to values.
    Map(&'static Kind),
}

/// A key of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// One or two sentences, shown by editors.
    pub doc: &'static str,
    /// A value.
    pub example: &'static str,
}

/// A mapping.
#[derive(Debug)]
pub struct Object {
    /// What it is called in messages.
    pub name: &'static str,
    /// Its keys, in the order in which people write them.
    pub keys: &'static [Key],
    /// Whether exactly one of its keys must be there.
    pub one_of: bool,
    /// Keys that a later version will have.
    pub later: &'static [&'static str],
}

const fn required(name: &'static str, kind: Kind, doc: &'static str, example: &'static str) -> Key {
    Key { name, kind, required: true, doc, example }
}

const fn optional(name: &'static str, kind: Kind, doc: &'static str, example: &'static str) -> Key {
    Key { name, kind, required: false, doc, example }
}
