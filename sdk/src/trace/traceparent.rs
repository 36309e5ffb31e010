//! The `traceparent` header (W3C Trace Context, level 1, section 3.2).

use http::{HeaderMap, HeaderName};

/// The header's name.
pub(crate) const KEY: &str = "traceparent";

/// The same for HTTP.
pub(super) static TRACEPARENT: HeaderName = HeaderName::from_static(KEY);

/// A caller's trace id, span id and sampled flag.
pub(crate) type Parent = ((u64, u64), u64, bool);

/// A header that counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// What the caller says; `None` when it says nothing. More than one header is malformed (section 3.2.1).
#[inline]
pub(crate) fn incoming(headers: &HeaderMap) -> Option<Result<Parent, Malformed>> {
    let mut all = headers.get_all(&TRACEPARENT).iter();
    let parent = parse(all.next()?.as_bytes());
    Some(parent.filter(|_| all.next().is_none()).ok_or(Malformed))
}

/// Trace id, span id and sampled flag of a header; `None` when it is malformed, as the specification demands.
#[inline]
pub(crate) fn parse(header: &[u8]) -> Option<Parent> {
    let (known, rest) = header.split_first_chunk::<55>()?;
    let dashes = known[2] == b'-' && known[35] == b'-' && known[52] == b'-';
    let version = hex::<2>(known, 0)?;
    if !dashes || version == 0xff || (version == 0 && !rest.is_empty()) || rest.first().is_some_and(|it| *it != b'-') {
        return None;
    }
    let trace = (hex::<16>(known, 3)?, hex::<16>(known, 19)?);
    let span = hex::<16>(known, 36)?;
    let flags = hex::<2>(known, 53)?;
    (trace != (0, 0) && span != 0).then_some((trace, span, flags & 1 == 1))
}

/// The value of each lower-case hexadecimal digit; anything else is [`NO_DIGIT`].
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};
const NO_DIGIT: u8 = 0x80;

/// The number that `N` digits from `start` on are.
#[inline]
fn hex<const N: usize>(header: &[u8; 55], start: usize) -> Option<u64> {
    let digits = header[start..].first_chunk::<N>()?;
    // All are read before one is refused: a branch for each would cost more than the digits.
    let (value, seen) = digits.iter().fold((0, 0), |(value, seen), digit| {
        let digit = DIGITS[usize::from(*digit)];
        (value << 4 | u64::from(digit), seen | digit)
    });
    (seen & NO_DIGIT == 0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_specification_allows_is_read() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(
            parse(good.as_bytes()),
            Some(((0x0af7_6519_16cd_43dd, 0x8448_eb21_1c80_319c), 0xb7ad_6b71_6920_3331, true))
        );
        for bad in [
            "",
            "00",
            &good[..54],
            &format!("{good}-x"),
            &good.replace("00-0", "ff-0"),
            &good.to_uppercase(),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
        assert!(parse(format!("01{}-later", &good[2..]).as_bytes()).is_some(), "later versions may be longer");
    }
}
