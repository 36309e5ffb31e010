//! Words of an expression with their places: the parser that accepts or refuses gives none.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::PromqlError;

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name: metric, label, function or keyword.
    Name,
    /// A number.
    Number,
    /// A duration such as `1h30m`.
    Duration,
    /// A string, with its quotes.
    String,
    /// `$window`.
    Window,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// An operator, a comma, a colon or `@`.
    Sign,
}

/// A word of an expression: bytes `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// The placeholder for the range that Kilter chooses.
pub const WINDOW: &str = "$window";

/// Words of an expression that are read; a longer or deeper one would exhaust the parser's stack.
const MAX_TOKENS: usize = 2_000;
const MAX_DEPTH: usize = 64;

thread_local! {
    /// The texts that were read last: whoever asks for words of an expression asks several times in a row.
    static RECENT: RefCell<VecDeque<(String, Rc<[Token]>)>> = const { RefCell::new(VecDeque::new()) };
}

/// How many of them.
const MOST_RECENT: usize = 6;

/// All words; comments and blanks are left out. Every bracket among them is closed by its own kind.
pub fn lex(text: &str) -> Result<Rc<[Token]>, PromqlError> {
    RECENT.with_borrow_mut(|recent| {
        if let Some((_, tokens)) = recent.iter().find(|(known, _)| known == text) {
            return Ok(Rc::clone(tokens));
        }
        let tokens: Rc<[Token]> = lex_anew(text)?.into();
        recent.truncate(MOST_RECENT - 1);
        recent.push_front((text.to_owned(), Rc::clone(&tokens)));
        Ok(tokens)
    })
}

fn lex_anew(text: &str) -> Result<Vec<Token>, PromqlError> {
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 4);
    let mut open: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, len) = match c {
            _ if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '(' | '[' | '{' => (Kind::Open, 1),
            ')' | ']' | '}' => (Kind::Close, 1),
            '"' | '\'' | '`' => match string_len(rest, c) {
                Some(len) => (Kind::String, len),
                None => return Err(error("this string is never closed", CLOSE, at, at + 1)),
            },
            '$' => {
                match rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(rest.len(), |it| it + 1) {
                    len if &rest[..len] == WINDOW => (Kind::Window, len),
                    len => {
                        let message = format!("there is no variable `{}`", &rest[..len]);
                        return Err(error(
                            message,
                            "write $window: it stands for the range that Kilter chooses",
                            at,
                            at + len,
                        ));
                    }
                }
            }
            '0'..='9' | '.' => number(rest),
            _ => match (name_len(rest), sign_len(rest)) {
                (0, 0) => {
                    let message = format!("PromQL has no `{}`", c.escape_debug());
                    let help = "remove it, or put it in quotes when it is text";
                    return Err(error(message, help, at, at + c.len_utf8()));
                }
                (0, len) => (Kind::Sign, len),
                (len, _) => (Kind::Name, len),
            },
        };
        // Inside square brackets a colon separates a subquery's durations, elsewhere it is part of a name.
        let (kind, len) = if c == ':' {
            let len = if open.last().is_some_and(|it| it.text(text) == "[") { 1 } else { len };
            (if len == 1 { Kind::Sign } else { kind }, len)
        } else {
            (kind, len)
        };
        let token = Token { kind, start: at, end: at + len };
        brackets(text, token, &mut open)?;
        if tokens.len() == MAX_TOKENS {
            let message = format!("this expression has more than {MAX_TOKENS} words");
            return Err(error(message, "record a part of it under its own name, and name that here", at, at + len));
        }
        tokens.push(token);
        at += len;
    }
    match open.pop() {
        Some(it) => Err(error(format!("this `{}` is never closed", it.text(text)), CLOSE, it.start, it.end)),
        None => Ok(tokens),
    }
}

const CLOSE: &str = "close what is opened, open what is closed";

impl Token {
    /// Its text.
    pub fn text<'a>(&self, of: &'a str) -> &'a str {
        &of[self.start..self.end]
    }
}

pub(super) fn error(message: impl Into<String>, help: impl Into<String>, start: usize, end: usize) -> PromqlError {
    PromqlError { message: message.into(), help: help.into(), start, end }
}

/// Keeps the stack of open brackets.
fn brackets(text: &str, token: Token, open: &mut Vec<Token>) -> Result<(), PromqlError> {
    match token.kind {
        Kind::Open if open.len() == MAX_DEPTH => {
            Err(error("brackets are nested too deeply", "write it flatter", token.start, token.end))
        }
        Kind::Open => {
            open.push(token);
            Ok(())
        }
        Kind::Close => match (open.pop().map(|it| (it, it.text(text))), token.text(text)) {
            (Some((_, "(")), ")") | (Some((_, "[")), "]") | (Some((_, "{")), "}") => Ok(()),
            (None, c) => Err(error(format!("this `{c}` closes nothing"), CLOSE, token.start, token.end)),
            (Some((it, other)), c) => {
                Err(error(format!("this `{other}` is never closed: a `{c}` comes first"), CLOSE, it.start, it.end))
            }
        },
        _ => Ok(()),
    }
}

/// Length of a string with its quotes; `None` when it is never closed.
fn string_len(rest: &str, quote: char) -> Option<usize> {
    let mut chars = rest.bytes().enumerate().skip(1);
    while let Some((at, c)) = chars.next() {
        if char::from(c) == quote {
            return Some(at + 1);
        }
        if c == b'\\' && quote != '`' {
            chars.next();
        }
    }
    None
}

fn name_len(rest: &str) -> usize {
    let inner = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_' || *c == b':';
    match rest.as_bytes() {
        [b'0'..=b'9', ..] => 0,
        bytes => bytes.iter().take_while(|c| inner(c)).count(),
    }
}

/// Length of the operator, comma, colon or `@` that a text begins with; 0 when it begins with none.
fn sign_len(rest: &str) -> usize {
    match rest.as_bytes() {
        [b'=' | b'!', b'=' | b'~', ..] | [b'>' | b'<', b'=', ..] => 2,
        [b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'=' | b'>' | b'<' | b',' | b':' | b'@', ..] => 1,
        _ => 0,
    }
}

/// A number such as `1.5e-3` or `0x1f`, or a duration such as `5m`.
fn number(rest: &str) -> (Kind, usize) {
    let word = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_').unwrap_or(rest.len());
    let exponent = !rest.starts_with("0x") && !rest.starts_with("0X") && rest[..word].ends_with(['e', 'E']);
    let signed = exponent && rest[word..].starts_with(['+', '-']);
    let digits = rest[word..].bytes().skip(1).take_while(u8::is_ascii_digit).count();
    if signed && digits > 0 {
        return (Kind::Number, word + 1 + digits);
    }
    let text = &rest[..word];
    let hex = text.len() > 2 && (text.starts_with("0x") || text.starts_with("0X"));
    let number = hex || text.parse::<f64>().is_ok();
    (if number { Kind::Number } else { Kind::Duration }, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(Kind, &str)> {
        lex(text).unwrap().iter().map(|it| (it.kind, &text[it.start..it.end])).collect()
    }

    #[test]
    fn every_kind_of_word_is_told() {
        use Kind::{Close, Duration, Name, Number, Open, Sign, String, Window};
        let text = "a:b{c=~`x\\`,d!='\\''}[$window] # end (\n>= 1.5e-3[1h:5m]";
        let expected = [
            (Name, "a:b"),
            (Open, "{"),
            (Name, "c"),
            (Sign, "=~"),
            (String, "`x\\`"),
            (Sign, ","),
            (Name, "d"),
            (Sign, "!="),
            (String, "'\\''"),
            (Close, "}"),
            (Open, "["),
            (Window, "$window"),
            (Close, "]"),
            (Sign, ">="),
            (Number, "1.5e-3"),
            (Open, "["),
            (Duration, "1h"),
            (Sign, ":"),
            (Duration, "5m"),
            (Close, "]"),
        ];
        assert_eq!(words(text), expected);
    }

    #[test]
    fn a_variable_ends_where_its_name_does() {
        let text = "[$window:$window]";
        let kinds: Vec<&str> = words(text).into_iter().map(|(_, it)| it).collect();
        assert_eq!(kinds, ["[", "$window", ":", "$window", "]"]);
        assert!(lex("x[$windows]").is_err() && lex("x[$]").is_err());
    }

    #[test]
    fn what_would_exhaust_the_parser_is_refused() {
        for text in ["(".repeat(100_000), "1+".repeat(100_000), "-".repeat(100_000), "sum(".repeat(65)] {
            assert!(lex(&text).is_err());
        }
    }
}
