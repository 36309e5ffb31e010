//! One connection: what comes on one side goes out on the other, as the mode wants it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::Mode;

/// How much is read at once.
const CHUNK: usize = 16 << 10;

/// When it is slow, this many chunks go out a second.
const STEPS: u32 = 20;

/// Carries until both sides have said all, one fails, or the mode is [`Mode::Cut`]. Only the first is a good end; else
/// both sides are reset.
pub(crate) async fn carry(mut client: TcpStream, target: SocketAddr, mode: watch::Receiver<Mode>) {
    let connected = until_cut(&mode, async {
        through(&mut mode.clone()).await?;
        TcpStream::connect(target).await
    });
    let Ok(mut server) = connected.await else {
        let _ = client.set_zero_linger();
        return;
    };
    if until_cut(&mode, both_ways(&mut client, &mut server, &mode)).await.is_err() {
        let _ = client.set_zero_linger();
        let _ = server.set_zero_linger();
    }
}

async fn until_cut<T>(mode: &watch::Receiver<Mode>, carried: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut watched = mode.clone();
    tokio::select! {
        result = carried => result,
        // Also when the channel has closed, which is the relay's end.
        _ = watched.wait_for(|it| *it == Mode::Cut) => Err(io::ErrorKind::ConnectionReset.into()),
    }
}

async fn both_ways(client: &mut TcpStream, server: &mut TcpStream, mode: &watch::Receiver<Mode>) -> io::Result<()> {
    // A relay adds what it is told to, and not the wait of Nagle's algorithm.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut there, mut back) = (mode.clone(), mode.clone());
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    tokio::try_join!(pump(from_client, to_server, &mut there), pump(from_server, to_client, &mut back)).map(|_| ())
}

/// Waits for as long as nothing comes through.
async fn through(mode: &mut watch::Receiver<Mode>) -> io::Result<Mode> {
    let mode = mode.wait_for(|it| !matches!(it, Mode::Hang | Mode::Cut)).await;
    mode.map(|it| *it).map_err(|_| io::ErrorKind::ConnectionReset.into())
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mode: &mut watch::Receiver<Mode>) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let most = match *mode.borrow() {
            Mode::Slow(bytes) => usize::try_from(bytes / STEPS).unwrap_or(CHUNK).clamp(1, CHUNK),
            _ => CHUNK,
        };
        let read = from.read(&mut chunk[..most]).await?;
        match through(mode).await? {
            Mode::Delay(time) => sleep(time).await,
            Mode::Slow(bytes) => sleep(Duration::from_secs_f64(read as f64 / f64::from(bytes))).await,
            Mode::Pass | Mode::Cut | Mode::Hang => {}
        }
        if read == 0 {
            return to.shutdown().await;
        }
        // It may have begun to hang in between.
        through(mode).await?;
        to.write_all(&chunk[..read]).await?;
    }
}
