//! Generated files are what the generator makes today, to the byte; and one byte that differs is found.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::tidy::root;

fn check(folder: &Path) -> Output {
    let kilter = kilter_harness::binary("kilter").expect("the command is built");
    Command::new(kilter).args(["generate", "--check"]).current_dir(folder).output().expect("it starts")
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}

/// Copies a folder; of the examples only what the generator reads.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            if entry.file_name() != "src" {
                copy(&path, &to);
            }
        } else {
            fs::copy(&path, &to).expect("a copy");
        }
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

#[test]
fn what_is_committed_is_what_the_generator_makes() {
    let out = check(&root());
    assert_eq!(out.status.code(), Some(0), "{}\nnext: cargo xtask regen", said(&out));
}

/// In a copy of the estate, so that no other test sees it.
#[test]
fn one_changed_byte_in_any_generated_file_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(root().join("kilter.yaml"), folder.path().join("kilter.yaml")).expect("a copy");
    for name in ["examples", "rules", "dashboards", "perses"] {
        copy(&root().join(name), &folder.path().join(name));
    }
    let out = check(folder.path());
    assert_eq!(out.status.code(), Some(0), "the copy is fresh: {}", said(&out));

    let generated = ["rules", "dashboards", "perses"].map(|it| files(&folder.path().join(it))).concat();
    assert!(generated.len() >= 10, "{generated:?}");
    for path in generated {
        let before = fs::read(&path).expect("a file");
        let mut bytes = before.clone();
        let last = bytes.iter().rposition(u8::is_ascii_alphanumeric).expect("a text");
        bytes[last] ^= 1;
        fs::write(&path, &bytes).expect("a file");
        let out = check(folder.path());
        let name = path.strip_prefix(folder.path()).expect("a path below").display().to_string();
        assert_eq!(out.status.code(), Some(1), "{name}: {}", said(&out));
        let diff = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(diff.contains(&format!("--- a/{name}\n+++ b/{name}\n")), "{name}: {diff}");
        assert_eq!(fs::read(&path).expect("a file"), bytes, "--check writes nothing");
        fs::write(&path, before).expect("a file");
    }
}
