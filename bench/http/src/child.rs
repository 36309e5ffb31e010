//! Child processes: each measures one thing, and none may take for ever.

use std::io::{Read as _, Seek as _};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// The longest that a case may take. On a quiet machine none takes half of it.
const LIMIT: Duration = Duration::from_mins(4);

/// This program, as a child.
pub(crate) fn command() -> anyhow::Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

/// What a child says on stdout. One that fails or takes too long is an error that holds what it said on stderr.
pub(crate) fn output(mut command: Command) -> anyhow::Result<String> {
    // Files, so that nobody has to read while it runs.
    let (mut said, mut complained) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(complained.try_clone()?);
    let mut child = command.spawn().with_context(|| format!("{} does not start", command.get_program().display()))?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            bail!("stopped after {} s", LIMIT.as_secs());
        }
        sleep(Duration::from_millis(5));
    };
    ensure!(status.success(), "{status}: {}", read(&mut complained)?);
    read(&mut said)
}

fn read(file: &mut std::fs::File) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
