//! The SDK from outside.

mod adhoc;
mod admin;
mod births;
mod calls;
mod chain;
mod client;
mod env;
mod exemplars;
mod flood;
mod grpc;
mod lifecycle;
mod logs;
mod otlp;
mod outcomes;
mod promtool;
mod propagation;
mod receiver;
mod serve;
mod service;
