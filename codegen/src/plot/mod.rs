//! Small drawings of what alerts did, as SVG: typed values in, one deterministic text out.
//!
//! They can be read by people who see no colours (lines have their own dashes, bars their own hatching and a label), by
//! screen readers (a title and a description in words), in the dark and on paper. There is no script, no font and no
//! address in them, and every text is escaped. Their classes have the prefix of the drawing's id, so several of them can
//! stand in one page.

mod draw;
mod marks;
mod scale;

pub use draw::svg;
pub(crate) use scale::elapsed;

/// A drawing: panels below each other over one axis of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Unique in the page: letters, digits and dashes.
    pub id: String,
    /// What it shows, in a few words.
    pub title: String,
    /// What there is to see, in sentences: it is all that some readers get.
    pub description: String,
    /// The first moment, in milliseconds since the epoch of Unix.
    pub from: i64,
    /// The last moment.
    pub until: i64,
    /// How moments are named.
    pub axis: Axis,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

/// How moments are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// By the time since one of them.
    Since(i64),
    /// By date and time in UTC.
    Utc,
}

/// A part of a drawing.
#[derive(Debug, Clone, PartialEq)]
pub enum Panel {
    /// Values over time.
    Lines(Lines),
    /// Times in which something was.
    Bars(Bars),
}

/// Values over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// What they are.
    pub title: String,
    /// How values are written.
    pub unit: Unit,
    /// How values are placed.
    pub scale: Scale,
    /// At most six, or they are hard to tell apart.
    pub series: Vec<Series>,
    /// Values that mean something, with their names.
    pub thresholds: Vec<Threshold>,
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A share, as percent.
    Share,
    /// A plain number with this behind it, such as `x`.
    Number(&'static str),
}

/// How values are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Evenly, zero included.
    Linear,
    /// By their magnitude, down to this power of ten; what is below lies on the floor.
    Log(i32),
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Moments in order; a gap where there is no value.
    pub points: Vec<(i64, Option<f64>)>,
}

/// A value that means something.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// What it means.
    pub name: String,
    /// The value.
    pub value: f64,
}

/// Times in which something was.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// What they are.
    pub title: String,
    /// From top to bottom.
    pub rows: Vec<Row>,
}

/// The times of one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// How it looks.
    pub look: Look,
    /// Its times, in order.
    pub bars: Vec<Bar>,
}

/// How a bar looks; each has a hatching of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A page.
    Page,
    /// A ticket.
    Ticket,
    /// Anything else, such as an incident.
    Other,
}

/// One time.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// When it began.
    pub from: i64,
    /// When it ended; `None` when it goes on.
    pub until: Option<i64>,
    /// A few words beside it.
    pub label: String,
}
