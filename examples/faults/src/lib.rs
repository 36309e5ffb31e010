//! A fault switch that acts on causes: a TCP relay between a service and what it depends on.
//!
//! It stands before a database, a platform, a collector or another service, and knows nothing of what it carries. It
//! never touches a metric, a status or an SLO file: what the services make of a fault is theirs.
//!
//! ```
//! use std::io::{Read as _, Write as _};
//! use std::net::{TcpListener, TcpStream};
//!
//! # fn main() -> std::io::Result<()> {
//! let database = TcpListener::bind("127.0.0.1:0")?;
//! let relay = fleet_faults::Relay::start(database.local_addr()?)?;
//! let mut client = TcpStream::connect(relay.address())?;
//! client.write_all(b"select 1")?;
//! let mut query = [0; 8];
//! let (mut served, _) = database.accept()?;                  // held: else its end would race with the cut
//! served.read_exact(&mut query)?;
//!
//! relay.cut();                                               // a crash: connections are reset, new ones refused
//! assert!(client.read(&mut query).is_err());
//! assert!(TcpStream::connect(relay.address()).is_err());
//! relay.pass();                                              // mended
//! assert!(TcpStream::connect(relay.address()).is_ok());
//! # Ok(()) }
//! ```
//!
//! Every relay has a thread of its own, so it works in tests of every kind, and ends when it is dropped.

mod carry;
mod mode;
mod relay;

pub use mode::{Mode, UnknownMode};
pub use relay::Relay;
