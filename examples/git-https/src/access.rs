//! Who asks, and whether there is such a repository: two services are asked before git is.
//!
//! Without their addresses everybody may read what is in the folder, and nobody may push.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kilter::http_client::MeasuredClient;
use kilter::reqwest::{self, Client, Url};
use kilter::{ErrorType, Telemetry};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::program::Program;

/// How long a service may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often a push is reported, when that fails, and how long it rests in between.
const REPORTS: u32 = 3;
const REST: Duration = Duration::from_millis(500);

/// What decides who may do what.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    identity: Service,
    repositories: Service,
}

/// A service that is asked, when its address is known.
#[derive(Debug, Clone)]
struct Service {
    client: MeasuredClient,
    url: Option<Url>,
}

/// What identity says of a token.
#[derive(Debug, Deserialize)]
struct Grant {
    read: bool,
    write: bool,
}

/// What repositories hears of a push.
#[derive(Debug, Serialize)]
struct Push {
    head: String,
}

impl Access {
    /// Addresses without a path, such as `http://identity:8081`.
    pub(crate) fn new(
        telemetry: &Telemetry,
        identity: Option<&str>,
        repositories: Option<&str>,
    ) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(PATIENCE).build()?;
        let service = |name, url: Option<&str>| {
            let url = url.map(|it| Url::parse(it).with_context(|| format!("the address of {name}"))).transpose()?;
            // One line of Kilter for each: every call is counted, and its trace goes on.
            anyhow::Ok(Service { client: telemetry.http_client(name).reqwest(client.clone()), url })
        };
        Ok(Self { identity: service("identity", identity)?, repositories: service("repositories", repositories)? })
    }

    /// Asks both at once. What refuses is the response.
    pub(crate) async fn check(
        &self,
        program: Program,
        headers: &HeaderMap,
        workspace: &str,
        repo: &str,
    ) -> Result<(), Response> {
        let (may, exists) = tokio::join!(self.may(program, headers), self.exists(workspace, repo));
        // Whoever may not look does not hear whether there is something to see.
        may.and(exists)
    }

    async fn may(&self, program: Program, headers: &HeaderMap) -> Result<(), Response> {
        let writes = program == Program::ReceivePack;
        if self.identity.url.is_none() {
            let refusal = (StatusCode::FORBIDDEN, "pushes need an identity service, see --identity\n");
            return if writes { Err(refusal.into_response()) } else { Ok(()) };
        }
        let fingerprint = token(headers).map(|it| fingerprint(&it));
        let known = fingerprint.as_deref().unwrap_or("anonymous");
        let unavailable = |error| unavailable("identity_unavailable", &error);
        let grant: Option<Grant> = match self.identity.get(&["tokens", known]).await.map_err(unavailable)? {
            Some(answer) => Some(answer.json().await.map_err(unavailable)?),
            None => None,
        };
        match grant {
            Some(it) if (writes && it.write) || (!writes && it.read) => Ok(()),
            Some(_) if fingerprint.is_some() => {
                Err((StatusCode::FORBIDDEN, "this token may not do that\n").into_response())
            }
            // Git asks without a token first, and looks for one when it reads this.
            _ => Err((StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")]).into_response()),
        }
    }

    async fn exists(&self, workspace: &str, repo: &str) -> Result<(), Response> {
        let name = repo.strip_suffix(".git").unwrap_or(repo);
        match self.repositories.get(&["repositories", workspace, name]).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) if self.repositories.url.is_none() => Ok(()),
            Ok(None) => Err((StatusCode::NOT_FOUND, "no such repository\n").into_response()),
            Err(error) => Err(unavailable("repositories_unavailable", &error)),
        }
    }

    /// Tells repositories, in the background, that something was pushed.
    pub(crate) fn report_push(&self, workspace: String, repo: String, git: PathBuf, repository: PathBuf) {
        let repositories = self.repositories.clone();
        kilter::spawn(async move {
            let head = Command::new(git).args(["rev-parse", "--verify", "HEAD"]).current_dir(repository).output().await;
            let Ok(head) = head.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned()) else { return };
            let name = repo.strip_suffix(".git").unwrap_or(&repo);
            let path = ["repositories", &workspace, name, "pushes"];
            let Some(url) = repositories.at(&path).filter(|_| !head.is_empty()) else { return };
            let push = Push { head };
            for attempt in 1..=REPORTS {
                let sent = repositories.client.post(url.clone()).json(&push).send().await;
                match sent.and_then(reqwest::Response::error_for_status) {
                    Ok(_) => return,
                    Err(error) => tracing::warn!(%error, attempt, "the push could not be reported"),
                }
                tokio::time::sleep(REST * attempt).await;
            }
        });
    }
}

impl Service {
    /// Where it answers to this; `None` when its address is not known.
    fn at(&self, path: &[&str]) -> Option<Url> {
        let mut url = self.url.clone()?;
        // Each is one part of the path, whatever is in it.
        url.path_segments_mut().ok()?.pop_if_empty().extend(path);
        Some(url)
    }

    /// What it says; `None` when it knows nothing of that, or nobody knows its address.
    async fn get(&self, path: &[&str]) -> Result<Option<reqwest::Response>, reqwest::Error> {
        let Some(url) = self.at(path) else { return Ok(None) };
        let answer = self.client.get(url).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        answer.error_for_status().map(Some)
    }
}

/// The password of HTTP's basic authentication, or the user name of one without a password.
fn token(headers: &HeaderMap) -> Option<String> {
    let encoded = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some(if password.is_empty() { user } else { password }.to_owned())
}

/// What a token is known by, so that no secret is in a URL, a log or a trace.
fn fingerprint(token: &str) -> String {
    Sha256::digest(token).iter().map(|it| format!("{it:02x}")).collect()
}

/// A 503 that says in `error_type` who gave no answer.
fn unavailable(kind: &'static str, error: &reqwest::Error) -> Response {
    tracing::warn!(%error, kind, "a service gave no answer");
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, "try again later\n").into_response();
    response.extensions_mut().insert(ErrorType::declared(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_password_or_a_lone_user_name() {
        let of = |value: &str| {
            let value = format!("Basic {}", BASE64_STANDARD.encode(value));
            token(&HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]))
        };
        assert_eq!(of("ann:secret").as_deref(), Some("secret"));
        assert_eq!(of("ann:a:b").as_deref(), Some("a:b"));
        assert_eq!(of("secret:").as_deref(), Some("secret"));
        assert_eq!((of("secret"), token(&HeaderMap::new())), (None, None));
        let known = fingerprint("abc");
        assert_eq!((known.len(), &known[..8]), (64, "ba7816bf"), "SHA-256, as FIPS 180 has it");
    }
}
