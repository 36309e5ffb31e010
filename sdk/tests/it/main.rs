//! The SDK from outside.

mod adhoc;
mod births;
mod client;
mod env;
mod logs;
mod otlp;
mod outcomes;
mod promtool;
mod propagation;
mod receiver;
mod serve;
mod service;
