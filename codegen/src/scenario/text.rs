//! The short form of a scenario: steps in plain words.

use super::{Step, Traffic, What};
use crate::model::{Decimal, Duration};
use crate::spec::check::{help, printable};
use crate::yaml::Range;

/// Every form of a step, with an example that says it.
pub const FORMS: &[(&str, &str)] = &[
    ("100% for 20m", "so many events are bad"),
    ("ramp 0% to 10% over 1h", "more and more, or fewer"),
    ("flapping 100% for 2m every 10m over 3h", "again and again"),
    ("daily 0% to 0.5% for 3d", "least at the beginning, most half a day later"),
    ("no traffic for 1h", "series that count nothing"),
    ("no data for 15m", "nothing can be scraped"),
    ("healthy for 10m", "nothing is wrong"),
    ("deploy", "every counter begins at zero again"),
];

const RATES: &str = "traffic looks like: 50/s | 30/h | daily 10/s to 100/s";

/// Words with which steps begin, for suggestions.
const BEGINNINGS: &[&str] = &["ramp", "flapping", "daily", "no", "healthy", "deploy"];

/// What is wrong in a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) range: Range,
    pub(super) message: String,
    pub(super) help: String,
}

/// A word and its place.
type Word<'a> = (&'a str, Range);

/// Longer than any compliance window; more would only take time.
const LONGEST: Duration = Duration::from_mins(120 * 24 * 60);

/// Reads steps, which stand behind each other with `then` or a comma between them. Every step that is wrong is told.
pub(super) fn steps(text: &str) -> Result<Vec<Step>, Vec<Flaw>> {
    let words = words(text);
    let (mut steps, mut flaws) = (Vec::new(), Vec::new());
    for part in words.split(|(word, _)| matches!(*word, "then" | "," | "and")) {
        let mut rest = Rest { words: part, at: 0, end: end_of(part, &words) };
        match rest.step().and_then(|step| rest.nothing_more().map(|()| step)) {
            Ok(step) => steps.push(step),
            Err(flaw) => flaws.push(flaw),
        }
    }
    if flaws.is_empty() { Ok(steps) } else { Err(flaws) }
}

/// `50/s`, `30/h`, `daily 10/s to 100/s`.
pub(super) fn traffic(text: &str) -> Result<Traffic, Flaw> {
    let words = words(text);
    let mut rest = Rest { words: &words, at: 0, end: end_of(&words, &words) };
    let daily = rest.take("daily");
    let low = rest.rate()?;
    let high = if daily {
        rest.expect(&["to"])?;
        rest.rate()?
    } else {
        low
    };
    if let Some(more) = rest.next() {
        return rest.flaw(Some(more), "the end", format!("{RATES}; a rate that changes begins with `daily`"));
    }
    Ok(Traffic { per_second: (low, high), whole: true })
}

/// A percentage as a share.
pub(super) fn share(text: &str) -> Option<f64> {
    let number: Decimal = text.strip_suffix('%')?.parse().ok()?;
    let share = number.shift_left(2).to_f64();
    (share <= 1.0).then_some(share)
}

fn words(text: &str) -> Vec<Word<'_>> {
    let (mut all, mut start) = (Vec::new(), None);
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_whitespace() || matches!(c, ',' | ';') {
            if let Some(from) = start.take() {
                all.push((&text[from..at], Range { start: from, end: at }));
            }
            if !c.is_whitespace() {
                all.push((",", Range { start: at, end: at + c.len_utf8() }));
            }
        } else if start.is_none() {
            start = Some(at);
        }
    }
    all
}

/// Where a missing word would stand: on the last of its step, or of all of them.
fn end_of(part: &[Word<'_>], all: &[Word<'_>]) -> Range {
    part.last().or(all.last()).map_or(Range::default(), |it| it.1)
}

fn forms() -> String {
    let all: Vec<&str> = FORMS.iter().map(|(form, _)| *form).collect();
    format!("steps look like: {}", all.join(" | "))
}

struct Rest<'a> {
    words: &'a [Word<'a>],
    at: usize,
    end: Range,
}

impl<'a> Rest<'a> {
    fn next(&mut self) -> Option<Word<'a>> {
        let word = self.words.get(self.at).copied();
        self.at += 1;
        word
    }

    fn flaw<T>(&self, word: Option<Word<'_>>, wanted: &str, help: String) -> Result<T, Flaw> {
        let message = match word {
            Some((found, _)) => format!("`{}` stands where {wanted} belongs", printable(found)),
            None => format!("here {wanted} is missing"),
        };
        Err(Flaw { range: word.map_or(self.end, |it| it.1), message, help })
    }

    /// Steps over a word if it is there.
    fn take(&mut self, word: &str) -> bool {
        let there = self.words.get(self.at).is_some_and(|it| it.0 == word);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, any: &[&str]) -> Result<(), Flaw> {
        let word = self.next();
        if word.is_some_and(|it| any.contains(&it.0)) {
            return Ok(());
        }
        self.flaw(word, &format!("`{}`", any.join("` or `")), forms())
    }

    fn step(&mut self) -> Result<Step, Flaw> {
        let word = self.next();
        let Some((first, range)) = word else { return self.flaw(None, "a step", forms()) };
        let what = match first {
            "deploy" => return Ok(Step { what: What::Deploy, length: Duration::ZERO }),
            "healthy" => What::Healthy,
            "no" => match self.next() {
                Some(("traffic", _)) => What::NoTraffic,
                Some(("data", _)) => What::NoData,
                other => return self.flaw(other, "`traffic` or `data`", forms()),
            },
            "ramp" => {
                let from = self.share()?;
                self.expect(&["to"])?;
                What::Ramp(from, self.share()?)
            }
            "daily" => {
                let low = self.share()?;
                self.expect(&["to"])?;
                What::Daily(low, self.share()?)
            }
            "flapping" => self.flapping()?,
            text => match share(text) {
                Some(share) => What::Errors(share),
                None if text.ends_with('%') => {
                    return self.flaw(word, "a percentage from 0% to 100%", forms());
                }
                None => {
                    let near = help(text, BEGINNINGS);
                    let message = format!("no step begins with `{}`", printable(text));
                    return Err(Flaw { range, message, help: format!("{near}, or a percentage; {}", forms()) });
                }
            },
        };
        self.take("errors");
        self.expect(&["for", "over"])?;
        Ok(Step { what, length: self.duration()? })
    }

    fn flapping(&mut self) -> Result<What, Flaw> {
        let ratio = self.share()?;
        self.expect(&["for"])?;
        let bad = self.duration()?;
        self.expect(&["every"])?;
        let word = self.words.get(self.at).copied();
        let every = self.duration()?;
        if every <= bad {
            return self.flaw(word, "a time that is longer than the bad one", forms());
        }
        Ok(What::Flapping { ratio, bad, every })
    }

    fn share(&mut self) -> Result<f64, Flaw> {
        let word = self.next();
        match word.and_then(|it| share(it.0)) {
            Some(share) => Ok(share),
            None => self.flaw(word, "a percentage from 0% to 100%", forms()),
        }
    }

    fn duration(&mut self) -> Result<Duration, Flaw> {
        let word = self.next();
        match word.and_then(|it| it.0.parse::<Duration>().ok()).filter(|it| *it <= LONGEST) {
            Some(duration) => Ok(duration),
            None => self.flaw(
                word,
                "a duration of at most 120d",
                "a duration is a number and a unit: 90s, 20m, 6h, 1d12h".to_owned(),
            ),
        }
    }

    fn rate(&mut self) -> Result<f64, Flaw> {
        let word = self.next();
        let per = word.and_then(|(text, _)| text.split_once('/')).and_then(|(number, unit)| {
            let seconds = match unit {
                "s" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3_600.0,
                "d" => 86_400.0,
                _ => return None,
            };
            Some(number.parse::<Decimal>().ok()?.to_f64() / seconds)
        });
        match per.filter(|it| *it <= 1e9) {
            Some(per) => Ok(per),
            None => self.flaw(word, "a rate of events", RATES.to_owned()),
        }
    }

    fn nothing_more(&mut self) -> Result<(), Flaw> {
        match self.next() {
            None => Ok(()),
            more => self.flaw(more, "`then`, a comma or the end", forms()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        for (form, _) in FORMS {
            assert_eq!(steps(form).map(|it| it.len()), Ok(1), "{form}");
        }
        let all = steps("1.5% errors for 6h, healthy for 10m then deploy then ramp 10% to 0% over 1h").unwrap();
        let minutes = Duration::from_mins;
        assert_eq!(
            all,
            [
                Step { what: What::Errors(0.015), length: minutes(360) },
                Step { what: What::Healthy, length: minutes(10) },
                Step { what: What::Deploy, length: Duration::ZERO },
                Step { what: What::Ramp(0.1, 0.0), length: minutes(60) },
            ]
        );
        assert_eq!(traffic("30/h").unwrap().per_second, (30.0 / 3_600.0, 30.0 / 3_600.0));
        assert_eq!(traffic("daily 10/s to 100/s").unwrap().per_second, (10.0, 100.0));
    }

    #[test]
    fn every_flaw_has_its_place() {
        for (text, at) in [
            ("", ""),
            ("100%", "100%"),
            ("100 for 20m", "100"),
            ("101% for 20m", "101%"),
            ("100% for 20", "20"),
            ("100% for 20m now", "now"),
            ("flaping 100% for 2m every 10m over 3h", "flaping"),
            ("flapping 100% for 10m every 2m over 3h", "2m"),
            ("no money for 1h", "money"),
            ("healthy for 10m then", "then"),
            ("ramp 0% 10% over 1h", "10%"),
            ("5% for 500d", "500d"),
        ] {
            let flaws = steps(text).unwrap_err();
            assert_eq!(&text[flaws[0].range.start..flaws[0].range.end], at, "{text}: {flaws:?}");
        }
        assert_eq!(steps("x, 100% for 1h, y").unwrap_err().len(), 2, "all at once");
        assert!(steps("flaping 1% for 2m every 10m over 3h").unwrap_err()[0].help.contains("`flapping`"));
        for text in ["", "30", "30/x", "daily 1/s", "1/s to 2/s", "-1/s", "1e9/s"] {
            assert!(traffic(text).is_err(), "{text}");
        }
    }
}
