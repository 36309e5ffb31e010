//! One line of a metrics page, with the place of every part. What is only odd is told and read all the same; what is no
//! line of the format says why.

use std::borrow::Cow;

use super::Form;
use crate::yaml::Range;

/// What a line is.
#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a> {
    /// Nothing, or a comment.
    Blank,
    /// `# EOF`, the end of an OpenMetrics page.
    End,
    /// `# HELP`, `# TYPE` or `# UNIT`.
    Meta(Meta<'a>),
    /// A series and its value.
    Sample(Raw<'a>),
    /// None of the format.
    Unread(Flaw),
}

/// What a page says of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta<'a> {
    /// Which of the three.
    pub says: Says,
    /// The family.
    pub name: &'a str,
    /// Its name's place.
    pub name_at: Range,
    /// The rest of the line.
    pub text: &'a str,
    /// The place of the rest.
    pub text_at: Range,
    /// What Prometheus would not take.
    pub flaw: Option<Flaw>,
}

/// Which word stands behind `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// `HELP`.
    Help,
    /// `TYPE`.
    Type,
    /// `UNIT`, of OpenMetrics only.
    Unit,
}

/// A sample as it stands there.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw<'a> {
    /// Its name.
    pub name: &'a str,
    /// The name's place.
    pub name_at: Range,
    /// Its labels, in the order of the page.
    pub labels: Vec<RawLabel<'a>>,
    /// Its value.
    pub value: f64,
    /// The value's place.
    pub value_at: Range,
    /// When it was measured, when the page says so: in milliseconds, or in seconds on a page of OpenMetrics.
    pub timestamp: Option<f64>,
    /// What OpenMetrics puts behind a bucket or a counter.
    pub exemplar: Option<Exemplar<'a>>,
    /// What Prometheus would not take.
    pub flaw: Option<Flaw>,
}

/// A label of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLabel<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its value, without escapes.
    pub value: Cow<'a, str>,
    /// The place of both.
    pub at: Range,
}

/// One event behind a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar<'a> {
    /// Its labels, such as the id of its trace.
    pub labels: Vec<RawLabel<'a>>,
    /// Its value.
    pub value: f64,
    /// Its place.
    pub at: Range,
}

/// Why a line, or a part of it, is none of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong, as the end of "this line ...".
    pub why: &'static str,
    /// Where.
    pub at: Range,
}

impl<'a> Raw<'a> {
    /// The value of a label; empty when it is absent, as in PromQL.
    pub fn label(&self, key: &str) -> &str {
        self.labels.iter().find(|it| it.key == key).map_or("", |it| &it.value)
    }

    /// Labels that are there: an empty value is an absent label.
    pub fn present(&self) -> impl Iterator<Item = &RawLabel<'a>> {
        self.labels.iter().filter(|it| !it.value.is_empty())
    }
}

/// What a label's value says whose quote is still open at the end of its line.
pub(super) const OPEN: &str = "has a label value that does not end";

/// Reads a line that begins at this byte of its page.
pub fn read(line: &str, start: usize, form: Form) -> Line<'_> {
    let mut cursor = Cursor { text: line.trim_end_matches([' ', '\t', '\r']), at: 0, start };
    cursor.blanks();
    match cursor.rest().as_bytes().first() {
        None => Line::Blank,
        Some(b'#') => comment(cursor, line, form),
        Some(_) => match sample(&mut cursor, form) {
            Ok(raw) => Line::Sample(raw),
            Err(flaw) => Line::Unread(flaw),
        },
    }
}

fn comment<'a>(mut cursor: Cursor<'a>, line: &'a str, form: Form) -> Line<'a> {
    cursor.at += 1;
    // The text format has no end and no units: there both are comments.
    let open = form == Form::OpenMetrics;
    if cursor.rest() == " EOF" {
        return if open { Line::End } else { Line::Blank };
    }
    if !cursor.rest().starts_with([' ', '\t']) {
        return Line::Blank;
    }
    cursor.blanks();
    let says = match cursor.word() {
        "HELP" => Says::Help,
        "TYPE" => Says::Type,
        "UNIT" if open => Says::Unit,
        _ => return Line::Blank,
    };
    // A word with nothing behind it, not even a blank, is a comment too.
    if !open && !line[cursor.at..].starts_with([' ', '\t']) {
        return Line::Blank;
    }
    cursor.blanks();
    let from = cursor.at;
    let name = cursor.word();
    let name_at = cursor.since(from);
    if !is_name(name) {
        return Line::Unread(Flaw { why: "names no metric", at: name_at });
    }
    let behind = cursor.at;
    cursor.blanks();
    let (text, from) = (cursor.rest(), cursor.at);
    cursor.at = cursor.text.len();
    let text_at = cursor.since(from);
    let more = from > behind + 1 || line.trim_end_matches('\r').len() > cursor.text.len();
    let flaw = (says == Says::Type && more)
        .then_some(Flaw { why: "has more blanks around its type than the one before it", at: text_at });
    Line::Meta(Meta { says, name, name_at, text, text_at, flaw })
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

/// `name{key="value",...} value timestamp # {key="value"} value timestamp`.
fn sample<'a>(cursor: &mut Cursor<'a>, form: Form) -> Result<Raw<'a>, Flaw> {
    let from = cursor.at;
    let indent = (from > 0)
        .then(|| Flaw { why: "begins with a blank", at: Range { start: cursor.start, end: cursor.start + from } });
    let name = cursor.take(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':');
    let name_at = cursor.since(from);
    if !is_name(name) {
        let quoted = cursor.rest().starts_with("{\"");
        let why =
            if quoted { "has a quoted name, which only Prometheus 3 reads" } else { "begins with no metric name" };
        return Err(cursor.flaw(why, from));
    }
    let mut flaw = indent;
    cursor.blanks();
    let labels = if cursor.eats('{') { labels(cursor, form, &mut flaw)? } else { Vec::new() };
    if let Some(it) = labels.iter().find(|it| it.key == "__name__") {
        flaw = flaw.or(Some(Flaw { why: "gives its name twice", at: it.at }));
    }
    cursor.blanks();
    let (value, value_at) = number(cursor)?;
    cursor.blanks();
    let mut timestamp = None;
    if !cursor.rest().is_empty() && !cursor.rest().starts_with('#') {
        match timestamp_of(cursor, form) {
            Ok(it) => timestamp = Some(it),
            Err(why) => flaw = flaw.or(Some(why)),
        }
        cursor.blanks();
    }
    let from = cursor.at;
    let mut exemplar = None;
    if cursor.eats('#') {
        match exemplar_of(cursor, from) {
            Ok(_) if form == Form::Text => {
                flaw = flaw.or(Some(Flaw { why: NO_EXEMPLARS, at: cursor.since(from) }));
            }
            Ok(it) => exemplar = Some(it),
            Err(why) => flaw = flaw.or(Some(why)),
        }
    }
    if !cursor.rest().is_empty() && flaw.is_none() {
        flaw = Some(cursor.flaw("goes on where it should end", cursor.at));
    }
    Ok(Raw { name, name_at, labels, value, value_at, timestamp, exemplar, flaw })
}

/// What a page in the text format must not have.
pub const NO_EXEMPLARS: &str = "has an exemplar, which only OpenMetrics has";

/// Digits in the text format, a number in OpenMetrics.
fn timestamp_of(cursor: &mut Cursor<'_>, form: Form) -> Result<f64, Flaw> {
    let from = cursor.at;
    let word = cursor.word();
    let at = cursor.since(from);
    let Some(number) = word.parse::<f64>().ok().filter(|it| it.is_finite()) else {
        return Err(cursor.flaw("has something behind its value that is no timestamp", from));
    };
    let whole = word.bytes().all(|b| b.is_ascii_digit()) && word.parse::<i64>().is_ok();
    if form == Form::Text && !whole {
        return Err(Flaw { why: "has a timestamp that is no whole number of milliseconds", at });
    }
    Ok(number)
}

fn exemplar_of<'a>(cursor: &mut Cursor<'a>, from: usize) -> Result<Exemplar<'a>, Flaw> {
    cursor.blanks();
    if !cursor.eats('{') {
        return Err(cursor.flaw("has a `#` that begins no exemplar", from));
    }
    let mut flaw = None;
    let labels = labels(cursor, Form::OpenMetrics, &mut flaw)?;
    cursor.blanks();
    let (value, _) = number(cursor)?;
    cursor.blanks();
    let at = cursor.at;
    if !cursor.rest().is_empty() && cursor.word().parse::<f64>().is_err() {
        flaw = flaw.or(Some(cursor.flaw("has an exemplar with a timestamp that is no number", at)));
    }
    match flaw {
        Some(flaw) => Err(flaw),
        None => Ok(Exemplar { labels, value, at: cursor.since(from) }),
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<(f64, Range), Flaw> {
    let from = cursor.at;
    let word = cursor.word();
    let at = cursor.since(from);
    match word.parse::<f64>() {
        // Beyond its range a number becomes infinite here; Prometheus refuses it, and a NaN with a sign.
        Ok(value) if value.is_infinite() && !word.to_ascii_lowercase().contains("inf") => {
            Err(Flaw { why: "has a value that is too large for a number", at })
        }
        Ok(value) if !value.is_nan() || word.starts_with(['n', 'N']) => Ok((value, at)),
        _ if word.is_empty() => Err(cursor.flaw("has no value", 0)),
        _ => Err(Flaw { why: "has a value that is no number", at }),
    }
}

/// The labels up to the closing brace.
fn labels<'a>(cursor: &mut Cursor<'a>, form: Form, flaw: &mut Option<Flaw>) -> Result<Vec<RawLabel<'a>>, Flaw> {
    let mut all: Vec<RawLabel<'a>> = Vec::new();
    let mut odd = |why, at| *flaw = flaw.or(Some(Flaw { why, at }));
    let mut comma = true;
    loop {
        cursor.blanks();
        let from = cursor.at;
        if cursor.eats('}') {
            return Ok(all);
        }
        if cursor.eats(',') {
            if comma {
                odd("has a comma without a label", cursor.since(from));
            }
            comma = true;
            continue;
        }
        let key = cursor.take(|b| b.is_ascii_alphanumeric() || b == b'_');
        if key.is_empty() {
            let quoted = cursor.rest().starts_with('"');
            let why =
                if quoted { "has a quoted label, which only Prometheus 3 reads" } else { "has labels that do not end" };
            return Err(cursor.flaw(why, from));
        }
        cursor.blanks();
        let equals = cursor.eats('=');
        cursor.blanks();
        if !equals || !cursor.eats('"') {
            return Err(cursor.flaw("has a label without a value in quotes", from));
        }
        let Some(value) = quoted(cursor) else { return Err(cursor.flaw(OPEN, from)) };
        let at = cursor.since(from);
        // Of the text format Prometheus reads labels without commas too.
        if !comma && form == Form::OpenMetrics {
            odd("lacks a comma between two labels", at);
        }
        if key.starts_with(|c: char| c.is_ascii_digit()) {
            odd("has a label whose name begins with a digit", at);
        }
        if all.iter().any(|it| it.key == key) {
            odd("has a label twice", at);
        }
        all.push(RawLabel { key, value, at });
        comma = false;
    }
}

/// A label's value up to its closing quote.
fn quoted<'a>(cursor: &mut Cursor<'a>) -> Option<Cow<'a, str>> {
    let rest = cursor.rest();
    let plain = rest.find(['"', '\\'])?;
    if rest[plain..].starts_with('"') {
        cursor.at += plain + 1;
        return Some(Cow::Borrowed(&rest[..plain]));
    }
    let mut value = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                cursor.at += at + 1;
                return Some(Cow::Owned(value));
            }
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

/// A place in a line.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// Where the line begins in its page.
    start: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn take(&mut self, fits: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.bytes().position(|b| !fits(b)).unwrap_or(rest.len());
        // What is taken is made of ASCII, or ends before a blank, so this is never inside a character.
        self.at += end;
        &rest[..end]
    }

    fn blanks(&mut self) {
        self.take(|b| b == b' ' || b == b'\t');
    }

    fn word(&mut self) -> &'a str {
        self.take(|b| b != b' ' && b != b'\t')
    }

    fn eats(&mut self, c: char) -> bool {
        let there = self.rest().starts_with(c);
        self.at += if there { c.len_utf8() } else { 0 };
        there
    }

    fn since(&self, from: usize) -> Range {
        Range { start: self.start + from, end: self.start + self.at }
    }

    /// A flaw from there to the end of the line.
    fn flaw(&self, why: &'static str, from: usize) -> Flaw {
        Flaw { why, at: Range { start: self.start + from, end: self.start + self.text.len() } }
    }
}
