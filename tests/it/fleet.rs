//! Git clients through all three services of the fleet that answer requests: `git-https` asks `identity` and
//! `repositories` about each.

use std::fs;
use std::time::Duration;

use fleet_faults::Relay;
use kilter_harness::{GitHttps, Platform, Service, get, git, until};

use crate::conformance::page_conforms;

const SOON: Duration = Duration::from_secs(20);

fn calls(page: &str, dependency: &str, labels: &str) -> f64 {
    let start = format!(
        "http_client_request_duration_seconds_count{{http_request_method=\"GET\",dependency=\"{dependency}\",{labels}}} "
    );
    page.lines().find_map(|it| it.strip_prefix(&start)?.parse().ok()).unwrap_or_default()
}

#[test]
fn clone_fetch_and_push_go_through_identity_and_repositories() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = Platform::start(folder.path()).expect("the platform starts");
    let identity = Service::identity(folder.path(), &platform.address(), &[]).expect("identity starts");
    let repositories = Service::repositories(folder.path(), &[]).expect("repositories starts");
    let (to_identity, to_repositories) =
        (Relay::start(identity.address()).expect("a relay"), Relay::start(repositories.address()).expect("a relay"));
    let [who, what] = [&to_identity, &to_repositories].map(|it| format!("http://{}", it.address()));
    let variables = [("GIT_HTTPS_IDENTITY", who.as_str()), ("GIT_HTTPS_REPOSITORIES", &what)];
    let service = GitHttps::start_with(folder.path(), &variables).expect("git-https starts");
    let url = service.clone_url();
    let with = |token: &str| url.replace("http://", &format!("http://ann:{token}@"));
    let clone = |url: &str, name: &str| git(folder.path(), &["clone", "--quiet", url, name]);

    // The folder has it, and nobody else knows of it.
    let error = clone(&url, "unknown").expect_err("no such repository").to_string();
    assert!(error.contains("not found"), "{error}");
    repositories.create("acme", "site").expect("a repository");
    clone(&url, "clone").expect("a clone without a token");

    // A push of more than git sends in one piece: streamed, after a question whether it would be let in.
    let work = folder.path().join("clone");
    let noise = (0..3_u32 << 20).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[2]);
    fs::write(work.join("large"), noise.collect::<Vec<u8>>()).expect("a file");
    git(&work, &["add", "."]).expect("added");
    git(&work, &["commit", "--quiet", "--message", "large"]).expect("a commit");
    git(&work, &["push", "--quiet", "origin", "main"]).expect_err("without a token nobody pushes");
    git(&work, &["push", "--quiet", &with("no-such-token"), "main"]).expect_err("nobody's token");
    git(&work, &["remote", "set-url", "origin", &with("ann-token")]).expect("a token");
    git(&work, &["-c", "http.postBuffer=65536", "push", "--quiet", "origin", "main"]).expect("a push");
    let head = git(&work, &["rev-parse", "HEAD"]).expect("a commit");
    assert_eq!(git(service.repository(), &["rev-parse", "main"]).expect("a commit"), head);
    let site = until("the report of the push", SOON, || {
        let site = get(&repositories.at("/repositories/acme/site"))?.json()?;
        Ok((site["pushes"] != 0).then_some(site))
    });
    let site = site.expect("it is reported");
    assert_eq!((&site["pushes"], site["head"].as_str()), (&1.into(), Some(head.trim())));
    git(&work, &["fetch", "--quiet"]).expect("a fetch with a token");

    // Each of both is needed, and says on the page of its caller that it is missing.
    for (relay, name) in [(&to_identity, "identity"), (&to_repositories, "repositories")] {
        let before = calls(&service.metrics().expect("a page"), name, "error_type=\"_OTHER\"");
        relay.cut();
        let error = clone(&url, "cut").expect_err("nobody to ask").to_string();
        assert!(error.contains("503"), "{error}");
        relay.pass();
        let page = service.metrics().expect("a page");
        assert!(calls(&page, name, "error_type=\"_OTHER\"") > before, "{page}");
        assert!(page.contains(&format!("error_type=\"{name}_unavailable\"")), "{page}");
    }
    clone(&url, "mended").expect("a clone");
    let site = get(&repositories.at("/repositories/acme/site")).expect("an answer").json().expect("JSON");
    assert_eq!(site["pushes"], 1, "the question before it was no push");
    let page = service.metrics().expect("a page");
    assert!(calls(&page, "identity", "http_response_status_code=\"200\"") > 1.0, "{page}");
    page_conforms(&page, "examples/git-https");
}
