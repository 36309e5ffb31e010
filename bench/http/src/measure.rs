//! The measured process: one stack, a number of requests on one thread, no socket.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Barrier;
use std::time::Instant;

use anyhow::Context;
use axum::Router;
use http_body::Body as _;
use tower_service::Service as _;

use crate::allocations;
use crate::calls;
use crate::case::Case;
use crate::service;
use crate::stack::install;

/// What a child says of its run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Run {
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
    /// Of one thread; the best of the rounds.
    pub(crate) nanos: f64,
    /// While two threads make requests at once; likewise.
    pub(crate) nanos_of_two: f64,
    /// Spans that were queued for the collector, of all requests that were made.
    pub(crate) queued: u64,
}

const MARK: &str = "RESULT ";

impl Run {
    /// From what a child has printed; log lines stand before it.
    pub(crate) fn read(printed: &str) -> anyhow::Result<Self> {
        let line = printed.lines().rev().find_map(|it| it.strip_prefix(MARK)).context("the child gave no result")?;
        let mut fields = line.split(' ');
        let mut next = || fields.next().context("a field is missing");
        Ok(Self {
            allocations: next()?.parse()?,
            bytes: next()?.parse()?,
            nanos: next()?.parse()?,
            nanos_of_two: next()?.parse()?,
            queued: next()?.parse()?,
        })
    }
}

/// Requests before the measured ones.
pub(crate) const WARM_UP: u32 = 200;
/// The function whose instructions are counted, as callgrind names it.
pub(crate) const MEASURED: &str = "measure::measured";

/// Makes `requests` requests in each of `rounds` rounds and prints what they took.
pub(crate) fn run(case: Case, requests: u32, rounds: u32) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let templates = service::templates(case.routes);
    let running = {
        let _inside = runtime.enter();
        install(case.stack, case.sampled, &templates)?
    };
    let routes = match case.call {
        Some(call) => calls::routes(call, case.stack, running.telemetry.as_ref())?,
        None => service::routes(case.routes, case.stack.handlers(case.spans)),
    };
    let paths = paths(&templates);
    // As a server holds it.
    let mut app = (running.around)(routes).with_state(());
    runtime.block_on(drive(&mut app, &paths, case.traceparent, WARM_UP))?;
    let mut run = Run { nanos: f64::MAX, nanos_of_two: f64::MAX, ..Run::default() };
    for _ in 0..rounds {
        let (count, bytes) = allocations::so_far();
        let started = Instant::now();
        measured(&runtime, &mut app, &paths, case.traceparent, requests)?;
        let nanos = started.elapsed().as_nanos() as f64 / f64::from(requests);
        let (count_after, bytes_after) = allocations::so_far();
        run.nanos = run.nanos.min(nanos);
        run.allocations = (count_after - count) as f64 / f64::from(requests);
        run.bytes = (bytes_after - bytes) as f64 / f64::from(requests);
    }
    // Not under valgrind, which is given one round: it runs one thread at a time.
    for _ in 1..rounds {
        run.nanos_of_two = run.nanos_of_two.min(two_threads(&app, &paths, case.traceparent, requests)?);
    }
    if let Some(telemetry) = running.telemetry {
        run.queued = runtime.block_on(telemetry.flush()).queued;
    }
    #[expect(clippy::print_stdout, reason = "the parent reads it")]
    {
        println!("{MARK}{} {} {} {} {}", run.allocations, run.bytes, run.nanos, run.nanos_of_two, run.queued);
    }
    Ok(())
}

/// Nanoseconds of a request while two threads make `requests` each on the same routes.
fn two_threads(app: &Router, paths: &[String], traceparent: bool, requests: u32) -> anyhow::Result<f64> {
    let start = Barrier::new(2);
    let round = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut app = app.clone();
        start.wait();
        let started = Instant::now();
        measured(&runtime, &mut app, paths, traceparent, requests)?;
        anyhow::Ok(started.elapsed().as_nanos() as f64 / f64::from(requests))
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(round);
        let own = round()?;
        let other = other.join().map_err(|_| anyhow::anyhow!("the second thread panicked"))??;
        Ok(own.max(other))
    })
}

/// A function of its own, so that callgrind can tell what it took from what start-up took.
#[inline(never)]
fn measured(
    runtime: &tokio::runtime::Runtime,
    app: &mut Router,
    paths: &[String],
    traceparent: bool,
    requests: u32,
) -> anyhow::Result<()> {
    runtime.block_on(drive(app, paths, traceparent, requests))
}

/// A path of each template.
pub(crate) fn paths(templates: &[String]) -> Vec<String> {
    templates.iter().map(|it| it.replace("{id}", "7")).collect()
}

/// Makes requests, one after the other.
pub(crate) async fn drive(app: &mut Router, paths: &[String], traceparent: bool, requests: u32) -> anyhow::Result<()> {
    for path in paths.iter().cycle().take(requests as usize) {
        let request = service::request(path, traceparent);
        poll_fn(|context| <Router as tower_service::Service<axum::extract::Request>>::poll_ready(app, context)).await?;
        let response = app.call(request).await?;
        anyhow::ensure!(response.status() == 200, "{path}: {}", response.status());
        drain(response.into_body()).await?;
    }
    Ok(())
}

/// As hyper does it for HTTP/1.1: it asks whether the body is at its end before it polls for more.
async fn drain(body: axum::body::Body) -> anyhow::Result<()> {
    let mut body = pin!(body);
    while !body.is_end_stream() {
        match poll_fn(|context| body.as_mut().poll_frame(context)).await {
            None => break,
            Some(frame) => drop(frame?),
        }
    }
    Ok(())
}
