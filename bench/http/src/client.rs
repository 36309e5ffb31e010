//! A client of raw sockets, so that it can leave when it wants to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context;

/// A connection that gives up after a while.
pub(crate) fn connect(to: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a head without a body.
pub(crate) fn send(stream: &mut TcpStream, method: &str, path: &str, host: &str, last: bool) -> anyhow::Result<()> {
    let close = if last { "connection: close\r\n" } else { "" };
    stream.write_all(format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{close}\r\n").as_bytes())?;
    Ok(())
}

/// The body of a page.
pub(crate) fn get(from: SocketAddr, path: &str) -> anyhow::Result<String> {
    let mut stream = connect(from)?;
    // HTTP/1.0: the body comes in one piece and ends with the connection.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no head")?;
    anyhow::ensure!(head.contains(" 200 "), "{head}");
    Ok(body.to_owned())
}

/// Reads one answer with a Content-Length from a connection that goes on.
pub(crate) fn answer(stream: &mut BufReader<TcpStream>) -> anyhow::Result<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        anyhow::ensure!(stream.read_line(&mut line)? > 0, "the connection was closed");
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        if line.is_empty() {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length])?;
    Ok(())
}
