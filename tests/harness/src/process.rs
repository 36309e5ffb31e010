//! A program that is started, watched and ended by its id.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::{http, until};

/// How long a program may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// How many lines of a log an error shows.
const SHOWN: usize = 20;

/// What to tell a process group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Read your configuration again (Prometheus, Alertmanager).
    Hangup,
    /// End in good order.
    Terminate,
    /// End now; the program is not asked.
    Kill,
}

/// A running program: the leader of an own process group, its output collected in a file.
///
/// Dropping the value ends the group. A guardian, a shell that waits on a pipe whose other end only this process holds,
/// ends it when this process dies without dropping (Ctrl-C, a kill, an abort).
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    guardian: Child,
    log: PathBuf,
    ended: bool,
}

impl Process {
    /// Starts `command` under `name`; its output goes to `<folder>/<name>.log`, after what an earlier run left there.
    pub fn start(name: &str, mut command: Command, folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("could not write {}", log.display()))?;
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("could not start {name} ({program})"))?;
        match guardian(child.id()) {
            Ok(guardian) => Ok(Self { name: name.to_owned(), child, guardian, log, ended: false }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// The process id, which is also the id of its group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where its output is.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// All that it has written so far.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The end of its log, for the message of an error.
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        format!("end of {}:\n{tail}", self.log.display())
    }

    /// Its exit status, when it has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until `url` answers 200. Fails at once when the program has ended, and shows its log in any failure.
    pub fn ready(&mut self, url: &str, deadline: Duration) -> anyhow::Result<()> {
        let mut died = None;
        let ready = until(&format!("{} at {url}", self.name), deadline, || {
            died = self.child.try_wait()?;
            if died.is_some() {
                return Ok(Some(()));
            }
            let answer = http::get(url)?;
            if answer.status != 200 {
                bail!("status {}: {}", answer.status, answer.text());
            }
            Ok(Some(()))
        });
        match (ready, died) {
            (_, Some(status)) => bail!("{} ended at its start with {status}; {}", self.name, self.log_tail()),
            (Err(error), None) => bail!("{error:#}; {}", self.log_tail()),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Tells the whole group something.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let word = match signal {
            Signal::Hangup => "HUP",
            Signal::Terminate => "TERM",
            Signal::Kill => "KILL",
        };
        // The shell's own `kill`: there is none in the standard library, and a package for it may be missing.
        let status = Command::new("sh")
            .args(["-c", "kill -s \"$1\" -- \"-$2\" 2>/dev/null", "kill", word, &self.id().to_string()])
            .status()
            .context("could not start sh")?;
        if !status.success() {
            bail!("{} (process group {}) could not be told {word}: it is gone", self.name, self.id());
        }
        Ok(())
    }

    /// Ends it in good order, and by force after five seconds. Ending it twice is fine.
    pub fn end(&mut self) {
        if self.ended {
            return;
        }
        let _ = self.signal(Signal::Terminate);
        let started = Instant::now();
        while self.exited().is_none() && started.elapsed() < GRACE {
            sleep(Duration::from_millis(20));
        }
        self.kill();
    }

    /// Ends it at once and without asking, as a crash would.
    pub fn kill(&mut self) {
        if self.ended {
            return;
        }
        // Also after the leader's own end: its children may have stayed in the group.
        let _ = self.signal(Signal::Kill);
        let _ = self.child.wait();
        // Only now: until here the group's id could not be another's.
        let _ = self.guardian.kill();
        let _ = self.guardian.wait();
        self.ended = true;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads from a pipe that nobody writes to; its end means that the process which holds the other side is gone.
fn guardian(group: u32) -> anyhow::Result<Child> {
    let script = "read -r line; kill -s TERM -- \"-$1\" 2>/dev/null; sleep 5; kill -s KILL -- \"-$1\" 2>/dev/null";
    Command::new("sh")
        .args(["-c", script, "guardian", &group.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("could not start sh")
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn alive(id: u32) -> bool {
        // A zombie is dead: only its parent has not looked yet.
        fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[test]
    fn collects_the_log_and_ends_the_whole_group_on_drop() {
        let folder = tempfile::tempdir().unwrap();
        let process =
            Process::start("parent", shell("sleep 600 & echo child $!; echo loud >&2; wait"), folder.path()).unwrap();
        let child: u32 = until("the child's id", Duration::from_secs(5), || {
            Ok(process.log().lines().find_map(|line| line.strip_prefix("child ")?.parse().ok()))
        })
        .unwrap();
        until("the error output", Duration::from_secs(5), || Ok(process.log().contains("loud").then_some(()))).unwrap();
        let parent = process.id();
        assert!(alive(parent) && alive(child));
        drop(process);
        until("both to end", Duration::from_secs(5), || Ok((!alive(parent) && !alive(child)).then_some(()))).unwrap();
    }

    #[test]
    fn a_program_that_does_not_listen_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start("deaf", shell("trap '' TERM; echo up; sleep 600"), folder.path()).unwrap();
        until("its start", Duration::from_secs(5), || Ok(process.log().contains("up").then_some(()))).unwrap();
        let started = Instant::now();
        process.end();
        assert!(started.elapsed() < GRACE * 3);
        assert!(!alive(process.id()));
    }

    #[test]
    fn a_death_at_the_start_is_told_at_once_with_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start("broken", shell("echo no such flag; exit 3"), folder.path()).unwrap();
        let error = process.ready("http://127.0.0.1:9/", Duration::from_secs(60)).unwrap_err().to_string();
        assert!(error.contains("broken ended at its start with exit status: 3"), "{error}");
        assert!(error.contains("no such flag"), "{error}");
    }

    #[test]
    fn the_guardian_ends_the_group_when_its_pipe_closes() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start("orphan", shell("sleep 600"), folder.path()).unwrap();
        // What the kernel does with the pipe of a process that was killed.
        drop(process.guardian.stdin.take());
        let ended = until("the group's end", Duration::from_secs(20), || Ok(process.exited()));
        assert!(!ended.unwrap().success());
    }
}
