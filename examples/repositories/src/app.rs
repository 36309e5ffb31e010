//! The routes of the service.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kilter::{ErrorType, Service};
use serde::Deserialize;

use crate::store::{NoAnswer, Position, Repository, Store};

/// Answers to writes say with it how far the database has come; a reader that brings it back reads nothing older.
static POSITION: HeaderName = HeaderName::from_static("x-position");

kilter::routes! {
    /// A repository.
    pub(crate) REPOSITORY = GET "/repositories/{workspace}/{repo}";
    /// Makes a repository.
    pub(crate) REPOSITORIES = POST "/repositories", success(201);
    /// Records a push.
    pub(crate) PUSHES = POST "/repositories/{workspace}/{repo}/pushes";
}

/// What the service says of itself, to Prometheus and to those who write its SLOs.
pub(crate) const SERVICE: Service =
    kilter::service!().routes(ROUTES).error_kinds(&["no_connection", "database_failed"]);

/// The routes; no request takes longer than `timeout`.
pub(crate) fn router(store: Store, timeout: Duration) -> Router {
    Router::new()
        .route(REPOSITORY.path(), get(repository))
        .route(REPOSITORIES.path(), post(create))
        .route(PUSHES.path(), post(push))
        .layer(kilter::timeout(timeout))
        .with_state(Arc::new(store))
}

/// What is to be made.
#[derive(Debug, Deserialize)]
struct New {
    workspace: String,
    name: String,
}

/// What was pushed.
#[derive(Debug, Deserialize)]
struct Push {
    head: String,
}

async fn repository(
    State(store): State<Arc<Store>>,
    Path((workspace, repo)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let after = headers.get(&POSITION).and_then(|it| it.to_str().ok()?.parse().ok());
    match store.find(&workspace, &repo, after).await {
        Ok(Some(repository)) => Json(repository).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, "no such repository\n").into_response(),
        Err(why) => unavailable(&why),
    }
}

async fn create(State(store): State<Arc<Store>>, Json(new): Json<New>) -> Response {
    if !plain(&new.workspace) || !plain(&new.name) {
        return (StatusCode::UNPROCESSABLE_ENTITY, "names are 1 to 100 of a-z A-Z 0-9 . - _\n").into_response();
    }
    let created = store.create(&new.workspace, &new.name).await;
    written(StatusCode::CREATED, created, (StatusCode::CONFLICT, "there is such a repository\n"))
}

async fn push(
    State(store): State<Arc<Store>>,
    Path((workspace, repo)): Path<(String, String)>,
    Json(push): Json<Push>,
) -> Response {
    if push.head.is_empty() || push.head.len() > 64 || !push.head.chars().all(|it| it.is_ascii_hexdigit()) {
        return (StatusCode::UNPROCESSABLE_ENTITY, "the head is the id of a commit\n").into_response();
    }
    let pushed = store.push(&workspace, &repo, &push.head).await;
    written(StatusCode::OK, pushed, (StatusCode::NOT_FOUND, "no such repository\n"))
}

fn written(
    success: StatusCode,
    written: Result<Option<(Repository, Position)>, NoAnswer>,
    otherwise: (StatusCode, &'static str),
) -> Response {
    match written {
        Ok(Some((repository, position))) => {
            let position = position.map(|it| [(POSITION.clone(), it.to_string())]);
            (success, position, Json(repository)).into_response()
        }
        Ok(None) => otherwise.into_response(),
        Err(why) => unavailable(&why),
    }
}

/// A 503 that says in `error_type` what was missing.
fn unavailable(why: &NoAnswer) -> Response {
    let kind = match why {
        NoAnswer::NoConnection(_) => "no_connection",
        NoAnswer::Failed(_) => "database_failed",
    };
    tracing::warn!(error = %why, kind, "the database gave no answer");
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, "the database gave no answer\n").into_response();
    response.extensions_mut().insert(ErrorType::declared(kind));
    response
}

/// A name that git-https takes as well.
fn plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.len() <= 100 && name.chars().all(allowed) && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::{Database, Limits, Place};

    /// Its SLOs are checked against this file: `KILTER_CONTRACT=write cargo test` writes it.
    #[tokio::test]
    async fn the_contract_is_fresh() {
        let telemetry = kilter::testing::TestTelemetry::new(SERVICE);
        let second = Duration::from_secs(1);
        let limits = Limits { pool: 1, replica_pool: 1, acquire_timeout: second, max_lag: second, lag_every: second };
        let nowhere = || "postgres://127.0.0.1:1/none".to_owned();
        let place = Place::Postgres { primary: nowhere(), replicas: vec![nowhere(), nowhere()] };
        let store = Store::new(Database::open(&telemetry, place, limits).unwrap());
        drop(router(store, second));
        telemetry.assert_contract("kilter.contract.json");
    }

    #[test]
    fn names_are_only_names() {
        assert!(plain("acme") && plain("site.git") && plain("_a-1"));
        for bad in ["", ".", "..", "-a", "a/b", "a b", "é", &"a".repeat(101)] {
            assert!(!plain(bad), "{bad:?}");
        }
    }
}
