//! `POST /{workspace}/{repo}/git-upload-pack`: git's own `upload-pack` answers, this streams both ways.

use std::io;
use std::path::Path as FilePath;
use std::process::Stdio;
use std::sync::Arc;

use async_compression::tokio::bufread::GzipDecoder;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt as _;
use kilter::ErrorType;
use tokio::io::{AsyncBufRead, AsyncRead};
use tokio::process::Command;
use tokio_util::io::StreamReader;

use crate::app::Front;
use crate::faults::Fault;
use crate::pack::{self, Pack};

/// More than any client asks for; what a small compressed body may grow to.
const LARGEST_REQUEST: u64 = 256 << 20;

pub(crate) async fn upload_pack(
    State(front): State<Arc<Front>>,
    Path((workspace, repo)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    let Some(repository) = front.repositories.find(&workspace, &repo) else {
        return (StatusCode::NOT_FOUND, "no such repository\n").into_response();
    };
    let (head, body) = request.into_parts();
    if !is(&head.headers, &header::CONTENT_TYPE, &["application/x-git-upload-pack-request"]) {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not a git-upload-pack request\n").into_response();
    }
    let body = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    let Some(body) = decoded(&head.headers, body) else {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "only gzip is understood\n").into_response();
    };
    let missing = front.faults.has(Fault::UploadPackMissing);
    let git = if missing { front.git.with_file_name("no-such-git") } else { front.git.clone() };
    let mut command = command(&git, &head.headers);
    command.arg("--stateless-rpc").arg(&repository);
    let pack = match Pack::start(command, body, front.faults.has(Fault::UploadPackCrash)) {
        Ok(pack) => pack,
        Err(error) => {
            tracing::error!(%error, git = %git.display(), "upload-pack could not be started");
            return failed(None);
        }
    };
    match pack::begin(pack, front.hooks.clone(), repository).await {
        Ok(body) => {
            let headers =
                [(header::CONTENT_TYPE, "application/x-git-upload-pack-result"), (header::CACHE_CONTROL, "no-cache")];
            (headers, body).into_response()
        }
        Err(_) => failed(Some("upload_pack_failed")),
    }
}

/// `git upload-pack` for this request; it dies when its value is dropped, which happens when the client leaves.
pub(crate) fn command(git: &FilePath, headers: &HeaderMap) -> Command {
    let mut command = Command::new(git);
    command.arg("upload-pack").env_remove("GIT_PROTOCOL").env_remove("GIT_DIR").kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(protocol) = headers.get("git-protocol").and_then(|it| it.to_str().ok()).filter(|it| is_protocol(it)) {
        command.env("GIT_PROTOCOL", protocol);
    }
    command
}

/// A 500; `kind` says more in `error_type` than the status would.
pub(crate) fn failed(kind: Option<&'static str>) -> Response {
    let mut response = (StatusCode::INTERNAL_SERVER_ERROR, "git could not answer\n").into_response();
    if let Some(kind) = kind {
        response.extensions_mut().insert(ErrorType::declared(kind));
    }
    response
}

/// Keys and values as git defines them (`version=2:key`); it becomes a variable of a program's environment.
fn is_protocol(value: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '=' | ':' | '.' | '-' | '_');
    value.len() <= 256 && value.chars().all(allowed)
}

fn is(headers: &HeaderMap, name: &header::HeaderName, values: &[&str]) -> bool {
    headers.get(name).and_then(|it| it.to_str().ok()).is_some_and(|it| values.contains(&it.trim()))
}

/// The body as the client meant it; `None` for an encoding that nobody agreed on.
fn decoded(
    headers: &HeaderMap,
    body: impl AsyncBufRead + Send + Unpin + 'static,
) -> Option<Box<dyn AsyncRead + Send + Unpin>> {
    use tokio::io::AsyncReadExt as _;
    if is(headers, &header::CONTENT_ENCODING, &["gzip", "x-gzip"]) {
        return Some(Box::new(GzipDecoder::new(body).take(LARGEST_REQUEST)));
    }
    let plain =
        !headers.contains_key(header::CONTENT_ENCODING) || is(headers, &header::CONTENT_ENCODING, &["identity"]);
    plain.then(|| Box::new(body.take(LARGEST_REQUEST)) as Box<dyn AsyncRead + Send + Unpin>)
}

#[cfg(test)]
mod tests {
    use super::is_protocol;

    #[test]
    fn the_protocol_header_becomes_a_variable_only_when_it_is_one() {
        assert!(is_protocol("version=2") && is_protocol("version=1:other_key=a.b"));
        for bad in ["version=2\n", "a b", "$(reboot)", "version=2;x", &"v".repeat(257)] {
            assert!(!is_protocol(bad), "{bad:?}");
        }
    }
}
