//! The forms that values take.

use std::net::IpAddr;
use std::time::Duration;

use crate::trace::Trust;

/// `500ms`, `3s`, `1m`; positive, up to a day.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let millis = match &text[digits..] {
        "ms" => number,
        "s" => number.checked_mul(1_000)?,
        "m" => number.checked_mul(60_000)?,
        "h" => number.checked_mul(3_600_000)?,
        _ => return None,
    };
    (1..=86_400_000).contains(&millis).then(|| Duration::from_millis(millis))
}

/// `all`, `none`, or networks.
pub(super) fn trust(text: &str) -> Option<Trust> {
    match text {
        "all" => Some(Trust::All),
        "none" => Some(Trust::None),
        networks => networks.split(',').map(|it| network(it.trim())).collect::<Option<Vec<_>>>().map(Trust::Networks),
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(most), |it| it.parse().ok().filter(|it| *it <= most))?;
    Some((address, prefix))
}

/// Percent-decoded text; `None` when it is not UTF-8 then. A `%` without two digits stays as it is.
pub(super) fn decoded(text: &str) -> Option<String> {
    let digit =
        |byte: Option<&u8>| byte.and_then(|it| char::from(*it).to_digit(16)).and_then(|it| u8::try_from(it).ok());
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            out.push(high << 4 | low);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_a_bound() {
        for (text, millis) in
            [("500ms", Some(500)), ("3s", Some(3_000)), ("24h", Some(86_400_000)), ("1m", Some(60_000))]
        {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        }
        for text in ["", "3", "s", "0s", "25h", "-1s", "1.5s", "99999999999999999999s", "18446744073709551615h", "é"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn percent_signs_are_decoded_where_they_mean_something() {
        for (text, plain) in [("a%20b", Some("a b")), ("100%", Some("100%")), ("%zz", Some("%zz")), ("%ff", None)] {
            assert_eq!(decoded(text).as_deref(), plain, "{text}");
        }
    }
}
