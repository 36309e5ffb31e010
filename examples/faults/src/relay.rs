//! The relay: an address, a thread, a mode.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::Mode;
use crate::carry::carry;

/// How many connections may wait to be taken.
const BACKLOG: u32 = 1024;

/// A TCP relay to one target. It listens on the loopback interface until it is dropped; then its connections are reset.
///
/// A change of [`Mode`] is for new connections and for those that are open, and has happened when the method returns.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    /// Tells the thread to look at the mode, and waits until it has.
    turn: mpsc::UnboundedSender<std::sync::mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Starts a relay to the target on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// No such target, or no port.
    pub fn start(target: impl ToSocketAddrs) -> io::Result<Self> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), target)
    }

    /// The same on an address of your choice, which must be one of the loopback interface.
    ///
    /// # Errors
    ///
    /// Another address, no such target, or a port that is taken.
    pub fn start_on(listen: SocketAddr, target: impl ToSocketAddrs) -> io::Result<Self> {
        if !listen.ip().is_loopback() {
            return Err(io::Error::other(format!("a relay listens on a loopback address only, not on {listen}")));
        }
        let target = target.to_socket_addrs()?.next().ok_or_else(|| io::Error::other("the target has no address"))?;
        let (mode, seen) = watch::channel(Mode::Pass);
        let (turn, turns) = mpsc::unbounded_channel();
        let (started, start) = std::sync::mpsc::channel();
        // Everything of its runtime happens there: the caller may be within one of its own.
        let thread = thread::Builder::new().name("relay".to_owned()).spawn(move || {
            let ready = Builder::new_current_thread().enable_all().build().and_then(|runtime| {
                let listener = runtime.block_on(async { held(listen)?.listen(BACKLOG) })?;
                Ok((listener.local_addr()?, listener, runtime))
            });
            match ready {
                Ok((address, listener, runtime)) => {
                    let _ = started.send(Ok(address));
                    runtime.block_on(relay(listener, address, target, seen, turns));
                }
                Err(error) => drop(started.send(Err(error))),
            }
        })?;
        let address = start.recv().map_err(|_| io::Error::other("the relay's thread ended early"))??;
        Ok(Self { address, mode, turn, thread: Some(thread) })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it does now.
    pub fn mode(&self) -> Mode {
        *self.mode.borrow()
    }

    /// What it does from now on.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
        let (done, seen) = std::sync::mpsc::channel();
        if self.turn.send(done).is_ok() {
            let _ = seen.recv();
        }
    }

    /// Carries everything: the fault is mended.
    pub fn pass(&self) {
        self.set(Mode::Pass);
    }

    /// As a crash: every connection is reset, and new ones are refused.
    pub fn cut(&self) {
        self.set(Mode::Cut);
    }

    /// As a network that loses everything: connections are taken and stay open, and nothing comes through.
    pub fn hang(&self) {
        self.set(Mode::Hang);
    }

    /// Everything comes this much later, in each direction.
    pub fn delay(&self, time: Duration) {
        self.set(Mode::Delay(time));
    }

    /// No more than this many bytes a second, in each direction of each connection.
    pub fn slow(&self, bytes_per_second: u32) {
        self.set(Mode::Slow(bytes_per_second.max(1)));
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
        // The thread ends when nobody can tell it anything any more.
        let (closed, _) = mpsc::unbounded_channel();
        drop(std::mem::replace(&mut self.turn, closed));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A socket that holds the address, and refuses whoever connects until it listens.
fn held(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn relay(
    listener: TcpListener,
    address: SocketAddr,
    target: SocketAddr,
    mode: watch::Receiver<Mode>,
    mut turns: mpsc::UnboundedReceiver<std::sync::mpsc::Sender<()>>,
) {
    let (mut listener, mut closed, mut connections) = (Some(listener), None, JoinSet::new());
    loop {
        tokio::select! {
            turn = turns.recv() => {
                let Some(done) = turn else { break };
                if *mode.borrow() == Mode::Cut {
                    listener = None;
                    // The port stays ours: a socket that is bound and does not listen refuses.
                    closed = closed.or_else(|| held(address).ok());
                    while connections.join_next().await.is_some() {}
                } else if listener.is_none() {
                    listener = closed.take().map_or_else(|| held(address), Ok).and_then(|it| it.listen(BACKLOG)).ok();
                }
                let _ = done.send(());
            }
            Some(accepted) = accept(listener.as_ref()) => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(carry(client, target, mode.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> Option<io::Result<(tokio::net::TcpStream, SocketAddr)>> {
    match listener {
        Some(listener) => Some(listener.accept().await),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    use super::*;

    /// A server that sends back what it hears.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut from = stream.try_clone().unwrap();
                thread::spawn(move || io::copy(&mut from, &mut &stream));
            }
        });
        address
    }

    fn connect(relay: &Relay) -> TcpStream {
        let stream = TcpStream::connect(relay.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        stream
    }

    fn echoed(stream: &mut TcpStream) -> io::Result<Duration> {
        let started = Instant::now();
        stream.write_all(b"ping")?;
        let mut heard = [0; 4];
        stream.read_exact(&mut heard)?;
        assert_eq!(&heard, b"ping");
        Ok(started.elapsed())
    }

    #[test]
    fn every_mode_is_what_it_says_for_open_and_new_connections() {
        let relay = Relay::start(echo()).unwrap();
        let mut open = connect(&relay);
        echoed(&mut open).unwrap();

        relay.hang();
        for stream in [&mut open, &mut connect(&relay)] {
            let error = echoed(stream).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
        }
        relay.pass();
        let mut late = [0; 4];
        open.read_exact(&mut late).unwrap();
        assert_eq!(&late, b"ping", "what hung comes through once it is mended");
        echoed(&mut open).unwrap();

        relay.delay(Duration::from_millis(30));
        for stream in [&mut open, &mut connect(&relay)] {
            assert!(echoed(stream).unwrap() >= Duration::from_millis(60), "both directions");
        }
        relay.slow(100);
        assert!(echoed(&mut open).unwrap() >= Duration::from_millis(40), "four bytes at a hundred a second");

        for _ in 0..2 {
            relay.cut();
            assert_eq!(open.read(&mut late).unwrap_err().kind(), ErrorKind::ConnectionReset);
            let refused = TcpStream::connect(relay.address()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
            relay.pass();
            open = connect(&relay);
            echoed(&mut open).unwrap();
        }
        let address = relay.address();
        drop(relay);
        assert_eq!(open.read(&mut late).unwrap_err().kind(), ErrorKind::ConnectionReset);
        TcpStream::connect(address).unwrap_err();
    }

    /// As the program does, and tests that are async.
    #[tokio::test]
    async fn it_starts_switches_and_ends_within_a_runtime() {
        let relay = Relay::start(echo()).unwrap();
        Relay::start_on(relay.address(), "127.0.0.1:1").unwrap_err();
        relay.cut();
        assert_eq!(relay.mode(), Mode::Cut);
    }

    #[test]
    fn a_good_end_stays_one_and_a_target_that_is_gone_is_a_reset() {
        let target = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Relay::start(target.local_addr().unwrap()).unwrap();
        let mut client = connect(&relay);
        let (mut server, _) = target.accept().unwrap();
        client.write_all(b"question").unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let mut question = String::new();
        server.read_to_string(&mut question).unwrap();
        server.write_all(b"answer").unwrap();
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!((question.as_str(), answer.as_str()), ("question", "answer"));

        drop(target);
        let mut client = TcpStream::connect(relay.address()).unwrap();
        assert!(client.read(&mut [0; 1]).is_err());
        assert!(Relay::start_on("0.0.0.0:0".parse().unwrap(), "127.0.0.1:1").is_err());
    }
}
