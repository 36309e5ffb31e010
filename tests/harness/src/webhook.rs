//! A receiver of Alertmanager's webhooks that keeps what it was sent, and serves the runbooks that pages link to.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

use crate::until;

/// One notification.
#[derive(Debug, Clone)]
pub struct Received {
    /// When it arrived.
    pub at: Instant,
    /// The path it was posted to: which receiver.
    pub path: String,
    /// What Alertmanager sent, as it was.
    pub body: Value,
    /// The alerts in it.
    pub alerts: Vec<ReceivedAlert>,
}

/// An alert in a notification.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReceivedAlert {
    /// `firing` or `resolved`.
    pub status: String,
    /// With `alertname`, `severity`, `service`, `slo`.
    pub labels: BTreeMap<String, String>,
    /// With `summary`, `description`, `runbook_url`, `dashboard_url`.
    pub annotations: BTreeMap<String, String>,
}

impl ReceivedAlert {
    /// A label, empty when absent as in PromQL.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// An annotation, empty when absent.
    pub fn annotation(&self, name: &str) -> &str {
        self.annotations.get(name).map_or("", String::as_str)
    }
}

/// Listens on 127.0.0.1 until it is dropped.
#[derive(Debug)]
pub struct Webhook {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Webhook {
    /// Starts listening. A GET is answered with the file of that path below `files`.
    pub fn start(files: &Path) -> anyhow::Result<Self> {
        let files = files.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").context("could not listen on 127.0.0.1")?;
        let port = listener.local_addr()?.port();
        let (received, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (kept, ending) = (Arc::clone(&received), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if ending.load(Ordering::Relaxed) {
                    break;
                }
                let (kept, files) = (Arc::clone(&kept), files.clone());
                // Alertmanager keeps its connections open: one thread for each.
                thread::spawn(move || stream.map(|stream| serve(stream, &kept, &files)));
            }
        });
        Ok(Self { port, received, stop, thread: Some(thread) })
    }

    /// The address of one receiver, such as `url("page")`.
    pub fn url(&self, receiver: &str) -> String {
        format!("http://127.0.0.1:{}/{receiver}", self.port)
    }

    /// All that has arrived so far, in order.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The notifications of one receiver.
    pub fn of(&self, receiver: &str) -> Vec<Received> {
        let path = format!("/{receiver}");
        self.received().into_iter().filter(|it| it.path == path).collect()
    }

    /// Waits for an alert of this status at a receiver, and gives it with its time of arrival.
    pub fn wait_for(
        &self,
        receiver: &str,
        status: &str,
        alertname: &str,
        deadline: Duration,
    ) -> anyhow::Result<(Instant, ReceivedAlert)> {
        let found = until(&format!("{alertname} ({status}) at the receiver {receiver}"), deadline, || {
            let wanted = |alert: &&ReceivedAlert| alert.status == status && alert.label("alertname") == alertname;
            Ok(self.of(receiver).iter().find_map(|it| Some((it.at, it.alerts.iter().find(wanted)?.clone()))))
        });
        found.with_context(|| format!("arrived so far: {}", self.summary()))
    }

    /// One line per alert that arrived, for the message of an error.
    pub fn summary(&self) -> String {
        let mut lines = String::new();
        for notification in self.received() {
            for alert in &notification.alerts {
                let labels: Vec<String> = alert.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
                lines.push_str(&format!("\n  {} {} {}", notification.path, alert.status, labels.join(" ")));
            }
        }
        if lines.is_empty() { "nothing".to_owned() } else { lines }
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers the requests of one connection until it closes.
fn serve(stream: TcpStream, kept: &Mutex<Vec<Received>>, files: &Path) -> anyhow::Result<()> {
    let mut answers = stream.try_clone()?;
    let mut from = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if from.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
        let mut length = 0;
        loop {
            let mut header = String::new();
            from.read_line(&mut header)?;
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        if first.starts_with("GET ") {
            answers.write_all(&file(files, &path))?;
            continue;
        }
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let alerts = Vec::deserialize(&body["alerts"]).unwrap_or_default();
        let arrived = Received { at: Instant::now(), path, body, alerts };
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(arrived);
        answers.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
}

/// The answer to a GET: a file of plain names below the folder, or 404.
fn file(files: &Path, path: &str) -> Vec<u8> {
    let name = path.trim_start_matches('/');
    let plain = Path::new(name).components().all(|it| matches!(it, Component::Normal(_)));
    let (status, content) = match fs::read(files.join(name)) {
        Ok(content) if plain => ("200 OK", content),
        _ => ("404 Not Found", b"no such file\n".to_vec()),
    };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\r\n",
        content.len()
    )
    .into_bytes();
    answer.extend(content);
    answer
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::Webhook;
    use crate::{get, post};

    #[test]
    fn keeps_what_arrives_by_receiver_and_status() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("note.md"), "read me").unwrap();
        let webhook = Webhook::start(folder.path()).unwrap();
        assert_eq!(get(&webhook.url("note.md")).unwrap().text(), "read me");
        assert_eq!(get(&webhook.url("../etc/passwd")).unwrap().status, 404);
        let body = br#"{"alerts":[{"status":"firing","labels":{"alertname":"A","slo":"s"},"annotations":{}}]}"#;
        assert_eq!(post(&webhook.url("page"), "application/json", body).unwrap().status, 200);
        let (_, alert) = webhook.wait_for("page", "firing", "A", Duration::from_secs(5)).unwrap();
        assert_eq!((alert.label("slo"), alert.label("none")), ("s", ""));
        assert!(webhook.of("ticket").is_empty());
        let error = webhook.wait_for("page", "resolved", "A", Duration::from_millis(1)).unwrap_err();
        assert!(format!("{error:#}").contains("/page firing alertname=A slo=s"), "{error:#}");
    }
}
