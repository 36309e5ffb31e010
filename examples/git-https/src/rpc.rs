//! `POST /{workspace}/{repo}/git-upload-pack` and `git-receive-pack`: git's own program answers, this streams both ways.

use std::io;
use std::sync::Arc;

use async_compression::tokio::bufread::GzipDecoder;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt as _;
use kilter::ErrorType;
use tokio::io::{AsyncBufRead, AsyncRead};
use tokio_util::io::StreamReader;

use crate::app::Front;
use crate::faults::Fault;
use crate::pack::{self, Pack};
use crate::program::Program;

pub(crate) async fn upload_pack(
    State(front): State<Arc<Front>>,
    Path((workspace, repo)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    answer(&front, Program::UploadPack, &workspace, &repo, request).await
}

pub(crate) async fn receive_pack(
    State(front): State<Arc<Front>>,
    Path((workspace, repo)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    answer(&front, Program::ReceivePack, &workspace, &repo, request).await
}

async fn answer(front: &Front, program: Program, workspace: &str, repo: &str, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    if let Err(refusal) = front.access.check(program, &head.headers, workspace, repo).await {
        return refusal;
    }
    let Some(repository) = front.repositories.find(workspace, repo) else {
        return (StatusCode::NOT_FOUND, "no such repository\n").into_response();
    };
    let name = program.name();
    if !is(&head.headers, &header::CONTENT_TYPE, &[&format!("application/x-git-{name}-request")]) {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("not a git-{name} request\n")).into_response();
    }
    let body = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    let Some(body) = decoded(&head.headers, body, program.largest_request()) else {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "only gzip is understood\n").into_response();
    };
    let broken = |fault| program == Program::UploadPack && front.faults.has(fault);
    let missing = broken(Fault::UploadPackMissing);
    let git = if missing { front.git.with_file_name("no-such-git") } else { front.git.clone() };
    let mut command = program.command(&git, &head.headers);
    command.arg("--stateless-rpc").arg(&repository);
    let pack = match Pack::start(program, command, body, broken(Fault::UploadPackCrash)) {
        Ok(pack) => pack,
        Err(error) => {
            tracing::error!(%error, git = %git.display(), "{name} could not be started");
            return failed(None);
        }
    };
    let (hooks, access) = (front.hooks.clone(), front.access.clone());
    let (workspace, repo) = (workspace.to_owned(), repo.to_owned());
    let after = move || match program {
        Program::UploadPack => hooks.after_upload_pack(&repository),
        Program::ReceivePack => access.report_push(workspace, repo, git, repository),
    };
    match pack::begin(pack, after).await {
        Ok(body) => {
            let kind = format!("application/x-git-{name}-result");
            ([(header::CONTENT_TYPE, kind.as_str()), (header::CACHE_CONTROL, "no-cache")], body).into_response()
        }
        Err(_) => failed(Some(program.failed())),
    }
}

/// A 500; `kind` says more in `error_type` than the status would.
pub(crate) fn failed(kind: Option<&'static str>) -> Response {
    let mut response = (StatusCode::INTERNAL_SERVER_ERROR, "git could not answer\n").into_response();
    if let Some(kind) = kind {
        response.extensions_mut().insert(ErrorType::declared(kind));
    }
    response
}

fn is(headers: &HeaderMap, name: &header::HeaderName, values: &[&str]) -> bool {
    headers.get(name).and_then(|it| it.to_str().ok()).is_some_and(|it| values.contains(&it.trim()))
}

/// The body as the client meant it; `None` for an encoding that nobody agreed on.
fn decoded(
    headers: &HeaderMap,
    body: impl AsyncBufRead + Send + Unpin + 'static,
    most: u64,
) -> Option<Box<dyn AsyncRead + Send + Unpin>> {
    use tokio::io::AsyncReadExt as _;
    if is(headers, &header::CONTENT_ENCODING, &["gzip", "x-gzip"]) {
        return Some(Box::new(GzipDecoder::new(body).take(most)));
    }
    let plain =
        !headers.contains_key(header::CONTENT_ENCODING) || is(headers, &header::CONTENT_ENCODING, &["identity"]);
    plain.then(|| Box::new(body.take(most)) as Box<dyn AsyncRead + Send + Unpin>)
}
