//! Free ports of the loopback interface.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that no connection of
/// another test can take a port between its choice here and its use by the program that is started on it.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port on 127.0.0.1 that nothing listens on; never the same one twice in this process, and other processes begin
/// their search elsewhere.
pub fn free_port() -> anyhow::Result<u16> {
    let start = std::process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let offset = start.wrapping_add(step) % u32::from(COUNT);
        let port = FIRST + u16::try_from(offset)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port between {FIRST} and {} on 127.0.0.1", FIRST + COUNT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::TcpListener;
    use std::time::Duration;

    use super::free_port;
    use crate::until;

    /// Each is bound at once, as its users do: other processes of this machine choose ports as well. A child that another
    /// test forks at this moment holds a copy of the probe until it becomes its program, hence the patience.
    #[test]
    fn ports_differ_and_can_be_bound() {
        let bind = |_| {
            let port = free_port().unwrap();
            let bound = until("the port", Duration::from_secs(5), || Ok(Some(TcpListener::bind(("127.0.0.1", port))?)));
            (port, bound.unwrap())
        };
        let held: Vec<(u16, TcpListener)> = (0..20).map(bind).collect();
        let ports: BTreeSet<u16> = held.iter().map(|(port, _)| *port).collect();
        assert_eq!(ports.len(), 20);
    }
}
