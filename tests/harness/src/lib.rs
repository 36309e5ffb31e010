//! Starts, watches and ends the real programs that the tests and the demo run.
//!
//! Everything blocks and everything has a deadline. A failure says what was awaited, what was seen last, and shows the
//! end of the program's log. A program that was started here ends with its value, also on a panic, and also when this
//! process is killed: see [`Process`].

mod alertmanager;
mod binary;
mod fleet;
mod git;
mod git_https;
mod http;
mod identity;
mod ports;
mod postgres;
mod process;
mod prometheus;
mod repositories;
mod service;
mod stack;
pub mod tools;
mod victoria;
mod wait;
mod webhook;

pub use alertmanager::Alertmanager;
pub use binary::{BUILT, binary, binary_of, root, use_built};
pub use fleet::{Fleet, FleetOptions, Load, Relays, Watch};
pub use git::{Traffic, git, make_repository};
pub use git_https::GitHttps;
pub use http::{Response, get, get_within, post, request};
pub use identity::Platform;
pub use ports::free_port;
pub use postgres::Postgres;
pub use process::{Process, Signal};
pub use prometheus::{Alert, Prometheus, PrometheusConfig, Rule, Sample, Series, Target};
pub use service::{Service, ServiceSpec};
pub use stack::{Loop, LoopOptions};
pub use victoria::{VictoriaMetrics, Vmalert};
pub use wait::until;
pub use webhook::{Received, ReceivedAlert, Webhook};
