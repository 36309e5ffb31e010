//! Where an expression that the parser refused stops making sense: the first word that cannot stand there.
//!
//! It accepts a little more than PromQL, never less: it only looks for a place after the parser has refused.

use super::lexer::{Kind, Token, error};
use super::{PromqlError, functions};

/// The first word that cannot stand where it does; `None` when every word could.
pub(super) fn first_misplaced(text: &str, tokens: &[Token]) -> Option<PromqlError> {
    let mut reader = Reader { text, tokens, next: 0 };
    reader.expression(0).and_then(|()| reader.end()).err()
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

const MODIFIERS: &[&str] = &["bool", "on", "ignoring", "group_left", "group_right"];

type Read = Result<(), PromqlError>;

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    next: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<(Kind, &'a str)> {
        self.tokens.get(self.next).map(|it| (it.kind, it.text(self.text)))
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
            let message = format!("{wanted} belongs here, not `{}`", it.text(self.text));
            return Err(error(message, help, it.start, it.end));
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

    fn expression(&mut self, above: u8) -> Read {
        if self.take("-") || self.take("+") {
            self.expression(5)?;
        } else {
            self.operand()?;
        }
        while let Some(binds) = self.operator().filter(|binds| *binds > above) {
            self.next += 1;
            while let Some(modifier) = MODIFIERS.iter().find(|it| self.take(it)) {
                let labels = self.peek().is_some_and(|(_, it)| it == "(");
                if labels && *modifier != "bool" && !self.is_operand_in_brackets(modifier) {
                    self.labels()?;
                }
            }
            self.expression(binds)?;
        }
        Ok(())
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

    fn operand(&mut self) -> Read {
        match self.peek() {
            Some((Kind::Number | Kind::String, _)) => self.next += 1,
            Some((Kind::Open, "(")) => {
                self.next += 1;
                self.expression(0)?;
                self.want(")", "an operator or `)`")?;
            }
            Some((Kind::Open, "{")) => self.matchers()?,
            Some((Kind::Name, name)) if self.is_call(name) => self.call(name)?,
            Some((Kind::Name, name)) if !OPERATORS.iter().any(|(it, _)| it.eq_ignore_ascii_case(name)) => {
                self.next += 1;
                if self.peek() == Some((Kind::Open, "{")) {
                    self.matchers()?;
                }
            }
            _ => return self.misplaced("a metric, a function or a number"),
        }
        self.suffixes()
    }

    /// A name before `(`, or an aggregation before its labels.
    fn is_call(&self, name: &str) -> bool {
        let next = self.tokens.get(self.next + 1).map(|it| it.text(self.text));
        let grouping = next.is_some_and(|it| ["by", "without"].iter().any(|word| it.eq_ignore_ascii_case(word)));
        next == Some("(") || (grouping && functions::is_aggregation(name))
    }

    fn call(&mut self, name: &str) -> Read {
        self.next += 1;
        let grouped = self.grouping()?;
        self.want("(", "`(`")?;
        while !self.take(")") {
            self.expression(0)?;
            if self.peek().is_none_or(|(_, it)| it != ")") {
                self.want(",", "an operator, `,` or `)`")?;
            }
        }
        if functions::is_aggregation(name) && !grouped {
            self.grouping()?;
        }
        Ok(())
    }

    fn grouping(&mut self) -> Result<bool, PromqlError> {
        let is = self.take("by") || self.take("without");
        if is {
            self.labels()?;
        }
        Ok(is)
    }

    fn labels(&mut self) -> Read {
        self.want("(", "`(` and label names")?;
        while !self.take(")") {
            if !self.take_kind(&[Kind::Name]) {
                return self.misplaced("a label name");
            }
            if self.peek().is_none_or(|(_, it)| it != ")") {
                self.want(",", "`,` or `)`")?;
            }
        }
        Ok(())
    }

    fn matchers(&mut self) -> Read {
        self.want("{", "`{`")?;
        while !self.take("}") {
            if !self.take_kind(&[Kind::Name]) {
                return self.misplaced("a label name");
            }
            if !["=", "!=", "=~", "!~"].iter().any(|it| self.take(it)) {
                return self.misplaced("one of = != =~ !~");
            }
            if !self.take_kind(&[Kind::String]) {
                return self.misplaced("a value in quotes");
            }
            if self.peek().is_none_or(|(_, it)| it != "}") {
                self.want(",", "`,` or `}`")?;
            }
        }
        Ok(())
    }

    /// Ranges, subqueries, `offset` and `@`.
    fn suffixes(&mut self) -> Read {
        let length = [Kind::Duration, Kind::Number, Kind::Window];
        loop {
            if self.take("[") {
                if !self.take_kind(&length) {
                    return self.misplaced("`$window`");
                }
                if self.take(":") {
                    self.take_kind(&length);
                }
                self.want("]", "`]`")?;
            } else if self.take("offset") {
                self.take("-");
                if !self.take_kind(&length) {
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
                return Ok(());
            }
        }
    }
}

fn is_label(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::lexer::lex;

    fn misplaced(text: &str) -> Option<(String, usize)> {
        first_misplaced(text, &lex(text).unwrap()).map(|it| (text[it.start..it.end].to_owned(), it.start))
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
