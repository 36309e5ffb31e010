//! The routes of the service.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kilter::{ErrorType, Service};

use crate::build::Request;
use crate::builds::Builds;
use crate::queue::{self, Queue};

kilter::routes! {
    /// Asks for a build, which then waits for a worker.
    pub(crate) SUBMIT = POST "/builds", success(202);
    /// What has become of a build.
    pub(crate) SHOW = GET "/builds/{id}";
}

/// What the service says of itself, to Prometheus and to those who write its SLOs.
pub(crate) const SERVICE: Service = kilter::service!()
    .routes(ROUTES)
    .error_kinds(&["queue_full", "build_not_started", "build_limit", "artifact_lost"])
    .signals(queue::SIGNALS);

/// What every request needs.
#[derive(Debug)]
pub(crate) struct Pipelines {
    pub(crate) queue: Queue,
    pub(crate) builds: Builds,
}

impl Pipelines {
    pub(crate) fn new(queue: Queue) -> Self {
        Self { queue, builds: Builds::default() }
    }
}

pub(crate) fn router(pipelines: Arc<Pipelines>) -> Router {
    Router::new().route(SUBMIT.path(), post(submit)).route(SHOW.path(), get(show)).with_state(pipelines)
}

/// 202 with the build, which begins when a worker is free; 503 when the queue is full.
async fn submit(State(pipelines): State<Arc<Pipelines>>, Json(request): Json<Request>) -> Response {
    if !request.is_sound() {
        return (StatusCode::BAD_REQUEST, "a build takes up to 3600 seconds\n").into_response();
    }
    let build = pipelines.builds.add();
    if pipelines.queue.offer(build.id, request) {
        return (StatusCode::ACCEPTED, Json(build)).into_response();
    }
    pipelines.builds.remove(build.id);
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, "the queue is full\n").into_response();
    response.extensions_mut().insert(ErrorType::declared("queue_full"));
    response
}

async fn show(State(pipelines): State<Arc<Pipelines>>, Path(id): Path<u64>) -> Response {
    match pipelines.builds.get(id) {
        Some(build) => Json(build).into_response(),
        None => (StatusCode::NOT_FOUND, "no such build, or it is long ago\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::build::Workspace;
    use crate::jobs::Cleanup;
    use crate::workers;

    /// Its SLOs are checked against this file: `KILTER_CONTRACT=write cargo test` writes it.
    #[tokio::test]
    async fn the_contract_is_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Arc::new(Workspace::new(folder.path()).unwrap());
        let telemetry = kilter::testing::TestTelemetry::new(SERVICE);
        let (queue, claims) = Queue::new(&telemetry, 1, 1, Duration::from_secs(1));
        let pipelines = Arc::new(Pipelines::new(queue));
        workers::start(&telemetry, 1, &claims, &pipelines, &workspace, Duration::from_secs(1));
        drop(Cleanup::new(&telemetry, workspace));
        telemetry.assert_contract("kilter.contract.json");
    }
}
