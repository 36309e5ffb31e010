//! `GET /{workspace}/{repo}/info/refs?service=git-upload-pack`: which refs there are.

use std::process::Stdio;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::Front;
use crate::upload_pack;

/// What protocol version 2 begins with, in which the client asks for the refs itself.
const VERSION_2: &[u8] = b"000eversion 2\n";

pub(crate) async fn info_refs(
    State(front): State<Arc<Front>>,
    Path((workspace, repo)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let service = query.as_deref().and_then(|it| it.split('&').find_map(|pair| pair.strip_prefix("service=")));
    if service != Some("git-upload-pack") {
        return (StatusCode::FORBIDDEN, "only git-upload-pack is served: clone and fetch\n").into_response();
    }
    let Some(repository) = front.repositories.find(&workspace, &repo) else {
        return (StatusCode::NOT_FOUND, "no such repository\n").into_response();
    };
    front.faults.delay().await;
    let mut command = upload_pack::command(&front.git, &headers);
    command.args(["--stateless-rpc", "--advertise-refs"]).arg(&repository).stdin(Stdio::null());
    let refs = match command.output().await {
        Ok(out) if out.status.success() => out.stdout,
        Ok(out) => {
            let stderr = String::from_utf8_lossy(&out.stderr);
            tracing::error!(status = %out.status, stderr = stderr.trim(), "upload-pack could not list refs");
            return upload_pack::failed(Some("upload_pack_failed"));
        }
        Err(error) => {
            tracing::error!(%error, git = %front.git.display(), "upload-pack could not be started");
            return upload_pack::failed(None);
        }
    };
    let mut body = Vec::with_capacity(refs.len() + 40);
    if !refs.starts_with(VERSION_2) {
        body.extend_from_slice(b"001e# service=git-upload-pack\n0000");
    }
    body.extend_from_slice(&refs);
    let headers =
        [(header::CONTENT_TYPE, "application/x-git-upload-pack-advertisement"), (header::CACHE_CONTROL, "no-cache")];
    (headers, body).into_response()
}
