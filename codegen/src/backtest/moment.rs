//! Moments, as people write them and as they are shown, and nights. Times are whole milliseconds since 1970.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// How far the clock that people read is from UTC. It does not change within the year: an on-call rota in another zone
/// than UTC says which offset it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset(tz::Offset);

impl Default for Offset {
    fn default() -> Self {
        Self(tz::Offset::UTC)
    }
}

impl FromStr for Offset {
    type Err = String;

    /// `+01:00`, `-0530`, `Z` or `UTC`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no offset such as +01:00, -05:30 or UTC");
        if text.eq_ignore_ascii_case("utc") || text.eq_ignore_ascii_case("z") {
            return Ok(Self::default());
        }
        let (sign, rest) = match text.split_at_checked(1) {
            Some(("+", rest)) => (1, rest),
            Some(("-", rest)) => (-1, rest),
            _ => return Err(wrong()),
        };
        let digits: String = rest.chars().filter(|it| *it != ':').collect();
        if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|it| it.is_ascii_digit()) {
            return Err(wrong());
        }
        let part = |range: std::ops::Range<usize>| digits.get(range).and_then(|it| it.parse::<i32>().ok()).unwrap_or(0);
        let (hours, minutes) = (part(0..2), part(2..4));
        if hours > 14 || minutes > 59 {
            return Err(wrong());
        }
        tz::Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.seconds();
        if seconds == 0 {
            return f.write_str("UTC");
        }
        let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl Offset {
    /// A moment as people write it: RFC 3339, or without an offset, which then is this one.
    pub fn read(self, text: &str) -> Option<i64> {
        let text = text.trim();
        if let Ok(it) = text.parse::<Timestamp>() {
            return Some(it.as_millisecond());
        }
        // What has an offset and is no timestamp is not taken for one without.
        let (date, time) = text.split_at_checked(10)?;
        if time.contains(['+', '-', 'Z', 'z', '[']) {
            return None;
        }
        let whole: DateTime = if time.is_empty() { format!("{date}T00:00") } else { text.to_owned() }.parse().ok()?;
        self.0.to_timestamp(whole).ok().map(Timestamp::as_millisecond)
    }

    /// `2026-11-03 09:12:30`.
    pub fn show(self, at: i64) -> String {
        self.civil(at).map_or_else(|| at.to_string(), |it| it.strftime("%Y-%m-%d %H:%M:%S").to_string())
    }

    /// RFC 3339, for programs.
    pub fn rfc3339(self, at: i64) -> String {
        let offset = if self.0.is_zero() { "Z".to_owned() } else { self.to_string() };
        self.civil(at).map_or_else(|| at.to_string(), |it| it.strftime("%Y-%m-%dT%H:%M:%S%.f").to_string() + &offset)
    }

    fn civil(self, at: i64) -> Option<DateTime> {
        Timestamp::from_millisecond(at).ok().map(|it| self.0.to_datetime(it))
    }

    /// Milliseconds since midnight.
    fn of_day(self, at: i64) -> i64 {
        (at + i64::from(self.0.seconds()) * 1_000).rem_euclid(DAY)
    }
}

/// The hours in which nobody wants to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Night {
    from: i64,
    to: i64,
}

impl Default for Night {
    fn default() -> Self {
        Self { from: 22 * 3_600_000, to: 7 * 3_600_000 }
    }
}

impl FromStr for Night {
    type Err = String;

    /// `22:00-07:00`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no night such as 22:00-07:00");
        let time = |text: &str| text.trim().parse::<Time>().ok();
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (time(from).ok_or_else(wrong)?, time(to).ok_or_else(wrong)?);
        let millis = |it: Time| (i64::from(it.hour()) * 3_600 + i64::from(it.minute()) * 60) * 1_000;
        if from == to { Err(wrong()) } else { Ok(Self { from: millis(from), to: millis(to) }) }
    }
}

impl fmt::Display for Night {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |it: i64| (it / 3_600_000, it / 60_000 % 60);
        let ((h, m), (to_h, to_m)) = (part(self.from), part(self.to));
        write!(f, "{h:02}:{m:02}-{to_h:02}:{to_m:02}")
    }
}

impl Night {
    /// Whether a moment falls into it.
    pub fn holds(self, at: i64, offset: Offset) -> bool {
        let time = offset.of_day(at);
        if self.from < self.to { (self.from..self.to).contains(&time) } else { time >= self.from || time < self.to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let east: Offset = "+01:00".parse().unwrap();
        let at = Offset::default().read("2026-11-03T09:12:00Z").unwrap();
        for text in ["2026-11-03T10:12:00+01:00", "2026-11-03 10:12", "2026-11-03T10:12:00", " 2026-11-03 09:12Z "] {
            assert_eq!(east.read(text), Some(at), "{text}");
        }
        assert_eq!(east.show(at), "2026-11-03 10:12:00");
        assert_eq!(east.rfc3339(at + 500), "2026-11-03T10:12:00.5+01:00");
        assert_eq!(Offset::default().rfc3339(at), "2026-11-03T09:12:00Z");
        assert_eq!(east.read("2026-11-03").map(|it| east.show(it)), Some("2026-11-03 00:00:00".to_owned()));
        for text in ["", "yesterday", "2026-13-03T10:00Z", "2026-11-03T25:00", "2026-11-03T10:12:00+99:00", "ü"] {
            assert_eq!(east.read(text), None, "{text}");
        }
        for (text, shown) in [("-0530", "-05:30"), ("utc", "UTC"), ("Z", "UTC"), ("+02", "+02:00")] {
            assert_eq!(text.parse::<Offset>().unwrap().to_string(), shown);
        }
        for text in ["", "1", "+1", "+25:00", "+01:99", "CET", "+é1"] {
            assert!(text.parse::<Offset>().is_err(), "{text}");
        }
    }

    #[test]
    fn nights_go_over_midnight_in_their_own_zone() {
        let (night, utc): (Night, Offset) = ("22:00-07:00".parse().unwrap(), Offset::default());
        let east: Offset = "+01:00".parse().unwrap();
        let at = |text: &str| utc.read(text).unwrap();
        assert!(night.holds(at("2026-11-03T22:00Z"), utc) && night.holds(at("2026-11-03T06:59Z"), utc));
        assert!(!night.holds(at("2026-11-03T07:00Z"), utc) && !night.holds(at("2026-11-03T21:59Z"), utc));
        assert!(night.holds(at("2026-11-03T21:59Z"), east) && !night.holds(at("2026-11-03T06:59Z"), east));
        assert_eq!(night.to_string(), "22:00-07:00");
        for text in ["", "22:00", "22-07-01", "07:00-07:00", "25:00-07:00"] {
            assert!(text.parse::<Night>().is_err(), "{text}");
        }
    }
}
