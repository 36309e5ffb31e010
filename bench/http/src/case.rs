//! One thing to measure, and how a child process is told of it.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::Context;

use crate::calls::Call;
use crate::stack::{Stack, flag};

/// The variable that tells a child where a socket answers.
pub(crate) const ORIGIN: &str = "BENCH_ORIGIN";

/// A stack under one kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) stack: Stack,
    /// New traces are sampled.
    pub(crate) sampled: bool,
    /// Requests carry a `traceparent` that is not sampled.
    pub(crate) traceparent: bool,
    /// The handler works in two `#[instrument]` spans.
    pub(crate) spans: bool,
    /// Number of routes, called in turn.
    pub(crate) routes: usize,
    /// What the handler calls.
    pub(crate) call: Option<Call>,
}

impl Case {
    /// One route, unsampled, without a `traceparent`, inner spans or calls.
    pub(crate) const fn plain(stack: Stack) -> Self {
        Self { stack, sampled: false, traceparent: false, spans: false, routes: 1, call: None }
    }

    /// As arguments of a child.
    pub(crate) fn args(self) -> Vec<String> {
        vec![
            self.stack.name().to_owned(),
            self.sampled.to_string(),
            self.traceparent.to_string(),
            self.spans.to_string(),
            self.routes.to_string(),
            Call::name(self.call).to_owned(),
        ]
    }

    /// From arguments of a child.
    pub(crate) fn from_args(args: &mut impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut next = || args.next().context("an argument is missing");
        Ok(Self {
            stack: Stack::named(&next()?)?,
            sampled: flag(&next()?)?,
            traceparent: flag(&next()?)?,
            spans: flag(&next()?)?,
            routes: next()?.parse()?,
            call: Call::named(&next()?)?,
        })
    }

    /// The environment of the service: all that a Kilter service is told here comes by its variables.
    pub(crate) fn environment(self, command: &mut Command, collector: SocketAddr) {
        let sampler = if self.sampled { "parentbased_always_on" } else { "parentbased_always_off" };
        command
            .env("KILTER_ADMIN_ADDR", "127.0.0.1:0")
            .env(ORIGIN, format!("http://{collector}/users/7"))
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
            .env("OTEL_TRACES_SAMPLER", sampler)
            .env("OTEL_BSP_MAX_QUEUE_SIZE", "65536") // peers: a full queue would make their requests cheaper
            .env_remove("KILTER_LOG")
            .env_remove("RUST_LOG");
    }
}
