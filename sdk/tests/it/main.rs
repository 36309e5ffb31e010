//! The SDK from outside.

mod client;
mod env;
mod logs;
mod otlp;
mod outcomes;
mod propagation;
mod receiver;
mod serve;
mod service;
