//! The SDK from outside.

mod env;
mod logs;
mod otlp;
mod receiver;
mod serve;
mod service;
