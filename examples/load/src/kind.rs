//! What each kind of user does, and what it takes for success.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::strange;

/// What a user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Clone,
    Refs,
    Strange,
    Read,
    Write,
    Token,
    Build,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Clone => "clones",
            Self::Refs => "refs",
            Self::Strange => "strange",
            Self::Read => "reads",
            Self::Write => "writes",
            Self::Token => "tokens",
            Self::Build => "builds",
        }
    }
}

/// Everybody, with what they share.
#[derive(Debug)]
pub(crate) struct Users {
    client: Client,
    folder: PathBuf,
    build_seconds: f64,
}

impl Users {
    pub(crate) fn new(folder: PathBuf, build_seconds: f64) -> anyhow::Result<Self> {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().context("an HTTP client")?;
        Ok(Self { client, folder, build_seconds })
    }

    /// Whether the user has got what it came for.
    pub(crate) async fn send(&self, kind: Kind, url: &str, number: u64) -> bool {
        let done = match kind {
            Kind::Clone => self.clone(url, number).await,
            Kind::Refs => self.refs(url).await,
            Kind::Strange => strange::send(&self.client, url, number).await,
            Kind::Read => self.read(url).await,
            Kind::Write => self.write(url, number).await,
            Kind::Token => self.token(url, number).await,
            Kind::Build => self.build(url).await,
        };
        done.unwrap_or(false)
    }

    /// The real git client, which reads nobody's configuration and asks nobody.
    async fn clone(&self, url: &str, number: u64) -> anyhow::Result<bool> {
        let home = self.folder.join(format!("clone{number}"));
        let mut git = Command::new("git");
        git.args(["clone", "--quiet", "--bare", &format!("{url}/acme/site.git")]).arg(&home);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
        // A hanging server must not hang the client: less than a byte a second for ten seconds is an error.
        git.env("GIT_HTTP_LOW_SPEED_LIMIT", "1").env("GIT_HTTP_LOW_SPEED_TIME", "10");
        git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let cloned = git.status().await?.success();
        let _ = tokio::fs::remove_dir_all(home).await;
        Ok(cloned)
    }

    async fn refs(&self, url: &str) -> anyhow::Result<bool> {
        let url = format!("{url}/acme/site.git/info/refs?service=git-upload-pack");
        let answer = self.client.get(url).header("git-protocol", "version=2").send().await?;
        Ok(answer.error_for_status()?.bytes().await.is_ok())
    }

    async fn read(&self, url: &str) -> anyhow::Result<bool> {
        let answer = self.client.get(format!("{url}/repositories/acme/site")).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            // The first user of a new fleet makes it; whoever is second at that finds it made.
            let new = json!({"workspace": "acme", "name": "site"});
            let made = self.client.post(format!("{url}/repositories")).json(&new).send().await?;
            return Ok(made.status().is_success() || made.status() == StatusCode::CONFLICT);
        }
        Ok(answer.error_for_status()?.bytes().await.is_ok())
    }

    async fn write(&self, url: &str, number: u64) -> anyhow::Result<bool> {
        let push = json!({"head": format!("{number:040x}")});
        let answer = self.client.post(format!("{url}/repositories/acme/site/pushes")).json(&push).send().await?;
        Ok(answer.error_for_status()?.bytes().await.is_ok())
    }

    /// Of a handful of people, one after the other; most of them nobody's: that is an answer too.
    async fn token(&self, url: &str, number: u64) -> anyhow::Result<bool> {
        let who = if number.is_multiple_of(5) { "anonymous".to_owned() } else { format!("{:064x}", number % 5) };
        let answer = self.client.get(format!("{url}/tokens/{who}")).send().await?;
        Ok(answer.status().is_success() || answer.status() == StatusCode::NOT_FOUND)
    }

    /// Asks for a build and has one look at it; how long it waits is the business of those who watch.
    async fn build(&self, url: &str) -> anyhow::Result<bool> {
        let wanted = json!({"seconds": self.build_seconds});
        let answer = self.client.post(format!("{url}/builds")).json(&wanted).send().await?;
        let build: Value = answer.error_for_status()?.json().await?;
        let id = build["id"].as_u64().context("no number of the build")?;
        let answer = self.client.get(format!("{url}/builds/{id}")).send().await?;
        Ok(answer.error_for_status()?.bytes().await.is_ok())
    }
}
