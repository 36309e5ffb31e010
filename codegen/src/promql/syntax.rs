//! The grammar of PromQL over placed words: the tree of what is written, or the first word that cannot stand where it does.
//!
//! It accepts a little more than PromQL, never less: the parser has the last word on what is refused.

use super::lexer::{Kind, Token, error};
use super::tree::{Labels, Match, Part, Tree};
use super::{PromqlError, functions};
use crate::model::Duration;
use crate::spec::check::nearest;
use crate::yaml::Range;

/// The tree of an expression, or the first word that cannot stand where it does.
pub(super) fn read(text: &str, tokens: &[Token]) -> Result<Tree, PromqlError> {
    let mut reader = Reader { text, tokens, next: 0 };
    let tree = reader.expression(0)?;
    reader.end()?;
    Ok(tree)
}

/// Binary operators, and how tightly they bind.
const OPERATORS: &[(&str, u8)] = &[
    ("or", 1),
    ("and", 2),
    ("unless", 2),
    ("==", 3),
    ("!=", 3),
    (">=", 3),
    ("<=", 3),
    (">", 3),
    ("<", 3),
    ("+", 4),
    ("-", 4),
    ("*", 5),
    ("/", 5),
    ("%", 5),
    ("atan2", 5),
    ("^", 6),
];

/// Words that can stand behind an operand or an operator.
const KEYWORDS: &[&str] =
    &["and", "or", "unless", "atan2", "by", "without", "bool", "on", "ignoring", "group_left", "group_right", "offset"];

const MODIFIERS: &[&str] = &["bool", "on", "ignoring", "group_left", "group_right"];

type Read<T = ()> = Result<T, PromqlError>;

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    next: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<(Kind, &'a str)> {
        self.tokens.get(self.next).map(|it| (it.kind, it.text(self.text)))
    }

    /// Where the next word begins.
    fn start(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |it| it.start)
    }

    /// From a place to the end of the last word that was taken.
    fn since(&self, start: usize) -> Range {
        let end = self.next.checked_sub(1).and_then(|it| self.tokens.get(it)).map_or(start, |it| it.end);
        Range { start, end: end.max(start) }
    }

    /// The place of the next word.
    fn word(&self) -> Range {
        self.tokens.get(self.next).map_or(Range::default(), |it| Range { start: it.start, end: it.end })
    }

    /// Takes the next word when it is this one. Keywords are not case-sensitive.
    fn take(&mut self, word: &str) -> bool {
        let is = self.peek().is_some_and(|(kind, it)| kind != Kind::String && it.eq_ignore_ascii_case(word));
        self.next += usize::from(is);
        is
    }

    fn take_kind(&mut self, kinds: &[Kind]) -> bool {
        let is = self.peek().is_some_and(|(kind, _)| kinds.contains(&kind));
        self.next += usize::from(is);
        is
    }

    fn misplaced<T>(&self, wanted: &str) -> Result<T, PromqlError> {
        let help = "try the expression in Prometheus with a range such as [5m] for $window";
        if let Some(it) = self.tokens.get(self.next) {
            let word = it.text(self.text);
            let near =
                nearest(&word.to_ascii_lowercase(), KEYWORDS).filter(|near| it.kind == Kind::Name && *near != word);
            let help = near.map_or_else(|| help.to_owned(), |near| format!("did you mean `{near}`?"));
            return Err(error(format!("{wanted} belongs here, not `{word}`"), help, it.start, it.end));
        }
        // The caret stands under the last word: what follows it may be the end of the file.
        let (start, end) = self.tokens.last().map_or((0, self.text.len()), |it| (it.start, it.end));
        Err(error(format!("the expression ends here, but {wanted} must follow"), help, start, end))
    }

    fn want(&mut self, word: &str, wanted: &str) -> Read {
        if self.take(word) { Ok(()) } else { self.misplaced(wanted) }
    }

    fn end(&self) -> Read {
        if self.next < self.tokens.len() { self.misplaced("an operator") } else { Ok(()) }
    }

    fn expression(&mut self, above: u8) -> Read<Tree> {
        let (start, head) = (self.start(), self.word());
        let mut tree = if self.take("-") || self.take("+") {
            let negative = &self.text[head.start..head.end] == "-";
            let of = self.expression(5)?;
            if negative { Tree { part: Part::Signed(Box::new(of)), range: self.since(start), head } } else { of }
        } else {
            self.operand()?
        };
        while let Some(binds) = self.operator().filter(|binds| *binds > above) {
            let head = self.word();
            let sign = self.text[head.start..head.end].to_ascii_lowercase();
            self.next += 1;
            let (mut bool, mut matching, mut group) = (false, None, None);
            while let Some(modifier) =
                MODIFIERS.iter().find(|it| self.peek().is_some_and(|(_, word)| word.eq_ignore_ascii_case(it)))
            {
                let at = self.start();
                self.next += 1;
                let brackets = self.peek().is_some_and(|(_, it)| it == "(");
                let labels = brackets && *modifier != "bool" && !self.is_operand_in_brackets(modifier);
                let names = if labels { self.labels()? } else { Vec::new() };
                let labels = Labels { keyword: (*modifier).to_owned(), names, range: self.since(at) };
                match *modifier {
                    "bool" => bool = true,
                    "on" | "ignoring" => matching = Some(labels),
                    _ => group = Some(labels),
                }
            }
            // Powers are read from the right.
            let right = self.expression(if binds == 6 { 5 } else { binds })?;
            let part = Part::Binary { sign, bool, matching, group, sides: Box::new([tree, right]) };
            tree = Tree { part, range: self.since(start), head };
        }
        Ok(tree)
    }

    fn operator(&self) -> Option<u8> {
        let (_, word) = self.peek().filter(|(kind, _)| matches!(kind, Kind::Sign | Kind::Name))?;
        OPERATORS.iter().find(|(it, _)| it.eq_ignore_ascii_case(word)).map(|(_, binds)| *binds)
    }

    /// `group_left (a + b)`: brackets after a grouping without labels hold the operand.
    fn is_operand_in_brackets(&self, modifier: &str) -> bool {
        let inner = self.tokens[self.next + 1..].iter().map(|it| it.text(self.text)).take_while(|it| *it != ")");
        modifier.starts_with("group")
            && !inner.enumerate().all(|(n, it)| if n % 2 == 0 { is_label(it) } else { it == "," })
    }

    fn operand(&mut self) -> Read<Tree> {
        let (start, head) = (self.start(), self.word());
        let part = match self.peek() {
            Some((Kind::Number, word)) => {
                self.next += 1;
                Part::Number(number(word))
            }
            Some((Kind::String, word)) => {
                self.next += 1;
                Part::Text(unquoted(word))
            }
            Some((Kind::Open, "(")) => {
                self.next += 1;
                let of = self.expression(0)?;
                self.want(")", "an operator or `)`")?;
                Part::Brackets(Box::new(of))
            }
            Some((Kind::Open, "{")) => self.selector(String::new())?,
            Some((Kind::Name, name)) if self.is_call(name) => self.call(name)?,
            Some((Kind::Name, "Inf" | "inf" | "NaN" | "nan")) => {
                self.next += 1;
                Part::Number(number(&self.text[head.start..head.end]))
            }
            Some((Kind::Name, name)) if !OPERATORS.iter().any(|(it, _)| it.eq_ignore_ascii_case(name)) => {
                self.next += 1;
                self.selector(name.to_owned())?
            }
            _ => return self.misplaced("a metric, a function or a number"),
        };
        self.suffixes(Tree { part, range: self.since(start), head })
    }

    /// A name before `(`, or an aggregation before its labels.
    fn is_call(&self, name: &str) -> bool {
        let next = self.tokens.get(self.next + 1).map(|it| it.text(self.text));
        let grouping = next.is_some_and(|it| ["by", "without"].iter().any(|word| it.eq_ignore_ascii_case(word)));
        next == Some("(") || (grouping && functions::is_aggregation(name))
    }

    fn call(&mut self, name: &str) -> Read<Part> {
        self.next += 1;
        let mut grouping = self.grouping()?;
        self.want("(", "`(`")?;
        let mut args = Vec::new();
        while !self.take(")") {
            args.push(self.expression(0)?);
            if self.peek().is_none_or(|(_, it)| it != ")") {
                self.want(",", "an operator, `,` or `)`")?;
            }
        }
        if !functions::is_aggregation(name) {
            return Ok(Part::Call { name: name.to_owned(), args });
        }
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        Ok(Part::Aggregation { name: name.to_ascii_lowercase(), grouping, args })
    }

    fn grouping(&mut self) -> Read<Option<Labels>> {
        let at = self.start();
        let Some(keyword) = ["by", "without"].into_iter().find(|it| self.take(it)) else { return Ok(None) };
        let names = self.labels()?;
        Ok(Some(Labels { keyword: keyword.to_owned(), names, range: self.since(at) }))
    }

    fn labels(&mut self) -> Read<Vec<(String, Range)>> {
        self.want("(", "`(` and label names")?;
        let mut names = Vec::new();
        while !self.take(")") {
            let (at, word) = (self.word(), self.peek().map_or("", |(_, it)| it));
            if !self.take_kind(&[Kind::Name, Kind::String]) {
                return self.misplaced("a label name");
            }
            names.push((unquoted(word), at));
            if self.peek().is_none_or(|(_, it)| it != ")") {
                self.want(",", "`,` or `)`")?;
            }
        }
        Ok(names)
    }

    /// The braces behind a metric, if there are any.
    fn selector(&mut self, mut metric: String) -> Read<Part> {
        let at = self.start();
        if self.peek() != Some((Kind::Open, "{")) {
            return Ok(Part::Selector { metric, matchers: Vec::new(), braces: None });
        }
        self.next += 1;
        let mut matchers = Vec::new();
        while !self.take("}") {
            let (start, label) = (self.start(), self.peek().map_or("", |(_, it)| it));
            let quoted = self.peek().is_some_and(|(kind, _)| kind == Kind::String);
            if !self.take_kind(&[Kind::Name, Kind::String]) {
                return self.misplaced("a label name");
            }
            // Prometheus 3: a name in quotes is the metric's.
            if quoted && self.peek().is_none_or(|(_, it)| it == "," || it == "}") {
                metric = unquoted(label);
            } else {
                let sign_at = self.word();
                let Some(sign) = ["=", "!=", "=~", "!~"].into_iter().find(|it| self.take(it)) else {
                    return self.misplaced("one of = != =~ !~");
                };
                let (value_at, value) = (self.word(), self.peek().map_or("", |(_, it)| it));
                if !self.take_kind(&[Kind::String]) {
                    return self.misplaced("a value in quotes");
                }
                let (label, sign, value) = (unquoted(label), sign.to_owned(), unquoted(value));
                if label == "__name__" && sign == "=" && metric.is_empty() {
                    metric = value;
                } else {
                    matchers.push(Match { label, sign, value, range: self.since(start), sign_at, value_at });
                }
            }
            if self.peek().is_none_or(|(_, it)| it != "}") {
                self.want(",", "`,` or `}`")?;
            }
        }
        Ok(Part::Selector { metric, matchers, braces: Some(self.since(at)) })
    }

    /// Ranges, subqueries, `offset` and `@`.
    fn suffixes(&mut self, mut tree: Tree) -> Read<Tree> {
        let kinds = [Kind::Duration, Kind::Number, Kind::Window];
        let start = tree.range.start;
        loop {
            let head = self.word();
            if self.take("[") {
                let length = self.peek().map_or("", |(_, it)| it);
                if !self.take_kind(&kinds) {
                    return self.misplaced("`$window`");
                }
                let mut step = None;
                if self.take(":") {
                    let word = self.peek().map_or("", |(_, it)| it);
                    step = Some(if self.take_kind(&kinds) { seconds(word) } else { None });
                }
                self.want("]", "`]`")?;
                let (of, brackets) = (Box::new(tree), self.since(head.start));
                let part = Part::Ranged { of, length: seconds(length), step, brackets };
                tree = Tree { part, range: self.since(start), head };
                continue;
            }
            if self.take("offset") {
                self.take("-");
                if !self.take_kind(&kinds) {
                    return self.misplaced("a duration");
                }
            } else if self.take("@") {
                self.take("-");
                if self.take("start") || self.take("end") {
                    self.want("(", "`(`")?;
                    self.want(")", "`)`")?;
                } else if !self.take_kind(&[Kind::Number]) {
                    return self.misplaced("a time in seconds");
                }
            } else {
                return Ok(tree);
            }
            tree = Tree { part: Part::Shifted(Box::new(tree)), range: self.since(start), head };
        }
    }
}

fn is_label(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn number(word: &str) -> f64 {
    let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    match hex.and_then(|it| u32::from_str_radix(it, 16).ok()) {
        Some(it) => f64::from(it),
        None => word.parse().unwrap_or(f64::NAN),
    }
}

/// A duration; `None` for `$window`.
fn seconds(word: &str) -> Option<f64> {
    word.parse::<Duration>().map_or_else(|_| word.parse().ok(), |it| Some(it.secs_f64()))
}

/// The text of a string; of anything else itself.
fn unquoted(word: &str) -> String {
    let Some(quote) = word.chars().next().filter(|it| matches!(it, '"' | '\'' | '`')) else { return word.to_owned() };
    let inner = word.strip_prefix(quote).and_then(|it| it.strip_suffix(quote)).unwrap_or_default();
    if quote == '`' {
        return inner.to_owned();
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('\\', Some(escaped)) => {
                chars.next();
                match escaped {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    // Codes stay as they are written: no check of ours reads them.
                    'x' | 'u' | 'U' | '0'..='7' => out.extend(['\\', escaped]),
                    other => out.push(other),
                }
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::lexer::lex;

    fn misplaced(text: &str) -> Option<(String, usize)> {
        read(text, &lex(text).unwrap()).err().map(|it| (text[it.start..it.end].to_owned(), it.start))
    }

    #[test]
    fn the_first_word_out_of_place_is_found() {
        for (text, word, start) in [
            ("rate(x[$window]) + * 2", "*", 19),
            ("rate(x[$window]) +", "+", 17),
            ("sum by job (rate(x[$window]))", "job", 7),
            ("sum by (job) rate(x[$window])", "rate", 13),
            ("rate(x{a=b}[$window])", "b", 9),
            ("rate(x{a}[$window])", "}", 8),
            ("rate(x[window])", "window", 7),
            ("rate(x[$window] y)", "y", 16),
            ("a b", "b", 2),
            ("and b", "and", 0),
        ] {
            assert_eq!(misplaced(text), Some((word.to_owned(), start)), "{text}");
        }
    }

    #[test]
    fn what_prometheus_reads_is_never_out_of_place() {
        for text in [
            "a and on (b) c unless ignoring () d",
            "a * on (b) group_left (c, d) e",
            "a * on (b) group_left (c + d)",
            "a == bool -1 ^ 2",
            "sum by (a, b,) (rate(x[$window])) / sum (rate(y[$window])) by (c)",
            "topk(3, x) without (a)",
            "max_over_time(rate(x[$window])[1h:] offset -5m) @ end()",
            "{__name__=~\"a.*\", b!=\"\",}",
            "time() - 1e3 > Inf",
        ] {
            assert_eq!(misplaced(text), None, "{text}");
        }
    }
}
