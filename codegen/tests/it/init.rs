//! `kilter init`: whatever it is given, nothing is overwritten and what it writes passes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::cli::{kilter, said, tree};
use crate::support::tool;

/// A page as exporters and services of others write it.
const FOREIGN: &str = r#"# HELP go_goroutines Number of goroutines that currently exist.
# TYPE go_goroutines gauge
go_goroutines 8
# HELP http_requests_total Requests by status.
# TYPE http_requests_total counter
http_requests_total{code="200",method="get"} 1.2034e+05
http_requests_total{code="404",method="get"} 310
http_requests_total{code="500",method="get"} 240
# HELP http_request_duration_seconds Time to answer.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{handler="/\"q\"",le="0.1"} 100000
http_request_duration_seconds_bucket{handler="/\"q\"",le="0.3"} 119900
http_request_duration_seconds_bucket{handler="/\"q\"",le="+Inf"} 120890
http_request_duration_seconds_sum{handler="/\"q\""} 5321.5
http_request_duration_seconds_count{handler="/\"q\""} 120890
# HELP node_network_receive_errs_total Network device statistic receive_errs.
# TYPE node_network_receive_errs_total counter
node_network_receive_errs_total{device="eth0"} 0
# HELP node_network_receive_packets_total Network device statistic receive_packets.
# TYPE node_network_receive_packets_total counter
node_network_receive_packets_total{device="eth0"} 8.8231e+07
# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu="0",mode="idle"} 185231.42
# HELP pg_up Whether the last scrape could connect to the server.
# TYPE pg_up gauge
pg_up 1
# HELP rpc_durations_seconds RPC latency distributions.
# TYPE rpc_durations_seconds summary
rpc_durations_seconds{service="a",quantile="0.99"} 3.2e-06
rpc_durations_seconds_count{service="a"} 262
"#;

/// Runs the command with something on its standard input.
fn piped(args: &[&str], input: &[u8], folder: &Path) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kilter"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // The command may stop reading early, such as of a page that is too large.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let out = child.wait_with_output().expect("the command ends");
    writer.join().expect("the writer ends");
    out
}

/// Everything that is written passes lint, generates, and Prometheus takes its rules.
fn passes(folder: &Path) {
    let out = kilter(&["lint"], folder);
    assert!(out.status.code() == Some(0) && said(&out).contains("0 errors, "), "{}", said(&out));
    let out = kilter(&["generate"], folder);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    for entry in fs::read_dir(folder.join("rules")).expect("rules").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rules.yaml") {
            let (fine, said) = tool("promtool", &["check", "rules", &name], &folder.join("rules"));
            assert!(fine, "{name}: {said}");
        }
    }
}

fn slo_file(folder: &Path) -> String {
    fs::read_to_string(folder.join("slo.yaml")).expect("an SLO file")
}

/// The SLOs of a file: name and objective.
fn slos(text: &str) -> Vec<String> {
    let file = kilter_codegen::yaml::from_str::<serde_json::Value>(text).expect("YAML");
    let one =
        |it: &serde_json::Value| format!("{} {}", it["name"].as_str().unwrap(), it["objective"].as_str().unwrap());
    file["slos"].as_array().expect("a list").iter().map(one).collect()
}

#[test]
fn a_draft_without_a_question_passes_and_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::write(path.join("Cargo.toml"), "[workspace]\nx = 1\n[package]\nversion = \"1\"\nname = \"Order_Desk\"\n")
        .expect("a file");
    let out = kilter(&["init"], path);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    assert!(slo_file(path).contains("\nservice: order-desk\n"), "{}", slo_file(path));
    assert_eq!(slos(&slo_file(path)), ["requests-availability 99.9%", "requests-latency 99%"]);
    passes(path);
    let before = tree(path);
    let out = kilter(&["init", "--route", "/x"], path);
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("slo.yaml is already here"), "{}", said(&out));
    assert_eq!(tree(path), before);
}

#[test]
fn names_from_the_command_line_become_pairs_of_slos() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let given = "init --service shop --team 007 --route /orders/{id} --route /{id} --route / --dependency identity --database main --job nightly --cache sessions";
    let out = kilter(&given.split(' ').collect::<Vec<_>>(), path);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let names = slos(&slo_file(path));
    let expected = "orders-availability 99.9%, orders-latency 99%, id-availability 99.9%, id-latency 99%, root-availability 99.9%, root-latency 99%, identity-availability 99.5%, identity-latency 99%, main-availability 99.9%, main-latency 99%, nightly-success 99%, nightly-freshness 99%, sessions-hits 80%";
    assert_eq!(names.join(", "), expected);
    passes(path);
}

#[test]
fn wrong_names_are_told_with_a_caret_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = kilter(&["init", "--route", "orders id"], folder.path());
    assert_eq!(out.status.code(), Some(1));
    assert!(said(&out).contains("`orders id` is no route template") && said(&out).contains('^'), "{}", said(&out));
    let out = kilter(&["init", "--service", "No Name"], folder.path());
    assert_eq!(out.status.code(), Some(2));
    assert!(tree(folder.path()).is_empty());
}

#[test]
fn an_estate_gives_its_teams_and_says_when_it_does_not_name_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let estate = "services: [\"services/*/slo.yaml\"]\nselector: 'app=\"{{service}}\"'\nidentity: {env: prod}\nteams: {store: {page: p, ticket: t}}\n";
    fs::write(path.join("kilter.yaml"), estate).expect("a file");
    fs::create_dir_all(path.join(".git")).expect("a folder");
    fs::create_dir_all(path.join("services/shop")).expect("a folder");
    fs::create_dir_all(path.join("elsewhere")).expect("a folder");
    fs::write(path.join("page.txt"), FOREIGN).expect("a file");
    let out = kilter(&["init", "--from", "../../page.txt"], &path.join("services/shop"));
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let text = slo_file(&path.join("services/shop"));
    assert!(text.contains("team: store") && text.contains("service: shop"), "{text}");
    assert!(text.contains("http_requests_total{app=\"shop\",env=\"prod\""), "{text}");
    assert!(
        !path.join("services/shop/kilter.yaml").exists() && !said(&out).contains("does not name it"),
        "{}",
        said(&out)
    );
    passes(path);
    let out = kilter(&["init"], &path.join("elsewhere"));
    assert!(said(&out).contains("add elsewhere/slo.yaml to `services`"), "{}", said(&out));
    let out = kilter(&["init", "--team", "nobody", "--out", "more.yaml"], &path.join("elsewhere"));
    assert_eq!(out.status.code(), Some(1), "{}", said(&out));
    assert!(said(&out).contains("no receivers for the team"), "{}", said(&out));
}

#[test]
fn a_service_that_the_estate_has_already_is_not_drafted_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::write(path.join("kilter.yaml"), "services: [\"*.slo.yaml\"]\n").expect("a file");
    for out in ["z.slo.yaml", "a.slo.yaml"] {
        let out = kilter(&["init", "--service", "shop", "--out", out], path);
        let twice = path.join("z.slo.yaml").exists() && said(&out).contains("is already defined in");
        assert!(out.status.code() == Some(0) || twice, "{}", said(&out));
    }
    assert!(!path.join("a.slo.yaml").exists(), "a second file of one service");
    // What was wrong before does not keep a draft from being written.
    fs::write(path.join("broken.slo.yaml"), "apiVersion: kilter/v1\n").expect("a file");
    let out = kilter(&["init", "--service", "mall", "--out", "mall.slo.yaml"], path);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
}

#[test]
fn pages_of_others_give_events_latency_and_uptime() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let out = piped(&["init", "--from", "-", "--service", "shop"], FOREIGN.as_bytes(), path);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let text = slo_file(path);
    let expected = "http-requests-availability 99.5%, node-network-receive-availability 99.9%, pg-uptime 99.9%, http-request-latency 99%";
    assert_eq!(slos(&text).join(", "), expected);
    for needed in [
        "errors: rate(http_requests_total{job=\"shop\",code=~\"5..\"}[$window])",
        "total: rate(node_network_receive_packets_total{job=\"shop\"}[$window])",
        "up: pg_up{job=\"shop\"}",
        "slower_than: 300ms",
        "# 120890 events seen, 0.19% of them bad.",
        "# 99.18% of 120890 events took at most 300ms, the nearest bound.",
    ] {
        assert!(text.contains(needed), "{needed} is not in\n{text}");
    }
    passes(path);
}

#[test]
fn hundreds_of_routes_do_not_become_hundreds_of_slos() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut page = "# TYPE http_server_request_duration_seconds histogram\n".to_owned();
    for n in 0..500 {
        let labels =
            format!("http_request_method=\"GET\",http_route=\"/r{n}/{{id}}\",http_response_status_code=\"200\"");
        let count = 500 - n;
        page.push_str(&format!("http_server_request_duration_seconds_bucket{{{labels},le=\"0.05\"}} {count}\nhttp_server_request_duration_seconds_count{{{labels}}} {count}\n"));
    }
    page.push_str("http_server_request_duration_seconds_count{http_route=\"bad route\\n\"} 9\n");
    let out = piped(&["init", "--from", "-", "--service", "shop"], page.as_bytes(), folder.path());
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let all = slos(&slo_file(folder.path()));
    assert_eq!(all.len(), 42, "twenty routes and the others, a pair each");
    assert!(
        all.contains(&"other-latency 99%".to_owned()) && all.contains(&"r0-availability 99.9%".to_owned()),
        "{all:?}"
    );
    assert!(said(&out).contains("280 routes with the least traffic are in no SLO"), "{}", said(&out));
    passes(folder.path());
}

#[test]
fn what_is_no_page_is_refused_with_a_next_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let huge = vec![b'#'; (64 << 20) + 1];
    let broken_gzip = [0x1f, 0x8b, 8, 0, 0, 1];
    for (what, input, code, answer) in [
        ("a page for browsers", b"<!doctype html><html>".as_slice(), 2, "a page for browsers"),
        ("nothing", b"", 2, "the page is empty"),
        ("too much", huge.as_slice(), 2, "larger than 64 MiB"),
        ("bytes", b"a\xff\xfe 1\n", 2, "not a text in UTF-8"),
        ("broken gzip", broken_gzip.as_slice(), 2, "broken gzip"),
        ("JSON", b"{\"status\":\"ok\"}", 2, "this is JSON, not metrics"),
        ("an SLO file", b"# ours\n---\n\napiVersion: kilter/v1\nservice: shop\n", 2, "this is YAML, not metrics"),
        ("no pair", b"# TYPE a gauge\na 1\nx{\n", 1, "nothing on this page counts events"),
    ] {
        let out = piped(&["init", "--from", "-"], input, folder.path());
        assert_eq!(out.status.code(), Some(code), "{what}: {}", said(&out));
        assert!(said(&out).contains(answer) && said(&out).contains("next: "), "{what}: {}", said(&out));
        assert!(tree(folder.path()).is_empty(), "{what}: something was written");
    }
    for (from, answer) in [
        ("http://127.0.0.1:1/metrics", "is the service running"),
        ("https://u:secret@127.0.0.1:1/metrics", "https://***@127.0.0.1:1/metrics: "),
        ("localhost:9464", "http://localhost:9464"),
        ("nowhere.txt", "nowhere.txt"),
        ("http://", "next: "),
    ] {
        let out = kilter(&["init", "--from", from], folder.path());
        assert_eq!(out.status.code(), Some(2), "{from}: {}", said(&out));
        assert!(said(&out).contains(answer), "{from}: {}", said(&out));
    }
}

/// Serves one answer to one request; the address.
fn serve(head: &'static str, body: Vec<u8>) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a request");
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|it| it == 1) {
            request.push(byte[0]);
        }
        let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).expect("an answer");
        String::from_utf8_lossy(&request).into_owned()
    });
    (address, serving)
}

fn gzip(text: &str, folder: &Path) -> Vec<u8> {
    fs::write(folder.join("page"), text).expect("a file");
    let out = Command::new("gzip").args(["-c", "page"]).current_dir(folder).output().expect("gzip runs");
    out.stdout
}

#[test]
fn pages_come_over_http_packed_or_not() {
    let scratch = tempfile::tempdir().expect("a folder");
    let packed = gzip(FOREIGN, scratch.path());
    for (head, body) in [
        ("200 OK\r\ncontent-type: text/plain", FOREIGN.as_bytes().to_vec()),
        ("200 OK\r\ncontent-encoding: gzip", packed.clone()),
        ("200 OK\r\ncontent-type: application/gzip", packed.clone()),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let (address, serving) = serve(head, body);
        let out = kilter(&["init", "--from", &address, "--service", "shop"], folder.path());
        assert_eq!(out.status.code(), Some(0), "{head}: {}", said(&out));
        assert_eq!(slos(&slo_file(folder.path())).len(), 4, "{head}");
        let request = serving.join().expect("the server ends").to_lowercase();
        assert!(request.starts_with("get /metrics http/1.1"), "{request}");
        assert!(!request.contains("x-prometheus-scrape"), "it is no scrape: {request}");
    }
    let (address, serving) = serve("404 Not Found", b"no".to_vec());
    let out = kilter(&["init", "--from", &format!("{address}/stats")], scratch.path());
    assert!(out.status.code() == Some(2) && said(&out).contains("404"), "{}", said(&out));
    serving.join().expect("the server ends");
    fs::write(scratch.path().join("page.gz"), packed).expect("a file");
    let out = kilter(&["init", "--from", "page.gz", "--out", "-"], scratch.path());
    assert!(out.status.code() == Some(0) && said(&out).contains("pg-uptime"), "{}", said(&out));
    assert!(!scratch.path().join("slo.yaml").exists());
}
