//! A real PostgreSQL on a free port, and replicas that stream from it.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use crate::{Process, free_port, tools, until};

const START: Duration = Duration::from_secs(60);

/// Users that the server may run as when the tests are root, which it refuses; Debian's package makes the first.
const USERS: &[&str] = &["postgres", "nobody"];

/// A running PostgreSQL with the database and superuser `postgres`, without a password. It ends when dropped, and its
/// data with it: what it stores is not safe from a loss of power, so that it starts in a second.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    user: Option<User>,
    process: Process,
    /// After the process, so that it is removed when nobody writes there.
    folder: TempDir,
}

#[derive(Debug, Clone)]
struct User {
    name: String,
    uid: u32,
    gid: u32,
}

impl Postgres {
    /// Starts a new, empty one, and waits until it takes connections.
    pub fn start() -> anyhow::Result<Self> {
        let (user, folder) = home()?;
        let mut initdb = command(user.as_ref(), "initdb")?;
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]);
        initdb.args(["--no-sync", "--no-instructions", "-D"]).arg(data(&folder));
        run(initdb)?;
        Self::serve(user, folder)
    }

    /// Starts a replica of it, which streams what the primary writes.
    pub fn replica(&self) -> anyhow::Result<Self> {
        let (user, folder) = home()?;
        let mut copy = command(user.as_ref(), "pg_basebackup")?;
        copy.args([
            "--host=127.0.0.1",
            "--username=postgres",
            "--checkpoint=fast",
            "--no-sync",
            "--write-recovery-conf",
        ]);
        copy.arg(format!("--port={}", self.port)).arg("-D").arg(data(&folder));
        run(copy)?;
        Self::serve(user, folder)
    }

    fn serve(user: Option<User>, folder: TempDir) -> anyhow::Result<Self> {
        let port = free_port()?;
        let process = serve(user.as_ref(), &folder, port)?;
        Ok(Self { port, user, process, folder })
    }

    /// Its address for clients.
    pub fn url(&self) -> String {
        self.url_through(&self.address())
    }

    /// The same through a relay at this address, `host:port`.
    pub fn url_through(&self, relay: &str) -> String {
        format!("postgres://postgres@{relay}/postgres")
    }

    /// Where it listens, `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Runs one statement, such as `select pg_wal_replay_pause()`, with `psql`.
    pub fn execute(&self, statement: &str) -> anyhow::Result<()> {
        let mut psql = Command::new(tools::require("psql")?);
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statement, &self.url()]);
        run(psql)
    }

    /// Ends it as a crash would; every connection breaks at once.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        // Its own children have groups of their own and leave as soon as they see that their parent is gone.
        self.process.kill();
        let gone =
            || Ok(fs::read_dir("/proc")?.flatten().all(|it| !belongs(&it.path(), self.folder.path())).then_some(()));
        until("the end of PostgreSQL's processes", START, gone)
    }

    /// Starts it again after a [`kill`](Self::kill), with its data, on its port.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        let _ = fs::remove_file(data(&self.folder).join("postmaster.pid"));
        self.process = serve(self.user.as_ref(), &self.folder, self.port)?;
        Ok(())
    }
}

impl Drop for Postgres {
    /// Without asking: it would wait for its clients.
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

fn serve(user: Option<&User>, folder: &TempDir, port: u16) -> anyhow::Result<Process> {
    let mut server = command(user, "postgres")?;
    server.arg("-D").arg(data(folder)).args(["-p", &port.to_string()]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "fsync=off",
        "shared_buffers=16MB",
        "wal_level=replica",
        // A replica that lost its primary finds it again soon.
        "wal_retrieve_retry_interval=200ms",
    ] {
        server.args(["-c", setting]);
    }
    let mut process = Process::start("postgres", server, folder.path())?;
    let ready = until("PostgreSQL", START, || {
        if let Some(status) = process.exited() {
            return Ok(Some(Err(status)));
        }
        let mut ask = Command::new(tools::require("pg_isready")?);
        let answer = ask.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status()?;
        Ok(answer.success().then_some(Ok(())))
    });
    match ready {
        Ok(Ok(())) => Ok(process),
        Ok(Err(status)) => bail!("PostgreSQL ended at its start with {status}; {}", process.log_tail()),
        Err(error) => bail!("{error:#}; {}", process.log_tail()),
    }
}

fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

/// A folder of its own: whom it belongs to must be able to walk into it, which is not so below the folders of a test.
fn home() -> anyhow::Result<(Option<User>, TempDir)> {
    let folder = tempfile::tempdir()?;
    let user = user()?;
    if let Some(user) = &user {
        chown(folder.path(), Some(user.uid), Some(user.gid))?;
    }
    Ok((user, folder))
}

/// Whom the server runs as, when it is not whoever runs the tests.
fn user() -> anyhow::Result<Option<User>> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let known = fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
    let find = |name: &&str| {
        let line = known.lines().find(|it| it.starts_with(&format!("{name}:")))?;
        let mut ids = line.split(':').skip(2).map(str::parse);
        Some(User { name: (*name).to_owned(), uid: ids.next()?.ok()?, gid: ids.next()?.ok()? })
    };
    USERS.iter().find_map(find).map(Some).context("PostgreSQL refuses root, and there is no user postgres or nobody")
}

fn command(user: Option<&User>, program: &str) -> anyhow::Result<Command> {
    let program = tools::require(program)?;
    let Some(user) = user else { return Ok(Command::new(program)) };
    // It becomes the program, so that the id that is started is the id that is ended.
    let mut command = Command::new(tools::require("setpriv")?);
    command.arg(format!("--reuid={}", user.uid)).arg(format!("--regid={}", user.gid)).arg("--clear-groups");
    command.arg(program).env("HOME", "/nonexistent").env("USER", &user.name).current_dir("/");
    Ok(command)
}

fn run(mut command: Command) -> anyhow::Result<()> {
    let out = command.output()?;
    ensure!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}

/// Whether this entry of `/proc` is a process that works in the folder: a PostgreSQL lives in its data.
fn belongs(process: &Path, folder: &Path) -> bool {
    fs::read_link(process.join("cwd")).is_ok_and(|it| it.starts_with(folder))
}
