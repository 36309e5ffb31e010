//! Statuses by their names in the contract.

use http::{HeaderMap, StatusCode};
use kilter_contract::rpc::STATUS_CODES;
use tonic::Code;

/// The status that stands in headers or trailers. A code that gRPC does not have is UNKNOWN, as clients have it.
pub(super) fn in_headers(headers: &HeaderMap) -> Option<&'static str> {
    Some(name(Code::from_bytes(headers.get("grpc-status")?.as_bytes())))
}

/// What clients make of a response without a status of gRPC.
/// Source: <https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>.
pub(super) fn of_http(status: StatusCode) -> &'static str {
    name(match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    })
}

/// The name of a code.
pub(super) fn name(code: Code) -> &'static str {
    usize::try_from(i32::from(code)).ok().and_then(|it| STATUS_CODES.get(it)).unwrap_or(&"UNKNOWN")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_names() {
        for (number, expected) in (0..).zip(STATUS_CODES) {
            let code = Code::from_i32(number);
            assert_eq!(&name(code), expected);
            // Debug prints `NotFound`, the contract has `NOT_FOUND`.
            assert_eq!(format!("{code:?}").to_lowercase(), expected.to_lowercase().replace('_', ""));
        }
        let headers = |value| HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), value)]);
        assert_eq!(in_headers(&headers(http::HeaderValue::from_static("14"))), Some("UNAVAILABLE"));
        assert_eq!(in_headers(&headers(http::HeaderValue::from_static("99"))), Some("UNKNOWN"));
        assert_eq!(in_headers(&HeaderMap::new()), None);
        assert_eq!((of_http(StatusCode::NOT_FOUND), of_http(StatusCode::OK)), ("UNIMPLEMENTED", "UNKNOWN"));
    }
}
