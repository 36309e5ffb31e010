//! What a relay does to what it carries.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What a relay does. As text: `pass`, `cut`, `hang`, `delay=50ms`, `slow=1000` (bytes a second).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Carries everything.
    #[default]
    Pass,
    /// As a crash: every connection is reset, and new ones are refused.
    Cut,
    /// As a network that loses everything: connections are taken and stay open, and nothing comes through.
    Hang,
    /// Everything comes this much later, in each direction: an answer takes twice as long.
    Delay(Duration),
    /// No more than this many bytes a second, in each direction of each connection.
    Slow(u32),
}

/// A text that is no [`Mode`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMode(String);

impl fmt::Display for UnknownMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no mode `{}`; there are: pass, cut, hang, delay=50ms, slow=1000 (bytes a second)", self.0)
    }
}

impl std::error::Error for UnknownMode {}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Cut => f.write_str("cut"),
            Self::Hang => f.write_str("hang"),
            Self::Delay(time) => write!(f, "delay={}ms", time.as_millis()),
            Self::Slow(bytes) => write!(f, "slow={bytes}"),
        }
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        let mode = match text.split_once('=').unwrap_or((text, "")) {
            ("pass", "") => Some(Self::Pass),
            ("cut", "") => Some(Self::Cut),
            ("hang", "") => Some(Self::Hang),
            ("delay", time) => duration(time).map(Self::Delay),
            // At nothing a second it would be `hang`.
            ("slow", bytes) => bytes.parse().ok().filter(|it| *it > 0).map(Self::Slow),
            _ => None,
        };
        mode.ok_or_else(|| UnknownMode(text.to_owned()))
    }
}

/// A whole number of `ms` or `s`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u32 = digits.parse().ok()?;
    match &text[digits.len()..] {
        "ms" => Some(Duration::from_millis(number.into())),
        "s" => Some(Duration::from_secs(number.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_they_are_written() {
        for text in ["pass", "cut", "hang", "delay=50ms", "slow=1000"] {
            assert_eq!(text.parse::<Mode>().unwrap().to_string(), text);
        }
        assert_eq!("delay=2s".parse(), Ok(Mode::Delay(Duration::from_secs(2))));
        for text in ["", "meteor", "cut=1", "delay", "delay=50", "delay=-1s", "delay=1h", "slow=0", "slow=fast"] {
            let error = text.parse::<Mode>().unwrap_err().to_string();
            assert!(error.contains("delay=50ms"), "{error}");
        }
    }
}
