//! The `clippy.toml` of the guide does what it promises: ad-hoc metrics outside of their one module are found.

use std::fs;
use std::path::Path;
use std::process::Command;

const SOURCE: &str = r#"//! A service.

/// The one place for ad-hoc metrics.
#[expect(clippy::disallowed_macros, reason = "the one module for metrics without a contract")]
pub mod adhoc {
    /// Hooks.
    pub fn hooks() -> metrics::Counter {
        metrics::counter!("hooks_total")
    }
}

/// A handler that makes metrics of its own.
pub fn stray() {
    metrics::counter!("orders_total").increment(1);
    metrics::gauge!("depth").set(1.0);
    metrics::histogram!("seconds").record(1.0);
}
"#;

#[test]
fn the_snippet_finds_ad_hoc_metrics_outside_of_their_module() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let guide = fs::read_to_string(root.join("docs/adhoc-metrics.md")).expect("the guide");
    let snippet = guide.split("```toml\n").nth(1).and_then(|it| it.split("```").next()).expect("a snippet");
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    fs::create_dir(folder.path().join("src")).expect("a folder");
    write("src/lib.rs", SOURCE);
    write("clippy.toml", snippet);
    // The lock of the workspace, so that nothing has to be fetched.
    fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).expect("the lock file");
    let manifest = "[package]\nname = \"a-service\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nmetrics = \"0.24\"\n[workspace]\n";
    write("Cargo.toml", manifest);
    let out = Command::new(env!("CARGO"))
        .args(["clippy", "--offline", "--quiet", "--message-format", "short"])
        .current_dir(folder.path())
        .env("CARGO_TARGET_DIR", root.join("target/snippet"))
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo clippy runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{said}");
    let found: Vec<&str> = said.lines().filter(|it| it.contains("use of a disallowed macro")).collect();
    let lines = ["src/lib.rs:14:", "src/lib.rs:15:", "src/lib.rs:16:"];
    assert!(found.len() == 3 && lines.iter().all(|line| found.iter().any(|it| it.starts_with(line))), "{said}");
}
