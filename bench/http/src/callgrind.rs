//! Instructions by valgrind's callgrind: counted, not timed, so that they repeat on any machine of this architecture.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::case::Case;
use crate::child;
use crate::measure::{MEASURED, Run, WARM_UP};
use crate::stack::Stack;

/// Lengths of the two runs whose difference is taken, so that start-up and end cancel.
const SHORT: u32 = 1_000;
const LONG: u32 = 4_000;

/// What one request takes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PerRequest {
    /// Instructions of the thread that serves.
    pub(crate) instructions: f64,
    /// Instructions of all other threads: the export of spans.
    pub(crate) elsewhere: f64,
    /// Calls of `clock_gettime` on the thread that serves.
    pub(crate) clock_reads: f64,
    /// Allocations of the thread that serves.
    pub(crate) allocations: f64,
    /// Their bytes.
    pub(crate) bytes: f64,
}

impl PerRequest {
    /// What is left of it without another.
    pub(crate) fn less(self, other: Self) -> Self {
        Self {
            instructions: self.instructions - other.instructions,
            elsewhere: self.elsewhere - other.elsewhere,
            clock_reads: self.clock_reads - other.clock_reads,
            allocations: self.allocations - other.allocations,
            bytes: self.bytes - other.bytes,
        }
    }
}

/// Says how to install valgrind when it is missing.
pub(crate) fn require() -> anyhow::Result<String> {
    let out = Command::new("valgrind").arg("--version").output();
    let out = out.context("valgrind is not installed; run: sudo apt-get install --no-install-recommends valgrind")?;
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Measures a case: (Ir(4000) - Ir(1000)) / 3000.
pub(crate) fn measure(case: Case, collector: SocketAddr) -> anyhow::Result<PerRequest> {
    // At once: what is counted does not depend on the machine's load.
    let (short, long) = std::thread::scope(|scope| {
        let short = scope.spawn(|| counted(case, SHORT, collector));
        let long = counted(case, LONG, collector);
        (short.join(), long)
    });
    let (short, long) = (short.map_err(|_| anyhow::anyhow!("it panicked"))??, long?);
    let per = |long: u64, short: u64| (long as f64 - short as f64) / f64::from(LONG - SHORT);
    Ok(PerRequest {
        instructions: per(long.serving, short.serving),
        elsewhere: per(long.others, short.others),
        clock_reads: per(long.clock_reads, short.clock_reads),
        allocations: long.run.allocations,
        bytes: long.run.bytes,
    })
}

#[derive(Debug, Default)]
struct Counted {
    serving: u64,
    others: u64,
    clock_reads: u64,
    run: Run,
}

fn counted(case: Case, requests: u32, collector: SocketAddr) -> anyhow::Result<Counted> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--separate-threads=yes", "--fair-sched=yes", "-q"])
        .arg(format!("--callgrind-out-file={}", folder.path().join("out").display()))
        .arg(std::env::current_exe()?)
        .arg("measure")
        .args(case.args())
        .args([requests.to_string(), "1".to_owned()]);
    case.environment(&mut command, collector);
    let printed = child::output(command)?;
    let mut counted = Counted::default();
    for entry in fs::read_dir(folder.path())? {
        let path = entry?.path();
        let profile = Profile::read(&fs::read_to_string(&path)?);
        if is_main(&path) {
            // Not the whole thread: some libraries calibrate a clock when they start, for as long as it takes.
            counted.serving = profile.inclusive(MEASURED);
            counted.clock_reads = profile.calls_of("clock_gettime");
        } else {
            // Beside one file for each thread there is an empty one.
            counted.others += profile.total;
        }
    }
    ensure!(counted.serving > 0, "callgrind did not see {MEASURED}");
    counted.run = Run::read(&printed)?;
    let made = counted.run.queued;
    if case.sampled && case.stack == Stack::Kilter && made != u64::from(requests + WARM_UP) {
        eprintln!("{requests} requests, {made} spans queued: the queue was full, the rest was cheaper");
    }
    Ok(counted)
}

/// Callgrind numbers the files by thread.
fn is_main(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-01")
}

/// The calls in one of callgrind's files.
#[derive(Debug, Default)]
struct Profile {
    total: u64,
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Call {
    caller: String,
    callee: String,
    count: u64,
    instructions: u64,
}

impl Profile {
    /// A function is named once, with a number: `fn=(7) name`, or `cfn=` where it is called; later it is `(7)` only. A
    /// call is `calls=COUNT TARGET`, and the line after it ends in the instructions that it took with all it called.
    fn read(text: &str) -> Self {
        let mut profile = Self::default();
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        let (mut caller, mut callee, mut count) = ("", "", None);
        for line in text.lines() {
            if let Some(number) = count.take() {
                let instructions = line.rsplit(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0);
                let (caller, callee) = (caller.to_owned(), callee.to_owned());
                profile.calls.push(Call { caller, callee, count: number, instructions });
            } else if let Some(it) = line.strip_prefix("fn=") {
                caller = name(it, &mut names);
            } else if let Some(it) = line.strip_prefix("cfn=") {
                callee = name(it, &mut names);
            } else if let Some(it) = line.strip_prefix("calls=") {
                count = it.split(' ').next().and_then(|it| it.parse().ok());
            } else if let Some(it) = line.strip_prefix("totals: ") {
                profile.total = it.trim().parse().unwrap_or(0);
            }
        }
        profile
    }

    /// Instructions of calls of this function, with all that it called.
    fn inclusive(&self, callee: &str) -> u64 {
        self.calls.iter().filter(|it| it.callee.contains(callee)).map(|it| it.instructions).sum()
    }

    /// Calls of a function by others than itself (libc's goes on to the kernel's of the same name), and not while something
    /// is made for the first time: a clock of a library is calibrated then, for as long as it takes.
    fn calls_of(&self, callee: &str) -> u64 {
        let other = |it: &Call| !["once_cell", "quanta", callee].iter().any(|not| it.caller.contains(not));
        let wanted = |it: &&Call| it.callee.starts_with(callee) && other(it);
        self.calls.iter().filter(wanted).map(|it| it.count).sum()
    }
}

fn name<'a>(it: &'a str, names: &mut BTreeMap<&'a str, &'a str>) -> &'a str {
    match it.split_once(") ") {
        Some((number, name)) => {
            names.insert(number, name);
            name
        }
        None => names.get(it.trim_end_matches(')')).copied().unwrap_or_default(),
    }
}
