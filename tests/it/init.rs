//! `kilter init` looks at a page of the SDK and finds what the service does.

use std::process::Command;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use kilter::testing::TestTelemetry;
use kilter_harness::{GitHttps, binary, git};
use tower::ServiceExt as _;

kilter::routes! {
    USER = GET "/users/{id}";
    REPORT = GET "/reports";
    IDLE = GET "/idle";
}

async fn user() -> StatusCode {
    StatusCode::OK
}

async fn report() -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

#[tokio::test]
async fn a_page_of_the_sdk_becomes_availability_and_latency_of_every_route() {
    let telemetry = TestTelemetry::new(kilter::service!().routes(ROUTES));
    let app = Router::new()
        .route(USER.path(), get(user))
        .route(REPORT.path(), get(report))
        .route(IDLE.path(), get(user))
        .layer(telemetry.http_server());
    for path in ["/users/1", "/users/2", "/reports", "/nowhere/secret"] {
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("a response");
        axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    }
    for openmetrics in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        // The second scrape shows the truth: series are born at zero.
        telemetry.scrape(openmetrics).await;
        let page = if openmetrics { telemetry.scrape(true).await } else { telemetry.page() };
        std::fs::write(folder.path().join("page.txt"), &page).expect("a file");
        let run = |args: &[&str]| {
            let kilter = binary("kilter").expect("the command is built");
            let out = Command::new(kilter).args(args).current_dir(folder.path()).output().expect("kilter starts");
            let said = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
            assert!(out.status.success(), "{args:?}: {said}\n{page}");
            said
        };
        run(&["init", "--from", "page.txt"]);
        let text = std::fs::read_to_string(folder.path().join("slo.yaml")).expect("an SLO file");
        for needed in [
            "service: kilter-conformance\n",
            "name: users-availability\n",
            "name: users-latency\n",
            "name: reports-availability\n",
            "name: idle-latency\n",
            "- /users/{id}\n",
        ] {
            assert!(text.contains(needed), "{needed} is not in\n{text}");
        }
        assert!(!text.contains("secret") && text.matches("  - name: ").count() == 6, "{text}");
        assert!(run(&["lint"]).contains("0 errors, "));
        run(&["generate"]);
    }
}

#[test]
fn a_running_service_is_looked_at_over_http() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = GitHttps::start(folder.path()).expect("the service starts");
    git(folder.path(), &["clone", "--quiet", &service.clone_url(), "clone"]).expect("a clone");
    let address = format!("http://{}", service.admin_address());
    let out = Command::new(binary("kilter").expect("the command is built"))
        .args(["init", "--from", &address, "--out", "-"])
        .current_dir(folder.path())
        .output()
        .expect("kilter starts");
    let (text, said) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{said}");
    for needed in [
        "service: git-https\n",
        "name: git-upload-pack-availability\n",
        "name: info-refs-latency\n",
        "- /{workspace}/{repo}/info/refs\n",
        "name: hooks-availability\n",
        "errors: rate(hooks_failed_total{job=\"git-https\"}[$window])\n",
    ] {
        assert!(text.contains(needed), "{needed} is not in\n{text}{said}");
    }
}
