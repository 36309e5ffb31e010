//! What is asked for a page, and what it answers: addresses that are none, formats by their Content-Type, answers that
//! cannot be read. And what the guide promises of the command.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use crate::cli::{kilter, said};

/// Serves these answers, one to each connection; the address.
fn served(answers: Vec<(&'static str, &'static str)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for (head, body) in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            lines.take_while(|it| !it.is_empty()).for_each(drop);
            let length = body.len();
            write!(stream, "HTTP/1.1 200 OK\r\n{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}").ok();
        }
    });
    format!("http://{address}/metrics")
}

#[test]
fn the_content_type_says_the_format() {
    const OPEN: &str = "content-type: application/openmetrics-text; version=1.0.0\r\n";
    const TEXT: &str = "content-type: text/plain; version=0.0.4\r\n";
    let cases = [
        (TEXT, "# UNIT a seconds\na 1\n# EOF\nb 1\n", 0, "2 series"),
        (TEXT, "a 1\n\n# EOF\n", 0, "1 series"),
        ("", "a 1\n", 0, "1 series"),
        (TEXT, "a_total 1 # {t=\"1\"} 1\n", 1, "which only OpenMetrics has"),
        (OPEN, "a 1\n", 1, "does not end in `# EOF`"),
        (OPEN, "a 1\n# EOF\n", 0, "1 series"),
        ("content-encoding: br\r\n", "a 1\n", 2, "packed as `br`"),
        ("content-type: application/json\r\n", "{\"status\":\"ok\"}", 2, "this is JSON, not metrics"),
    ];
    let url = served(cases.iter().map(|(head, body, ..)| (*head, *body)).collect());
    let folder = tempfile::tempdir().expect("a folder");
    for (head, body, status, part) in cases {
        let out = kilter(&["conform", &url], folder.path());
        assert_eq!(out.status.code(), Some(status), "{head}{body}: {}", said(&out));
        assert!(said(&out).contains(part), "{head}{body}: {}", said(&out));
    }
}

#[test]
fn what_is_no_page_is_named_as_what_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("status", "{\"status\":\"ok\"}\n"), ("list", "[1]"), ("quoted", "{\"a.b\"} 1\n")] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    for (page, status, part, not) in [
        ("status", 2, "this is JSON, not metrics", "KLT"),
        ("list", 2, "this is JSON, not metrics", "KLT"),
        ("quoted", 1, "a quoted name", "JSON"),
        ("ftp://u:secret@x/y", 2, "only http:// and https://", "http://ftp"),
        ("ftp://u:secret@x/y", 2, "ftp://***@x/y", "secret"),
        ("HTTP://localhost", 2, "only http:// and https://", "http://HTTP"),
        ("localhost:9464", 2, "http://localhost:9464", "only"),
        ("", 2, "no page has an empty name", "directory"),
    ] {
        let out = kilter(&["conform", page], folder.path());
        let said = said(&out);
        assert_eq!(out.status.code(), Some(status), "{page}: {said}");
        assert!(said.contains(part) && !said.contains(not), "{page}: {said}");
    }
}

/// The guide's workflow: with `--strict` a label with the customer's id ends with status 1.
#[test]
fn a_label_of_its_own_fails_the_strict_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = "# HELP job_active_runs Runs of background jobs in progress.\n# TYPE job_active_runs gauge\njob_active_runs{job_name=\"gc\",customer=\"ann\"} 1\n";
    fs::write(folder.path().join("page.prom"), page).expect("a file");
    for (args, status) in [(&["conform", "page.prom"][..], 0), (&["conform", "page.prom", "--strict"], 1)] {
        let out = kilter(args, folder.path());
        assert_eq!(out.status.code(), Some(status), "{}", said(&out));
        assert!(said(&out).contains("`customer`"), "{}", said(&out));
    }
}
