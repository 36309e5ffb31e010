//! The SDK from outside.

mod adhoc;
mod admin;
mod births;
mod calls;
mod chain;
mod client;
mod env;
mod flood;
mod grpc;
mod logs;
mod otlp;
mod outcomes;
mod own;
mod parts;
mod promtool;
mod propagation;
mod receiver;
mod serve;
mod service;
mod snippet;
