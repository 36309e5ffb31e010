//! Two runs, a full disk, a folder that cannot be written, a run that is killed: each file is old or new, never half.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::cli::{GOOD, folder, kilter, said, tree};

/// An SLO file that no lint has a word about.
fn silent() -> String {
    GOOD.replace("routes: [\"/orders\"]", "routes: [\"/orders\"], slower_than: 250ms")
}

/// SLO files of several services.
fn estate(folder: &Path, services: usize, objective: &str) {
    for n in 0..services {
        let text = silent().replace("service: shop", &format!("service: shop-{n}")).replace("99.9%", objective);
        fs::write(folder.join(format!("{n}.slo.yaml")), text).expect("a file");
    }
}

/// Files below rules/ and dashboards/, by name.
fn generated(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let below = |it: &str| if folder.join(it).is_dir() { tree(&folder.join(it)) } else { Vec::new() };
    let all = [below("rules"), below("dashboards")].concat();
    all.into_iter().map(|(path, text)| (path[folder.display().to_string().len()..].to_owned(), text)).collect()
}

fn sh(script: &str, folder: &Path) -> Output {
    Command::new("sh")
        .args(["-c", script])
        .env("KILTER", env!("CARGO_BIN_EXE_kilter"))
        .current_dir(folder)
        .output()
        .expect("sh starts")
}

#[test]
fn two_runs_in_one_folder_wait_for_each_other() {
    let folder = folder(GOOD);
    let path = folder.path();
    let held = fs::File::open(path).expect("a folder");
    held.lock().expect("a lock");
    let began = Instant::now();
    let waiting = Command::new(env!("CARGO_BIN_EXE_kilter"))
        .args(["generate", "slo.yaml"])
        .current_dir(path)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    std::thread::sleep(Duration::from_millis(700));
    assert!(!path.join("rules").exists(), "it did not wait");
    held.unlock().expect("no lock");
    let out = waiting.wait_with_output().expect("the command ends");
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    assert!(
        began.elapsed() >= Duration::from_millis(700) && said(&out).contains("another kilter is at work in"),
        "{}",
        said(&out)
    );
    // Ten at once, all of the same files: all end well, and what is there is what one of them makes.
    let before = generated(path);
    let text = GOOD.replace("99.9%", "99.5%");
    fs::write(path.join("slo.yaml"), text).expect("a file");
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kilter"));
        command.args(["generate", "-q", "slo.yaml"]).current_dir(path).stderr(Stdio::null()).spawn()
    };
    let runs: Vec<_> = (0..10).map(|_| run().expect("the command starts")).collect();
    for mut run in runs {
        assert!(run.wait().expect("the command ends").success());
    }
    assert_ne!(generated(path), before);
    assert_eq!(kilter(&["generate", "--check", "slo.yaml"], path).status.code(), Some(0));
}

#[test]
fn a_run_that_is_killed_leaves_whole_files_and_no_lock() {
    let work = tempfile::tempdir().expect("a folder");
    let path = work.path();
    let made = |objective: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        estate(folder.path(), 12, objective);
        let began = Instant::now();
        let out = kilter(&["generate", "-q", "."], folder.path());
        assert_eq!(out.status.code(), Some(0), "{}", said(&out));
        (generated(folder.path()), began.elapsed())
    };
    let ((old, mut took), (new, _)) = (made("99.9%"), made("99.5%"));
    estate(path, 12, "99.9%");
    assert_eq!(kilter(&["generate", "-q", "."], path).status.code(), Some(0));
    // Beside other tests a run takes longer than alone, or shorter: then there are more rounds.
    let (mut killed, mut round) = (0, 0_u32);
    while round < 16 || killed <= 2 && round < 100 {
        estate(path, 12, if round % 2 == 0 { "99.5%" } else { "99.9%" });
        let mut run = Command::new(env!("CARGO_BIN_EXE_kilter"))
            .args(["generate", "-q", "."])
            .current_dir(path)
            .spawn()
            .expect("the command starts");
        // From the start of a run to a little after its end, so that every part of it is hit.
        let (began, lasts) = (Instant::now(), took * (round % 16 + 4) / 16);
        while began.elapsed() < lasts && run.try_wait().expect("it runs").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        took = if run.try_wait().expect("it runs").is_some() { took.min(began.elapsed()) } else { took };
        run.kill().expect("it can be killed");
        killed += u32::from(!run.wait().expect("it ends").success());
        for (name, text) in generated(path).iter().filter(|(name, _)| !name.contains("/.kilter-")) {
            let is = |all: &[(String, Vec<u8>)]| all.iter().any(|(other, whole)| other == name && whole == text);
            assert!(is(&old) || is(&new), "round {round}: {name} is neither old nor new");
        }
        round += 1;
    }
    assert!(killed > 2, "only {killed} of {round} runs were killed before their end");
    estate(path, 12, "99.5%");
    let out = kilter(&["generate", "-q", "."], path);
    assert_eq!((out.status.code(), said(&out).as_str()), (Some(0), ""), "no lock stays behind");
    assert_eq!(generated(path), new, "what killed runs had staged is gone too");
}

/// A disk of its own, in a namespace of its own, where the system allows that; it ends with the script.
fn on_a_disk(script: &str, folder: &Path) -> Option<Output> {
    let mounted = format!("mount -t tmpfs -o size=4m none disk && cd disk && cp ../slo.yaml . && {script}");
    ["unshare -m", "unshare -rm"].iter().find_map(|enter| {
        let allowed = sh(&format!("{enter} sh -c 'mount -t tmpfs none disk'"), folder).status.success();
        let (first, rest) = enter.split_once(' ').expect("an option");
        allowed.then(|| {
            let mut command = Command::new(first);
            command.args([rest, "sh", "-c", &mounted]).env("KILTER", env!("CARGO_BIN_EXE_kilter"));
            command.current_dir(folder).output().expect("unshare starts")
        })
    })
}

/// Generates, changes the SLO, does something to the disk, generates again, and prints what is there before and after.
fn scenario(harm: &str, mend: &str) -> String {
    format!(
        "set -e; \"$KILTER\" generate -q slo.yaml; sed -i s/99.9%/99.5%/ slo.yaml
         find rules dashboards -type f | sort | xargs cksum > ../before
         {harm}
         code=0; \"$KILTER\" generate slo.yaml 2> ../said || code=$?
         {mend}
         find rules dashboards -type f | sort | xargs cksum > ../after
         echo \"exit $code\"; cat ../said; cmp ../before ../after && echo whole; find . -name '.kilter-*'"
    )
}

fn holds(out: &Output, reason: &str) {
    let said = said(out);
    for needed in ["exit 2\n", "\nwhole\n", "cannot be written: ", reason, "every file is as it was", "next: "] {
        assert!(said.contains(needed), "{needed:?} is not in\n{said}");
    }
    assert!(!said.contains("./rules/.kilter-"), "a staged file stayed: {said}");
}

#[test]
fn a_full_disk_leaves_the_old_files_whole() {
    let folder = folder(GOOD);
    fs::create_dir(folder.path().join("disk")).expect("a folder");
    // Everywhere: a limit on the size of files, which the dashboard is above.
    let limited = scenario("trap '' XFSZ; ulimit -f 8", ":");
    holds(
        &sh(&format!("mkdir limited && cd limited && cp ../slo.yaml . && {limited}"), folder.path()),
        "File too large",
    );
    // Where the system allows it: a disk that is really full.
    let full = scenario("dd if=/dev/zero of=fill bs=1k 2> ../dd || true", "rm fill");
    if let Some(out) = on_a_disk(&full, folder.path()) {
        holds(&out, "No space left on device");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = folder(GOOD);
    fs::create_dir(folder.path().join("disk")).expect("a folder");
    if let Some(out) = on_a_disk(&scenario("mount -o remount,ro .", ":"), folder.path()) {
        return holds(&out, "Read-only file system");
    }
    // Who may mount nothing is bound by permissions.
    let script = scenario("chmod -R a-w rules dashboards", "chmod -R u+w rules dashboards");
    holds(&sh(&format!("mkdir bound && cd bound && cp ../slo.yaml . && {script}"), folder.path()), "Permission denied");
}

/// A reader that leaves ends nothing, and what cannot be said is told where it can.
#[test]
fn who_does_not_hear_it_breaks_nothing() {
    let folder = folder(GOOD);
    // Nobody reads any more when it begins to write.
    for (command, status) in [("schema slo", "0"), ("simulate slo.yaml", "0"), ("lint gone.yaml 2>&1", "2")] {
        let script = format!("(sleep 0.2; \"$KILTER\" {command}; echo $? > status) | true; cat status");
        let out = sh(&script, folder.path());
        assert_eq!(said(&out).trim(), status, "{command}");
    }
    for command in ["simulate slo.yaml", "explain --all", "completions bash"] {
        let out = sh(&format!("\"$KILTER\" {command} > /dev/full"), folder.path());
        let said = said(&out);
        assert!(out.status.code() == Some(2) && said.contains("standard output: No space left on device"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    let out = sh("\"$KILTER\" lint slo.yaml 2> /dev/full", folder.path());
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
}

#[test]
fn progress_is_seen_on_a_terminal_only() {
    let folder = folder(&silent());
    let path = folder.path();
    let held = fs::File::open(path).expect("a folder");
    held.lock().expect("a lock");
    let holder = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        drop(held);
    });
    // A slow file: the standard input that comes late keeps the run busy for longer than a moment.
    let slow = "(sleep 1.2; cat slo.yaml) > pipe & TERM=xterm script -qec '\"$KILTER\" generate slow.yaml' /dev/null < /dev/null";
    let out = sh(&format!("mkfifo pipe; ln -s pipe slow.yaml; {slow}"), path);
    holder.join().expect("it ends");
    assert!(out.status.success() && said(&out).contains("kilter: reading and planning"), "{}", said(&out));
    assert!(said(&out).contains("\r\u{1b}[2K") && said(&out).contains("another kilter is at work"), "{}", said(&out));
    let out = sh("(sleep 1; cat slo.yaml) > pipe & \"$KILTER\" generate slow.yaml", path);
    assert!(
        out.status.success() && !said(&out).contains('\u{1b}') && !said(&out).contains("kilter: "),
        "{}",
        said(&out)
    );
    let out = sh(
        "(sleep 1; cat slo.yaml) > pipe & script -qec '\"$KILTER\" generate -q slow.yaml' /dev/null < /dev/null",
        path,
    );
    assert!(out.status.success() && said(&out).is_empty(), "{}", said(&out));
}
