//! `GET /{workspace}/{repo}/info/refs?service=git-upload-pack` (or `git-receive-pack`): which refs there are.

use std::process::Stdio;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::Front;
use crate::program::Program;
use crate::rpc;

/// What protocol version 2 begins with, in which the client asks for the refs itself.
const VERSION_2: &[u8] = b"000eversion 2\n";

pub(crate) async fn info_refs(
    State(front): State<Arc<Front>>,
    Path((workspace, repo)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let service = query.as_deref().and_then(|it| it.split('&').find_map(|pair| pair.strip_prefix("service=")));
    let Some(program) = service.and_then(Program::of_service) else {
        return (StatusCode::FORBIDDEN, "only git-upload-pack and git-receive-pack are served\n").into_response();
    };
    if let Err(refusal) = front.access.check(program, &headers, &workspace, &repo).await {
        return refusal;
    }
    let Some(repository) = front.repositories.find(&workspace, &repo) else {
        return (StatusCode::NOT_FOUND, "no such repository\n").into_response();
    };
    front.faults.delay().await;
    let name = program.name();
    let mut command = program.command(&front.git, &headers);
    command.args(["--stateless-rpc", "--advertise-refs"]).arg(&repository).stdin(Stdio::null());
    let refs = match command.output().await {
        Ok(out) if out.status.success() => out.stdout,
        Ok(out) => {
            let stderr = String::from_utf8_lossy(&out.stderr);
            tracing::error!(status = %out.status, stderr = stderr.trim(), "{name} could not list refs");
            return rpc::failed(Some(program.failed()));
        }
        Err(error) => {
            tracing::error!(%error, git = %front.git.display(), "{name} could not be started");
            return rpc::failed(None);
        }
    };
    let mut body = Vec::with_capacity(refs.len() + 40);
    if !refs.starts_with(VERSION_2) {
        let service = format!("# service=git-{name}\n");
        body.extend_from_slice(format!("{:04x}{service}0000", service.len() + 4).as_bytes());
    }
    body.extend_from_slice(&refs);
    let kind = format!("application/x-git-{name}-advertisement");
    ([(header::CONTENT_TYPE, kind.as_str()), (header::CACHE_CONTROL, "no-cache")], body).into_response()
}
