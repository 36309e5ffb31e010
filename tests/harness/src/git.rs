//! Real git: a repository to serve, and clients as traffic.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::tools;

/// A git command that reads nobody's configuration and asks nobody.
fn command(folder: &Path, args: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(tools::require("git")?);
    command
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "kilter")
        .env("GIT_AUTHOR_EMAIL", "kilter@localhost")
        .env("GIT_COMMITTER_NAME", "kilter")
        .env("GIT_COMMITTER_EMAIL", "kilter@localhost")
        .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
        .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
        // A hanging server must not hang the client: less than a byte a second for ten seconds is an error.
        .env("GIT_HTTP_LOW_SPEED_LIMIT", "1")
        .env("GIT_HTTP_LOW_SPEED_TIME", "10")
        .env_remove("http_proxy")
        .env_remove("all_proxy")
        .env_remove("GIT_DIR");
    Ok(command)
}

fn run(folder: &Path, args: &[&str]) -> anyhow::Result<Output> {
    command(folder, args)?.output().context("could not start git")
}

/// Runs git in a folder and gives what it printed; a failure shows what it complained of.
pub fn git(folder: &Path, args: &[&str]) -> anyhow::Result<String> {
    let out = run(folder, args)?;
    ensure!(out.status.success(), "git {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim());
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Makes the bare repository `<repositories>/<name>` (such as `acme/site.git`) with a few commits, one branch, and a
/// hook that succeeds. Gives its folder.
pub fn make_repository(repositories: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let bare = repositories.join(name);
    fs::create_dir_all(&bare)?;
    let work = tempfile::tempdir()?;
    git(work.path(), &["init", "--quiet", "--initial-branch=main"])?;
    for version in 0..3 {
        fs::write(work.path().join("README"), format!("version {version}\n"))?;
        // Incompressible, so that a pack takes more than one read.
        fs::write(work.path().join(format!("data{version}")), noise(64 * 1024, version))?;
        git(work.path(), &["add", "."])?;
        git(work.path(), &["commit", "--quiet", "--message", &format!("version {version}")])?;
    }
    git(&bare, &["init", "--quiet", "--bare", "--initial-branch=main", "."])?;
    git(work.path(), &["push", "--quiet", &bare.to_string_lossy(), "main"])?;
    set_hook(&bare, "exit 0")?;
    Ok(bare)
}

/// Gives the repository a hook of this script, which the service runs after each clone or fetch.
pub(crate) fn set_hook(bare: &Path, script: &str) -> anyhow::Result<()> {
    let hook = bare.join("hooks").join("post-upload-pack");
    // Written beside and renamed: a program that is being run cannot be written to.
    let fresh = hook.with_extension("new");
    fs::create_dir_all(bare.join("hooks"))?;
    fs::write(&fresh, format!("#!/bin/sh\n{script}\n"))?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755))?;
    fs::rename(fresh, hook).context("could not write the hook")
}

/// Bytes that do not compress, the same ones each time (xorshift).
fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..count).map(|_| next()).collect()
}

/// A git client that clones the same repository again and again, until it is dropped.
#[derive(Debug)]
pub struct Traffic {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    succeeded: AtomicU64,
    failed: AtomicU64,
}

impl Traffic {
    /// Clones `url` with `clients` clients, each at most once in `every`, below `folder`.
    pub fn start(url: &str, folder: &Path, clients: usize, every: Duration) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut threads = Vec::new();
        for client in 0..clients {
            let (url, shared) = (url.to_owned(), Arc::clone(&shared));
            let home = folder.join(format!("client{client}"));
            fs::create_dir_all(&home)?;
            threads.push(thread::spawn(move || client_loop(&url, &home, every, &shared)));
        }
        Ok(Self { shared, threads })
    }

    /// Clones that succeeded, and that failed.
    pub fn counts(&self) -> (u64, u64) {
        (self.shared.succeeded.load(Ordering::Relaxed), self.shared.failed.load(Ordering::Relaxed))
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn client_loop(url: &str, home: &Path, every: Duration, shared: &Shared) {
    while !shared.stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        let cloned = run(home, &["clone", "--quiet", "--bare", url, "clone"]).is_ok_and(|out| out.status.success());
        let _ = fs::remove_dir_all(home.join("clone"));
        if cloned { &shared.succeeded } else { &shared.failed }.fetch_add(1, Ordering::Relaxed);
        while started.elapsed() < every && !shared.stop.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
    }
}
