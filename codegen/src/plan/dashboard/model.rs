//! Dashboards as typed values, whatever draws them: `render::grafana` and `render::perses` turn them into JSON.

use crate::model::Duration;

/// A dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// Its stable address: at most 40 letters, digits, `-` and `_`.
    pub uid: String,
    /// Its title.
    pub title: String,
    /// The banner.
    pub description: String,
    /// Links of its header.
    pub links: Vec<Link>,
    /// What a reader can choose, beside the data source.
    pub variables: Vec<Variable>,
    /// What is marked on every panel over time.
    pub marks: Vec<Mark>,
    /// Its panels, in reading order.
    pub sections: Vec<Section>,
}

/// An address with the words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// A word or two.
    pub title: String,
    /// Where it leads.
    pub url: String,
    /// What is there.
    pub tooltip: String,
}

/// What a reader chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// One of fixed values, the first to begin with.
    Choice {
        /// `$name`.
        name: String,
        /// What the reader sees.
        label: String,
        /// The values.
        values: Vec<String>,
    },
    /// Any number of the values that a label has; all to begin with, series without it included.
    Values {
        /// The label, and `$name`.
        name: String,
        /// The series that have the label.
        series: String,
    },
}

/// Moments that a query finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What it is about.
    pub name: String,
    /// Has a value at those moments.
    pub expr: String,
    /// Text of a moment, with `{{label}}`.
    pub text: String,
    /// Its colour.
    pub color: Color,
}

/// Panels under a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// The panels, from left to right and top to bottom.
    pub panels: Vec<Panel>,
}

/// A panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panel {
    /// Unique within its dashboard.
    pub title: String,
    /// The question that it answers.
    pub description: String,
    /// How it looks.
    pub drawing: Drawing,
    /// What it asks.
    pub queries: Vec<Query>,
    /// Unit of every value.
    pub unit: Unit,
    /// Digits after the point, where they matter.
    pub decimals: Option<u32>,
    /// Ends of the axis, where they are known; no value lies beyond.
    pub range: (Option<u32>, Option<u32>),
    /// Words for values.
    pub states: Vec<State>,
    /// What it says when no query finds anything.
    pub empty: Empty,
    /// Columns of 24, and rows of the grid.
    pub size: (u32, u32),
    /// A time of its own in place of the dashboard's, back from now.
    pub pinned: Option<Duration>,
}

/// How a panel looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drawing {
    /// One value in large letters.
    Value,
    /// Lines over time.
    Lines,
    /// Lines over time on an axis on which each step doubles.
    LogLines,
    /// Areas over time, one on another.
    Stack,
    /// How many there are in each bucket of a histogram over time: the brighter, the more. The axis is of seconds.
    Heat,
    /// Words over time, a row for each series.
    States,
    /// Rows with the values of several queries, joined by their labels.
    Table(Table),
}

/// The columns of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// In order; whatever is not here is not shown.
    pub columns: Vec<Column>,
    /// Titles of columns by which the rows are sorted, and whether the largest comes first.
    pub sort: Vec<(String, bool)>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub title: String,
    /// What it holds.
    pub of: Cell,
    /// Pixels; as wide as there is room when `None`.
    pub width: Option<u32>,
    /// Unit of its numbers.
    pub unit: Unit,
    /// Digits after the point.
    pub decimals: Option<u32>,
    /// Words for values.
    pub states: Vec<State>,
    /// What a cell without a value says.
    pub empty: &'static str,
    /// Where it leads; `${__data.fields.label}` stands for a label of the row.
    pub links: Vec<Link>,
    /// Whether it is shown; one that is not serves links.
    pub shown: bool,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A label.
    Label(String),
    /// The value of the query with this number.
    Query(usize),
}

/// A query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// PromQL, with `$name` for variables and `$__rate_interval`.
    pub expr: String,
    /// Name of its series, with `{{label}}`; their labels when empty.
    pub legend: String,
    /// Whether it is asked for one moment.
    pub moment: bool,
    /// Whether the traces of single events are asked for too.
    pub exemplars: bool,
    /// The colour of its series; all have it.
    pub line: Option<Line>,
}

/// How the series of a query are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Colour.
    pub color: Color,
    /// Whether it is dashed: a second sign beside the colour; limits are.
    pub dashed: bool,
}

/// A value and its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The value.
    pub value: u32,
    /// The word; colour alone never says anything.
    pub word: &'static str,
    /// The colour beside it.
    pub color: Color,
}

/// What nothing means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Empty {
    /// Something is missing: it says so.
    Missing,
    /// Nothing is there, and that may be as it should: these are the words.
    Fine(&'static str),
}

impl Empty {
    /// The words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "no data",
            Self::Fine(words) => words,
        }
    }
}

/// Colours of Okabe and Ito, which everybody can tell apart, as far as they stand out on white and on black; and a grey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Color {
    Blue,
    Vermillion,
    Green,
    Purple,
    Grey,
}

impl Color {
    /// Those of series, in order.
    pub const SERIES: [Self; 4] = [Self::Blue, Self::Vermillion, Self::Green, Self::Purple];

    /// As `#RRGGBB`.
    pub const fn hex(self) -> &'static str {
        match self {
            Self::Blue => "#0072B2",
            Self::Vermillion => "#D55E00",
            Self::Green => "#009E73",
            Self::Purple => "#CC79A7",
            Self::Grey => "#7F7F7F",
        }
    }
}

/// Units of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A share, shown in percent.
    Share,
    /// Seconds, shown in the largest unit that fits.
    Seconds,
    /// Events per second.
    PerSecond,
    /// A number that may be large.
    Count,
    /// A plain number.
    Plain,
    /// Bytes.
    Bytes,
    /// How many times.
    Times,
    /// Text or a state: no number.
    Word,
}

impl Panel {
    /// A panel of no special kind.
    pub(super) fn new(title: &str, description: &str, drawing: Drawing, unit: Unit, size: (u32, u32)) -> Self {
        Self {
            title: title.to_owned(),
            description: description.to_owned(),
            drawing,
            queries: Vec::new(),
            unit,
            decimals: None,
            range: (None, None),
            states: Vec::new(),
            empty: Empty::Missing,
            size,
            pinned: None,
        }
    }

    /// One value in large letters.
    pub(super) fn value(title: &str, description: &str, expr: String, unit: Unit, width: u32) -> Self {
        Self::new(title, description, Drawing::Value, unit, (width, 4)).asks(Query::now(expr))
    }

    /// Lines over time.
    pub(super) fn lines(title: &str, description: &str, unit: Unit, width: u32) -> Self {
        Self::new(title, description, Drawing::Lines, unit, (width, 8))
    }

    /// With another query.
    pub(super) fn asks(mut self, query: Query) -> Self {
        self.queries.push(query);
        self
    }

    /// With several more, each in a colour of its own; beyond the colours there are, dashed.
    pub(super) fn asks_all(mut self, queries: impl IntoIterator<Item = (String, String)>) -> Self {
        for (n, (expr, legend)) in queries.into_iter().enumerate() {
            let color = Color::SERIES[n % Color::SERIES.len()];
            self.queries.push(Query::over_time(expr, &legend).drawn(color, n / Color::SERIES.len() % 2 == 1));
        }
        self
    }

    /// With so many digits after the point.
    pub(super) const fn decimals(mut self, digits: u32) -> Self {
        self.decimals = Some(digits);
        self
    }

    /// Never below zero.
    pub(super) const fn zero_based(mut self) -> Self {
        self.range.0 = Some(0);
        self
    }

    /// Between nothing and everything.
    pub(super) const fn share(mut self) -> Self {
        self.range = (Some(0), Some(1));
        self
    }

    /// Where nothing may be as it should.
    pub(super) const fn or_empty(mut self, words: &'static str) -> Self {
        self.empty = Empty::Fine(words);
        self
    }

    /// Otherwise drawn.
    pub(super) fn drawn(mut self, drawing: Drawing) -> Self {
        self.drawing = drawing;
        self
    }

    /// With words for values.
    pub(super) fn words(mut self, states: &[State]) -> Self {
        self.states = states.to_vec();
        self
    }
}

impl Query {
    /// Of this moment.
    pub(super) const fn now(expr: String) -> Self {
        Self { expr, legend: String::new(), moment: true, exemplars: false, line: None }
    }

    /// Over the time of the dashboard.
    pub(super) fn over_time(expr: String, legend: &str) -> Self {
        Self { expr, legend: legend.to_owned(), moment: false, exemplars: false, line: None }
    }

    /// In this colour.
    pub(super) const fn drawn(mut self, color: Color, dashed: bool) -> Self {
        self.line = Some(Line { color, dashed });
        self
    }

    /// With the traces of single events.
    pub(super) const fn with_exemplars(mut self) -> Self {
        self.exemplars = true;
        self
    }
}
