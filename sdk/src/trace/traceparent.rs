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
pub(crate) fn incoming(headers: &HeaderMap) -> Option<Result<Parent, Malformed>> {
    let mut all = headers.get_all(&TRACEPARENT).iter();
    let parent = parse(all.next()?.as_bytes());
    Some(parent.filter(|_| all.next().is_none()).ok_or(Malformed))
}

/// Trace id, span id and sampled flag of a header; `None` when it is malformed, as the specification demands.
pub(crate) fn parse(header: &[u8]) -> Option<Parent> {
    let dashes = header.len() >= 55 && header[2] == b'-' && header[35] == b'-' && header[52] == b'-';
    let (version, longer) = (hex(header.get(..2)?)?, header.len() > 55);
    if !dashes || version == 0xff || (version == 0 && longer) || (longer && header[55] != b'-') {
        return None;
    }
    let trace = (hex(&header[3..19])?, hex(&header[19..35])?);
    let span = hex(&header[36..52])?;
    let flags = hex(&header[53..55])?;
    (trace != (0, 0) && span != 0).then_some((trace, span, flags & 1 == 1))
}

/// Lower-case hexadecimal, at most sixteen digits.
fn hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u64::from(digit))
    })
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
