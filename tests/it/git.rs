//! Real git clients against the example service, and what becomes of its faults on the metrics page.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kilter_harness::{GitHttps, git, request, until};

const DEADLINE: Duration = Duration::from_secs(20);

fn start() -> (tempfile::TempDir, GitHttps) {
    let folder = tempfile::tempdir().expect("a folder");
    let service = GitHttps::start(folder.path()).expect("the service starts");
    (folder, service)
}

/// The number of requests that ended with these labels, once all of them are in the line.
fn counted(service: &GitHttps, labels: &[&str]) -> u64 {
    let page = service.metrics().expect("the metrics page");
    let lines = page.lines().filter(|line| line.starts_with("http_server_request_duration_seconds_count{"));
    lines
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .map(|line| line.rsplit(' ').next().and_then(|value| value.parse::<u64>().ok()).expect("a count"))
        .sum()
}

fn expect(service: &GitHttps, labels: &[&str]) {
    until(&format!("a request with {labels:?}"), DEADLINE, || Ok((counted(service, labels) > 0).then_some(())))
        .unwrap_or_else(|error| panic!("{error:#}\n{}", service.metrics().unwrap_or_default()));
}

fn rev(folder: &Path, name: &str) -> String {
    git(folder, &["rev-parse", name]).expect("a commit")
}

/// Adds a commit to the served repository, from a clone of its own.
fn commit(service: &GitHttps, folder: &Path, text: &str) {
    let work = folder.join("work");
    if !work.exists() {
        git(folder, &["clone", "--quiet", &service.repository().to_string_lossy(), "work"]).expect("a local clone");
    }
    fs::write(work.join("README"), text).expect("a change");
    git(&work, &["commit", "--quiet", "--all", "--message", text]).expect("a commit");
    git(&work, &["push", "--quiet", "origin", "main"]).expect("a push");
}

#[test]
fn clone_and_fetch_work_in_every_protocol_version() {
    let (folder, service) = start();
    for version in ["0", "1", "2"] {
        let protocol = format!("protocol.version={version}");
        let name = format!("clone{version}");
        let url = service.clone_url();
        git(folder.path(), &["-c", &protocol, "clone", "--quiet", &url, &name]).expect("a clone");
        let clone = folder.path().join(&name);
        assert_eq!(rev(&clone, "HEAD"), rev(service.repository(), "main"), "version {version}");
        git(&clone, &["fsck", "--strict"]).expect("a whole repository");

        commit(&service, folder.path(), &format!("after the clone of version {version}"));
        git(&clone, &["-c", &protocol, "fetch", "--quiet"]).expect("a fetch");
        assert_eq!(rev(&clone, "origin/main"), rev(service.repository(), "main"), "version {version}");

        let shallow = format!("shallow{version}");
        git(folder.path(), &["-c", &protocol, "clone", "--quiet", "--depth=1", &url, &shallow]).expect("shallow");
        let shallow = folder.path().join(shallow);
        assert_eq!(git(&shallow, &["rev-list", "--count", "HEAD"]).expect("a count").trim(), "1");
        git(&shallow, &["-c", &protocol, "fetch", "--quiet", "--unshallow"]).expect("the rest");
        assert_eq!(rev(&shallow, "HEAD"), rev(service.repository(), "main"), "version {version}");
    }
    // Nothing of this is an error, neither the rounds of a negotiation nor a shallow clone's early end.
    expect(&service, &["http_route=\"/{workspace}/{repo}/git-upload-pack\"", "http_response_status_code=\"200\""]);
    let page = service.metrics().expect("the metrics page");
    let errors: Vec<&str> = page
        .lines()
        .filter(|it| it.starts_with("http_server_request_duration_seconds_count{"))
        .filter(|it| it.contains("error_type=\"") && !it.contains("error_type=\"\"") && !it.ends_with(" 0"))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// Git compresses a request from 1 KiB on: one that wants many refs.
#[test]
fn a_fetch_of_many_refs_sends_a_compressed_body() {
    let (folder, service) = start();
    let clone = folder.path().join("clone");
    git(folder.path(), &["clone", "--quiet", &service.clone_url(), "clone"]).expect("a clone");
    for version in ["0", "2"] {
        for branch in 0..60 {
            let text = format!("version {version}, branch {branch}");
            let made = git(service.repository(), &["commit-tree", "-p", "main", "-m", &text, "main^{tree}"]);
            let name = format!("refs/heads/v{version}-{branch}");
            git(service.repository(), &["update-ref", &name, made.expect("a commit").trim()]).expect("a branch");
        }
        let trace = folder.path().join(format!("trace{version}"));
        let protocol = format!("protocol.version={version}");
        let out = std::process::Command::new("git")
            .args(["-c", &protocol, "fetch", "--quiet", "origin"])
            .env("GIT_TRACE_CURL", &trace)
            .current_dir(&clone)
            .output()
            .expect("git runs");
        assert!(out.status.success(), "version {version}: {}", String::from_utf8_lossy(&out.stderr));
        let trace = fs::read_to_string(&trace).expect("the trace").to_ascii_lowercase();
        assert!(trace.contains("content-encoding: gzip"), "version {version} sent no compressed body");
        let name = format!("v{version}-59");
        assert_eq!(rev(&clone, &format!("origin/{name}")), rev(service.repository(), &name), "version {version}");
    }
}

#[test]
fn requests_that_are_not_git_are_refused_and_leave_the_folder_alone() {
    let (folder, service) = start();
    let secret: PathBuf = folder.path().join("secret.git");
    git(folder.path(), &["init", "--quiet", "--bare", "secret.git"]).expect("a repository outside");
    assert!(secret.join("HEAD").is_file());
    let host = service.clone_url().replace("/acme/site.git", "");
    let request_type = ("content-type", "application/x-git-upload-pack-request");
    for (method, path, headers, status) in [
        ("GET", "/acme/site.git/info/refs?service=git-upload-pack", vec![], 200),
        ("GET", "/acme/site/info/refs?service=git-upload-pack", vec![], 200),
        ("GET", "/acme/site.git/info/refs", vec![], 403),
        ("GET", "/acme/site.git/info/refs?service=git-archive", vec![], 403),
        ("GET", "/acme/site.git/info/refs?service=git-receive-pack", vec![], 403),
        ("GET", "/acme/none.git/info/refs?service=git-upload-pack", vec![], 404),
        ("GET", "/..%2f/secret.git/info/refs?service=git-upload-pack", vec![], 404),
        ("GET", "/%2e%2e/secret.git/info/refs?service=git-upload-pack", vec![], 404),
        ("GET", "/acme/..%2f..%2fsecret.git/info/refs?service=git-upload-pack", vec![], 404),
        ("GET", "/acme/--upload-pack=sh/info/refs?service=git-upload-pack", vec![], 404),
        ("GET", "/acme/site.git/HEAD", vec![], 404),
        ("POST", "/acme/site.git/git-receive-pack", vec![], 403),
        ("POST", "/acme/site.git/git-upload-pack", vec![], 415),
        ("POST", "/acme/site.git/git-upload-pack", vec![request_type, ("content-encoding", "br")], 415),
        ("POST", "/acme/none.git/git-upload-pack", vec![request_type], 404),
    ] {
        let answer = request(method, &format!("{host}{path}"), &headers, &[]).expect("an answer");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    }
}

#[test]
fn each_fault_is_what_it_says() {
    let (folder, service) = start();
    let url = service.clone_url();
    let clone = |name: &str| git(folder.path(), &["clone", "--quiet", &url, name]);
    clone("before").expect("a healthy clone");

    service.fault("upload-pack-missing", true).expect("a fault");
    let error = clone("missing").expect_err("no clone without a program").to_string();
    assert!(error.contains("500"), "{error}");
    service.fault("upload-pack-missing", false).expect("no fault");
    expect(&service, &["git-upload-pack\"", "error_type=\"500\""]);

    service.fault("upload-pack-crash", true).expect("a fault");
    clone("crash").expect_err("no clone from half a pack");
    service.fault("upload-pack-crash", false).expect("no fault");
    expect(&service, &["git-upload-pack\"", "error_type=\"body_error\""]);

    service.fault("hang", true).expect("a fault");
    let slow = ["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=1", "ls-remote", &url];
    git(folder.path(), &slow).expect_err("the client gives up");
    service.fault("hang", false).expect("no fault");
    expect(&service, &["info/refs\"", "error_type=\"client_disconnect\""]);

    service.fault("slow-refs", true).expect("a fault");
    clone("slow").expect("slow, but a clone");
    service.fault("slow-refs", false).expect("no fault");

    service.hooks_fail(true).expect("a failing hook");
    clone("hook").expect("a hook never fails a clone");
    until("the failed hook", DEADLINE, || {
        let page = service.metrics()?;
        Ok(page.lines().any(|it| it.starts_with("hooks_failed_total") && it.ends_with(" 1")).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", service.metrics().unwrap_or_default()));

    let error = service.fault("meteor", true).expect_err("no such fault").to_string();
    assert!(error.contains("upload-pack-missing"), "{error}");
    clone("after").expect("healthy again");
}

/// A repository that breaks while it is served: git's own failure, not one that is switched on.
#[test]
fn a_broken_repository_is_an_error_of_the_service() {
    let (folder, service) = start();
    for pack in fs::read_dir(service.repository().join("objects")).expect("objects").flatten() {
        let _ = fs::remove_dir_all(pack.path());
    }
    let clone = git(folder.path(), &["clone", "--quiet", &service.clone_url(), "clone"]);
    clone.expect_err("no clone without objects");
    until("the error on the page", DEADLINE, || {
        let kinds = ["error_type=\"body_error\"", "error_type=\"upload_pack_failed\""];
        Ok(kinds.iter().any(|kind| counted(&service, &[kind]) > 0).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", service.metrics().unwrap_or_default()));
}

#[test]
fn it_ends_in_good_order_when_asked() {
    let (_folder, mut service) = start();
    service.stop().expect("status 0");
    assert!(service.process().log().contains("ended"), "{}", service.process().log());
    service.start_again().expect("it starts again on its ports");
}
