//! What can go wrong at the two ends of a service's life.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// Telemetry could not be set up. Its debug form is the same text, for a `main` that returns it.
#[derive(thiserror::Error)]
pub enum InitError {
    /// Variables of the environment, or the service's own declarations, are wrong; all of them are listed.
    #[error(
        "the configuration is wrong:\n{}\n  next: set or unset them; every variable is described in kilter::env::VARIABLES",
        .0.join("\n")
    )]
    Configuration(Vec<String>),
    /// The admin address cannot be bound.
    #[error(
        "the admin address {address} cannot be used: {source}\n  next: set KILTER_ADMIN_ADDR to a free one, such as 127.0.0.1:0"
    )]
    Admin {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A thread could not be started.
    #[error("a telemetry thread could not be started: {0}")]
    Thread(#[source] io::Error),
    /// Something else owns a global that `init` would install; `build` gives the parts instead.
    #[error("{0} is already installed: call init once, before anything else installs one, or use kilter::build")]
    AlreadyInstalled(&'static str),
}

impl fmt::Debug for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Serving ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener's address is unknown, or signals cannot be listened for.
    #[error("the service cannot listen: {0}")]
    Listen(#[from] io::Error),
}
