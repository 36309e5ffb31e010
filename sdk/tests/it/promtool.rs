//! The real promtool.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Fails unless `promtool check metrics` can read the page. Its advice on names is not asked for: exit status 3 is
/// advice, 1 is a page that Prometheus cannot read.
pub(crate) fn check_metrics(page: &str) {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is missing: run `cargo xtask tools`");
    child.stdin.take().expect("its input").write_all(page.as_bytes()).expect("a page");
    let output = child.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}\n{page}");
}
