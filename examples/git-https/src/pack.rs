//! A running `upload-pack` or `receive-pack`: its input fed while its output streams, its failure seen by the client.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;

use crate::program::Program;

/// How much is read from the program at once.
const CHUNK: usize = 32 << 10;

/// How much of its complaints is logged.
const COMPLAINT: u64 = 4 << 10;

/// The program and what is known of it. Dropping this kills it.
#[derive(Debug)]
pub(crate) struct Pack {
    program: Program,
    child: Child,
    stdout: ChildStdout,
    complaint: JoinHandle<String>,
    /// Whether the client only asks: for refs, as protocol version 2 does by POST, or whether it would be let in before
    /// a large push. Nothing has happened then.
    asks: Arc<AtomicBool>,
    /// A fault: the program is killed after its first bytes.
    crash: bool,
}

impl Pack {
    /// Starts the program and feeds it `body` in the background, so that neither side waits for the other.
    pub(crate) fn start(
        program: Program,
        mut command: tokio::process::Command,
        body: Box<dyn AsyncRead + Send + Unpin>,
        crash: bool,
    ) -> io::Result<Self> {
        let mut child = command.spawn()?;
        let pipe = || io::Error::other("a pipe of git is missing");
        let stdin = child.stdin.take().ok_or_else(pipe)?;
        let stdout = child.stdout.take().ok_or_else(pipe)?;
        let stderr = child.stderr.take().ok_or_else(pipe)?;
        let asks = Arc::new(AtomicBool::new(false));
        kilter::spawn(feed(body, stdin, Arc::clone(&asks)));
        let complaint = tokio::spawn(complaint(stderr));
        Ok(Self { program, child, stdout, complaint, asks, crash })
    }

    /// The next bytes; empty at the end.
    async fn next(&mut self) -> io::Result<Bytes> {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        self.stdout.read_buf(&mut chunk).await?;
        Ok(chunk.freeze())
    }

    /// After the last byte: a program that failed is an error, logged with what it complained of.
    async fn finish(mut self) -> io::Result<bool> {
        let status: ExitStatus = self.child.wait().await?;
        if status.success() {
            return Ok(self.asks.load(Ordering::Relaxed));
        }
        let complaint = (&mut self.complaint).await.unwrap_or_default();
        let program = self.program.name();
        tracing::error!(%status, stderr = complaint.trim(), "{program} failed");
        Err(io::Error::other(format!("{program} ended with {status}")))
    }
}

/// Waits for the first bytes, so that a program that dies at once is a clean 500; then streams. A later death is an
/// error of the body: the connection breaks off and the client knows that its pack is not whole. `after` is for what
/// follows a good end, in which something has happened.
pub(crate) async fn begin(mut pack: Pack, after: impl FnOnce() + Send + 'static) -> io::Result<Body> {
    let first = pack.next().await?;
    if first.is_empty() {
        if !pack.finish().await? {
            after();
        }
        return Ok(Body::empty());
    }
    if pack.crash {
        pack.child.start_kill()?;
    }
    let state = Some((Some(first), pack, after));
    Ok(Body::from_stream(stream::try_unfold(state, |state| async move {
        let Some((first, mut pack, after)) = state else { return Ok(None) };
        let chunk = match first {
            Some(first) => first,
            None => pack.next().await?,
        };
        if !chunk.is_empty() {
            return Ok(Some((chunk, Some((None, pack, after)))));
        }
        if !pack.finish().await? {
            after();
        }
        io::Result::Ok(None)
    })))
}

/// Copies the request to the program. Its errors need no word: a program that ended closes its input, and a client
/// that left takes the response with it.
async fn feed(mut body: Box<dyn AsyncRead + Send + Unpin>, mut stdin: ChildStdin, asks: Arc<AtomicBool>) {
    // A length of four digits, then the command.
    let mut start = Vec::with_capacity(32);
    if (&mut body).take(32).read_to_end(&mut start).await.is_ok() {
        let lists = start.get(4..).is_some_and(|it| it.starts_with(b"command=ls-refs"));
        asks.store(lists || start == b"0000", Ordering::Relaxed);
        if stdin.write_all(&start).await.is_ok() {
            let _ = tokio::io::copy(&mut body, &mut stdin).await;
        }
    }
    // Dropping the pipe tells the program that the request is whole. When it is not, it finds that out by itself:
    // every message of the protocol has its own end.
}

/// The first part of what the program complains of; the rest is read and dropped, so that it never waits for us.
async fn complaint(mut stderr: ChildStderr) -> String {
    let mut kept = Vec::new();
    let _ = (&mut stderr).take(COMPLAINT).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).into_owned()
}
