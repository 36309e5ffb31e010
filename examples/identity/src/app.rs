//! The route of the service.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use kilter::{ErrorType, Service};

use crate::answers::{Answers, SIGNALS};
use crate::platform::NoAnswer;

kilter::routes! {
    /// Whose token has this fingerprint (its SHA-256 in hexadecimal digits, so that no secret is in a URL, a log or a
    /// trace; or `anonymous` for requests without one), and what it may do.
    pub(crate) TOKEN = GET "/tokens/{token}";
}

/// What the service says of itself, to Prometheus and to those who write its SLOs.
pub(crate) const SERVICE: Service =
    kilter::service!().routes(ROUTES).signals(SIGNALS).error_kinds(&["platform_failed", "platform_left_alone"]);

pub(crate) fn router(answers: Answers) -> Router {
    Router::new().route(TOKEN.path(), get(token)).with_state(answers)
}

async fn token(State(answers): State<Answers>, Path(fingerprint): Path<String>) -> Response {
    if fingerprint.is_empty() || fingerprint.len() > 64 || !fingerprint.chars().all(|it| it.is_ascii_alphanumeric()) {
        return (StatusCode::BAD_REQUEST, "no fingerprint of a token\n").into_response();
    }
    match answers.of(&fingerprint).await {
        Ok(Some(grant)) => Json(grant).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, "nobody's token\n").into_response(),
        Err(why) => unavailable(&why),
    }
}

/// A 503 that says in `error_type` whether the platform was asked.
fn unavailable(why: &NoAnswer) -> Response {
    let kind = match why {
        NoAnswer::Failed(error) => {
            tracing::warn!(%error, "the platform gave no answer");
            "platform_failed"
        }
        NoAnswer::LeftAlone => "platform_left_alone",
    };
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, "nobody knows at the moment\n").into_response();
    response.extensions_mut().insert(ErrorType::declared(kind));
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::answers::Keep;
    use crate::platform::Platform;

    /// Its SLOs are checked against this file: `KILTER_CONTRACT=write cargo test` writes it.
    #[test]
    fn the_contract_is_fresh() {
        let telemetry = kilter::testing::TestTelemetry::new(SERVICE);
        let second = Duration::from_secs(1);
        let platform = Platform::new(&telemetry, "http://127.0.0.1:1", second, Some(second)).unwrap();
        let answers = Answers::new(&telemetry, platform, Keep { fresh: second, stale: second, entries: 1 });
        drop(router(answers));
        telemetry.assert_contract("kilter.contract.json");
    }
}
