//! A small HTTP/1.1 client over a blocking socket: what talking to Prometheus, Alertmanager and a service needs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, bail};

/// How long a connection may stay silent.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body, with chunks put together.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", self.text()))
    }

    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// GET.
pub fn get(url: &str) -> anyhow::Result<Response> {
    request("GET", url, &[], &[])
}

/// GET of what takes its time, such as a query over millions of samples.
pub fn get_within(url: &str, time: Duration) -> anyhow::Result<Response> {
    request_within("GET", url, &[], &[], time)
}

/// POST with a body of this content type.
pub fn post(url: &str, content_type: &str, body: &[u8]) -> anyhow::Result<Response> {
    request("POST", url, &[("content-type", content_type)], body)
}

/// One request on a connection of its own. The URL is `http://host:port/path?query`, already encoded.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> anyhow::Result<Response> {
    request_within(method, url, headers, body, TIMEOUT)
}

fn request_within(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    time: Duration,
) -> anyhow::Result<Response> {
    let rest = url.strip_prefix("http://").with_context(|| format!("not an http URL: {url}"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).with_context(|| format!("could not connect to {host}"))?;
    stream.set_read_timeout(Some(time))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut head = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    read(BufReader::new(stream), method).with_context(|| format!("{method} {url}"))
}

fn read(mut from: impl BufRead, method: &str) -> anyhow::Result<Response> {
    let status_line = line(&mut from)?;
    let status: u16 = status_line
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .with_context(|| format!("not a status line: {status_line:?}"))?;
    let mut headers = Vec::new();
    loop {
        let line = line(&mut from)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').with_context(|| format!("not a header: {line:?}"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut response = Response { status, headers, body: Vec::new() };
    let chunked = response.header("transfer-encoding").is_some_and(|it| it.eq_ignore_ascii_case("chunked"));
    let length = response.header("content-length").map(str::parse::<usize>).transpose().context("content-length")?;
    response.body = match length {
        _ if method == "HEAD" || status == 204 || status == 304 => Vec::new(),
        _ if chunked => read_chunks(&mut from)?,
        Some(length) => {
            let mut body = vec![0; length];
            from.read_exact(&mut body).context("the body broke off")?;
            body
        }
        None => {
            let mut body = Vec::new();
            from.read_to_end(&mut body)?;
            body
        }
    };
    Ok(response)
}

fn read_chunks(from: &mut impl BufRead) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let header = line(from).context("the body broke off")?;
        let size = header.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).with_context(|| format!("not the size of a chunk: {header:?}"))?;
        if size == 0 {
            while !line(from)?.is_empty() {}
            return Ok(body);
        }
        let start = body.len();
        body.resize(start + size, 0);
        from.read_exact(&mut body[start..]).context("the body broke off")?;
        line(from)?;
    }
}

/// A line without its end; a connection that closed instead is an error.
fn line(from: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        bail!("the connection was closed");
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn reads_bodies_of_every_framing() {
        for (name, answer, body) in [
            ("sized", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", "abc"),
            (
                "chunked",
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
                "abc",
            ),
            ("to the end", "HTTP/1.0 500 Oops\r\n\r\nabc", "abc"),
            ("none", "HTTP/1.1 204 No Content\r\n\r\n", ""),
        ] {
            let response = read(answer.as_bytes(), "GET").unwrap();
            assert_eq!(response.text(), body, "{name}");
        }
    }

    #[test]
    fn a_body_that_breaks_off_is_an_error() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nabc",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "",
            "nonsense\r\n\r\n",
        ] {
            assert!(read(answer.as_bytes(), "GET").is_err(), "{answer:?}");
        }
    }
}
