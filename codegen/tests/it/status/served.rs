//! A Prometheus behind TLS and a password, as most are: who may ask, and what its rules are.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kilter_codegen::prometheus::{Access, Client, Credentials, Failure, Secret};
use kilter_harness::{Process, Signal, free_port, tools, until};
use serde_json::Value;

use super::{file, slo, status};
use crate::cli::{kilter, said};

const PASSWORD: &str = "pa:ss word";

/// Of [`PASSWORD`], by bcrypt at its least cost.
const HASH: &str = "$2b$04$FaPn.j.g1I/Rf.pIAkg2Seii8HM44W1iZW8reNj00779sbdWXCkW6";

/// An authority, and a certificate of it for 127.0.0.1.
fn certificates(folder: &Path) {
    let openssl = |args: &str| {
        let out = Command::new(tools::require("openssl").expect("openssl"))
            .args(args.split(' '))
            .current_dir(folder)
            .output()
            .expect("openssl runs");
        assert!(out.status.success(), "{args}: {}", String::from_utf8_lossy(&out.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(&format!("req -x509 {key} -subj /CN=kilter-test-authority -keyout ca.key -out ca.pem"));
    fs::write(folder.join("leaf.cnf"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n")
        .expect("a file");
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=127.0.0.1 -keyout leaf.key -out leaf.csr",
    );
    openssl("x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.cnf -out leaf.pem");
}

struct Server {
    process: Process,
    url: String,
}

/// Starts it on an empty storage, without anything to scrape.
fn start(folder: &Path) -> Server {
    certificates(folder);
    let web = format!(
        "tls_server_config: {{cert_file: leaf.pem, key_file: leaf.key}}\nbasic_auth_users: {{sre: \"{HASH}\"}}\n"
    );
    fs::write(folder.join("web.yml"), web).expect("a file");
    fs::write(folder.join("prometheus.yml"), "rule_files: [\"served/*.yaml\"]\n").expect("a file");
    fs::create_dir(folder.join("served")).expect("a folder");
    fs::write(folder.join("password"), format!("{PASSWORD}\n")).expect("a file");
    let port = free_port().expect("a port");
    let mut command = Command::new(tools::require("prometheus").expect("prometheus"));
    command
        .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.config.file=web.yml"])
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .current_dir(folder);
    let mut server = Server {
        process: Process::start("prometheus", command, folder).expect("Prometheus starts"),
        url: format!("https://127.0.0.1:{port}"),
    };
    let client = Client::new(&access(folder, &server.url)).expect("a client");
    let ready = until("Prometheus behind TLS", Duration::from_secs(30), || {
        assert!(server.process.exited().is_none(), "{}", server.process.log_tail());
        Ok(client.instant("1", None).map(Some)?)
    });
    ready.expect("an answer");
    server
}

fn access(folder: &Path, url: &str) -> Access {
    let credentials = Credentials::Basic { user: "sre".to_owned(), password: Secret::new(PASSWORD) };
    let roots = fs::read(folder.join("ca.pem")).expect("certificates");
    Access { credentials: Some(credentials), roots: Some(roots), ..Access::open(url) }
}

/// Puts the generated rules where it reads them, changed as a careless hand would, and makes it read them.
fn serve(server: &Server, folder: &Path, change: impl Fn(&str) -> String) {
    for entry in fs::read_dir(folder.join("rules")).expect("rules").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rules.yaml") {
            let text = fs::read_to_string(entry.path()).expect("rules");
            fs::write(folder.join("served").join(name), change(&text)).expect("a file");
        }
    }
    server.process.signal(Signal::Hangup).expect("a signal");
}

#[test]
fn behind_tls_and_a_password_rules_are_held_against_the_generated_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let server = start(path);
    fs::write(path.join("slo.yaml"), file("shop", &(slo("buys", "") + &slo("sells", "")))).expect("a file");
    fs::write(path.join("kilter.yaml"), "services: [slo.yaml]\nteams: {store: {page: p, ticket: t}}\n")
        .expect("a file");
    let out = kilter(&["generate", "-q"], path);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));

    who_may_ask(&server.url, path);
    let asks = ["--prometheus", &server.url, "--prometheus-ca", "ca.pem", "--prometheus-user", "sre"];
    let asks = [&asks[..], &["--prometheus-password-file", "password"]].concat();
    let ask = |args: &[&str]| status(&[&asks[..], args].concat(), path);
    let (code, _, said) = ask(&["--gate"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("blocked shop/buys: this Prometheus is empty"), "{said}");

    // As generated; nothing needs to have been evaluated for that.
    serve(&server, path, str::to_owned);
    let rules = |differences: usize| {
        until("the rules", Duration::from_secs(20), || {
            let (code, json, said) = ask(&["--rules", "--fail-on", "rules", "--format", "json"]);
            let found = json["rules"]["differences"].as_array().map_or(0, Vec::len);
            let expected = code == Some(i32::from(differences > 0)) && json["failed"] == (differences > 0);
            // What is not as expected is told when the time is over.
            (found == differences && expected).then_some(()).ok_or_else(|| std::io::Error::other(said))?;
            Ok(Some(json["rules"]["differences"].clone()))
        })
        .unwrap_or_else(|error| panic!("{error:#}\n{}", server.process.log_tail()))
    };
    rules(0);
    let (code, _, said) = ask(&["--rules"]);
    assert!(code == Some(0) && said.contains("runs all ") && said.contains(" as generated"), "{said}");

    // An expression, a threshold of time and a text edited; a rule dropped, one added; a group of a service that is gone;
    // one that fails, evaluated at once.
    serve(&server, path, |text| {
        if !text.contains("slo-shop") {
            return text.to_owned();
        }
        let text = text.replacen("vector(0.99)", "vector(0.98)", 1).replacen("for: 15m", "for: 25m", 1);
        let text = text.replacen("severity: ticket", "severity: tickets", 1);
        let info = text
            .find("  - record: slo:info")
            .map(|at| (at, at + 2 + text[at + 2..].find("\n  - ").expect("a rule") + 1));
        let text = info.map_or(text.clone(), |(start, end)| [&text[..start], &text[end..]].concat());
        let many = "vector(1) + on () (vector(1) or label_replace(vector(1), \"a\", \"b\", \"\", \"\"))";
        let text = text.replacen("interval: 2m", "interval: 1s", 1);
        let budget = "  - record: slo:period_coverage:ratio\n    expr: ";
        let (before, after) = text.split_once(budget).expect("the coverage");
        let after = after.split_once('\n').expect("a line").1;
        let added = "- {record: 'slo:mine', expr: up}";
        let group =
            |name: &str, series: &str| format!("- {{name: {name}, rules: [{{record: '{series}', expr: up}}]}}\n");
        let others = group("slo-mall", "slo:x") + &group("slo-of-others", "x");
        format!("{before}{budget}'{many}'\n  {added}\n{after}{others}")
    });
    let differences = rules(9);
    let kinds = |kind: &str| {
        let all = differences.as_array().expect("a list").iter().filter(|it| it["kind"] == kind);
        all.map(|it| {
            let what = it["what"].as_array().expect("a list").iter().map(|it| it["field"].as_str().unwrap_or_default());
            let rule = it["rule"].as_str().unwrap_or(it["group"].as_str().expect("a group"));
            format!("{rule} {}", what.collect::<Vec<_>>().join(","))
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(kinds("missing"), ["slo:info "], "{differences:#}");
    assert_eq!(kinds("extra"), ["slo:mine ", "slo-mall rules"], "{differences:#}");
    let failing: Vec<&Value> =
        differences.as_array().expect("a list").iter().filter(|it| it["kind"] == "failing").collect();
    assert!(failing.len() == 1 && failing[0]["what"][0]["served"].as_str().expect("why").contains("match group"));
    assert_eq!(
        kinds("stale"),
        [
            "slo:objective:ratio expr",
            "ErrorBudgetBurn labels.severity",
            "SLODataMissing for",
            "slo-shop-budget interval",
            "slo:period_coverage:ratio expr"
        ],
        "{differences:#}"
    );
    let (code, _, said) = ask(&["--rules"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("warning"), "{said}");
    for words in [
        "stale slo-shop slo:objective:ratio{",
        "expr is vector(0.98)",
        "generated: vector(0.99)",
        "for is 25m",
        "the last evaluation failed: ",
        "9 differences on https://127.0.0.1",
    ] {
        assert!(said.contains(words), "no `{words}` in:\n{said}");
    }

    // What it does not accept it does not run, and nobody else says so.
    serve(&server, path, |_| "groups: what".to_owned());
    until("a failed reload", Duration::from_secs(20), || {
        let (_, json, said) = ask(&["--rules", "--format", "json"]);
        (json["rules"]["reload_failed"] == true && said.contains("could not load"))
            .then_some(())
            .ok_or_else(|| std::io::Error::other(said))?;
        Ok(Some(()))
    })
    .expect("a warning");
}

/// Nobody without a password, nobody who does not trust the certificate; no secret is ever shown.
fn who_may_ask(url: &str, folder: &Path) {
    let failure = |access: &Access| Client::new(access).expect("a client").instant("1", None).map_err(|it| it.failure);
    let good = access(folder, url);
    assert!(failure(&good).is_ok());
    assert_eq!(failure(&Access { roots: None, ..good.clone() }), Err(Failure::Tls));
    assert_eq!(failure(&Access { credentials: None, ..good.clone() }), Err(Failure::Denied));
    assert!(Client::new(&Access { roots: Some(b"none".to_vec()), ..good }).is_err());

    let embedded = url.replace("https://", "https://sre:pa%3Ass%20word@");
    let out = kilter(&["status", "--prometheus", &embedded, "--prometheus-ca", "ca.pem"], folder);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    assert!(said(&out).contains("on https://***@127.0.0.1:") && !said(&out).contains("word"), "{}", said(&out));
    for (args, words) in [
        (&["--prometheus-user", "sre"][..], "KILTER_PROMETHEUS_PASSWORD"),
        (&["--prometheus-token-file", "eDp5"], "--prometheus-token-file: "),
        (&["--prometheus-header", "Authorization: Basic eDp5"], "--prometheus-token-file"),
        (&["--prometheus-header", "eDp5"], "--prometheus-header: "),
        (&[], "trust its certificate with --prometheus-ca FILE"),
    ] {
        let out = kilter(&[&["status", "--prometheus", url], args].concat(), folder);
        assert!(out.status.code() == Some(2) && said(&out).contains(words), "{args:?}: {}", said(&out));
        assert!(!said(&out).contains("eDp5"), "what may be a secret is shown: {}", said(&out));
    }
    let out = Command::new(env!("CARGO_BIN_EXE_kilter"))
        .args(["status", "--prometheus-user", "sre"])
        .envs([("KILTER_PROMETHEUS", url), ("KILTER_PROMETHEUS_PASSWORD", PASSWORD), ("SSL_CERT_FILE", "ca.pem")])
        .current_dir(folder)
        .output()
        .expect("the command starts");
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let out = kilter(&["status"], folder);
    assert!(out.status.code() == Some(2) && said(&out).contains("no Prometheus is named"), "{}", said(&out));
}
