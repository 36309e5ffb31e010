//! The SDK from outside.

mod adhoc;
mod admin;
mod births;
mod calls;
mod chain;
mod client;
mod cost;
mod env;
mod flood;
mod grpc;
mod jobs;
mod logs;
mod messages;
mod otlp;
mod outcomes;
mod own;
mod parts;
mod process;
mod promtool;
mod propagation;
mod receiver;
mod resources;
mod serve;
mod service;
mod snippet;
