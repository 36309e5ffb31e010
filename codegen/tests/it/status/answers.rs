//! Whatever a server answers, there is no panic: what cannot be used is told, with a next step.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kilter_codegen::model;
use kilter_codegen::prometheus::{Access, Client, Credentials, Failure, PromError, Secret};

/// Gives these answers, each on a connection of its own; the requests that came.
fn serve(answers: Vec<Vec<u8>>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/prefix", listener.local_addr().expect("an address"));
    let serving = thread::spawn(move || {
        let answered = answers.into_iter().map(|answer| {
            let (mut stream, _) = listener.accept().expect("a request");
            let (mut request, mut byte) = (Vec::new(), [0]);
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|it| it == 1) {
                request.push(byte[0]);
            }
            let text = String::from_utf8_lossy(&request).into_owned();
            let length =
                text.lines().find_map(|it| it.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            stream.read_exact(&mut body).expect("the form");
            // The client may have heard enough.
            drop(stream.write_all(&answer));
            text + &String::from_utf8_lossy(&body)
        });
        answered.collect()
    });
    (url, serving)
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn json(status: &str, body: &str) -> Vec<u8> {
    answer(&format!("{status}\r\ncontent-type: application/json"), body.as_bytes())
}

fn client(url: &str) -> Client {
    Client::new(&Access { timeout: Duration::from_secs(5), ..Access::open(url) }).expect("a client")
}

const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1700000000.5,"1.5"]}]},"warnings":["half of it"]}"#;

#[test]
fn each_failure_says_what_to_do() {
    let busy = |more: &str| answer(&format!("503 Service Unavailable\r\nretry-after: 0{more}"), b"starting");
    let timeout = r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#;
    let many = r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory"}"#;
    let bad = r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:3: parse error"}"#;
    let html = b"<!doctype html><title>Sign in</title>";
    for (answers, failure, words) in [
        (vec![answer("200 OK", html)], Failure::NotPrometheus, "a page for browsers"),
        (
            vec![answer("302 Found\r\nlocation: https://u:secret@sso.example/login?token=secret", b"")],
            Failure::Redirected,
            "https://***@sso.example/login",
        ),
        (vec![answer("401 Unauthorized", b"Unauthorized")], Failure::Denied, "--prometheus-token-file"),
        (vec![json("403 Forbidden", r#"{"error":"no"}"#)], Failure::Denied, "--prometheus-token-file"),
        (vec![answer("404 Not Found", b"404 page not found")], Failure::NotFound, "prefix"),
        (vec![answer("405 Method Not Allowed", b""), answer("404 Not Found", b"")], Failure::NotFound, "prefix"),
        (vec![answer("413 Payload Too Large", b"")], Failure::TooMuch, "fewer SLOs"),
        (vec![busy(""), busy(""), busy("")], Failure::Overloaded, "503 Service Unavailable: starting"),
        (vec![answer("429 Too Many Requests\r\nretry-after: 3600", b"")], Failure::Overloaded, "try again"),
        (vec![json("503 Service Unavailable", timeout)], Failure::Timeout, "--prometheus-timeout"),
        (vec![json("422 Unprocessable Entity", many)], Failure::TooMuch, "too many samples"),
        (vec![json("400 Bad Request", bad)], Failure::Query, "parse error"),
        (vec![answer("500 Internal Server Error", b"\x1b[31mboom")], Failure::Server, "boom"),
        (vec![answer("504 Gateway Timeout", html)], Failure::Timeout, "504"),
        (vec![json("200 OK", "[1,2]")], Failure::NotPrometheus, "another form"),
        (vec![json("200 OK", "{\"status\":")], Failure::NotPrometheus, "not JSON"),
        (vec![answer("200 OK", b"\xff\xfe")], Failure::NotPrometheus, "not JSON"),
        (vec![json("200 OK", r#"{"status":"success"}"#)], Failure::NotPrometheus, "neither data nor an error"),
        (
            vec![b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc".to_vec()],
            Failure::NotPrometheus,
            "next: ",
        ),
        (vec![b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()], Failure::NotPrometheus, "next: "),
    ] {
        let (url, serving) = serve(answers);
        let error = client(&url).instant("up", None).expect_err(words);
        let text = error.to_string();
        assert_eq!(error.failure, failure, "{text}");
        assert!(text.contains(words) && text.contains("\n  next: "), "no `{words}` in: {text}");
        assert!(!text.contains("secret") && !text.contains('\x1b'), "{text:?}");
        assert!(text.starts_with(&url), "{text}");
        serving.join().expect("every answer was asked for");
    }
    let error = client("http://127.0.0.1:1").instant("up", None).expect_err("nobody is there");
    assert_eq!(error.failure, Failure::Unreachable, "{error}");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", listener.local_addr().expect("an address"));
    let access = Access { timeout: Duration::from_millis(200), ..Access::open(&silent) };
    let error = Client::new(&access).expect("a client").instant("up", None).expect_err("no answer");
    assert_eq!(error.failure, Failure::Timeout, "{error}");
    // A server without TLS answers a greeting that it does not understand.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let plain = format!("https://{}", listener.local_addr().expect("an address"));
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a request");
        stream
            .read_exact(&mut [0; 5])
            .and_then(|()| stream.write_all(&answer("400 Bad Request", b"")))
            .expect("an answer");
    });
    let error = client(&plain).instant("up", None).expect_err("no TLS");
    assert_eq!(error.failure, Failure::Tls, "{error}");
    serving.join().expect("it was asked");
}

#[test]
fn what_is_asked_goes_as_it_must_and_patience_pays() {
    let busy = answer("429 Too Many Requests\r\nretry-after: 0", b"");
    let (url, serving) = serve(vec![busy, answer("405 Method Not Allowed", b""), json("200 OK", VECTOR)]);
    let access = Access {
        headers: vec![("X-Scope-OrgID".to_owned(), Secret::new("shop"))],
        credentials: Some(Credentials::Basic { user: "u".to_owned(), password: Secret::new("p\n") }),
        ..Access::open(&url)
    };
    assert!(!format!("{access:?}").contains("\"p"), "{access:?}");
    let answer = Client::new(&access).expect("a client").instant("up{a=\"b c\"}", Some(1_500)).expect("an answer");
    assert_eq!((answer.data[0].point.at, answer.warnings.len()), (1_700_000_000_500, 1));
    let requests = serving.join().expect("three requests");
    assert!(requests[1].starts_with("POST /prefix/api/v1/query HTTP"), "{requests:?}");
    assert!(requests[1].ends_with("time=1.500"), "{requests:?}");
    assert!(requests[2].starts_with("GET /prefix/api/v1/query?query=up"), "{requests:?}");
    for request in &requests {
        let lower = request.to_ascii_lowercase();
        assert!(lower.contains("x-scope-orgid: shop\r\n") && request.contains("Basic dTpw\r\n"), "{request}");
    }
    for (name, value) in [("a b", "c"), ("a", "b\nc"), ("", "")] {
        let headers = vec![(name.to_owned(), Secret::new(value))];
        let error = Client::new(&Access { headers, ..Access::open(&url) }).expect_err("no header");
        assert_eq!(error.failure, Failure::Setting, "{error}");
    }
}

/// Real answers, broken in every place by a small generator: an answer or an error, never a panic.
#[test]
fn no_answer_makes_a_panic() {
    let texts = [
        VECTOR,
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"NaN"]]}]}}"#,
        r#"{"status":"success","data":{"groups":[{"name":"g","file":"f","interval":30,"rules":[{"type":"alerting","name":"a","query":"up","duration":1,"health":"ok","alerts":[]}]}]}}"#,
        r#"{"status":"success","data":{"headStats":{"numSeries":1,"minTime":-1,"maxTime":2},"version":"2","alerts":null}}"#,
    ];
    let odd =
        ["null", "[]", "{}", "1e999", "\"", "-", "\u{0}", "\u{1f980}", "[[", "true", "99999999999999999999", "\\u12"];
    let mut seed = 5_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("31 bits") % below
    };
    let mut bodies = Vec::new();
    for _ in 0..60 {
        for text in texts {
            let mut text = text.as_bytes().to_vec();
            let at = random(text.len());
            let word = odd[random(odd.len())];
            match random(3) {
                0 => text.truncate(at),
                1 => drop(text.splice(at..(at + random(6)).min(text.len()), word.bytes())),
                _ => text[at] = b"0\"{}[]:,x\xff"[random(10)],
            }
            bodies.push(text);
        }
    }
    type Ask = fn(&Client) -> Result<(), PromError>;
    let asks: [Ask; 8] = [
        |it| it.instant("up", None).map(drop),
        |it| it.samples("up[1m]", Some(-5)).map(drop),
        |it| it.range("up", 0, 1, model::Duration::from_secs(1)).map(drop),
        |it| it.rules().map(drop),
        |it| it.alerts().map(drop),
        |it| it.head().map(drop),
        |it| it.build_info().map(drop),
        |it| it.flags().map(drop),
    ];
    let count = bodies.len();
    let (url, serving) = serve(bodies.into_iter().map(|it| answer("200 OK", &it)).collect());
    let client = client(&url);
    let mut failed = 0;
    for number in 0..count {
        if let Err(error) = asks[number % asks.len()](&client) {
            failed += 1;
            assert!(error.to_string().contains("\n  next: "), "{error}");
        }
    }
    serving.join().expect("every answer was asked for");
    assert!(failed > count / 2 && failed < count, "{failed} of {count} failed");
}
