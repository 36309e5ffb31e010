//! What services call: the same handler with a call in it, bare, through Kilter's handle for it, or through a peer's layer.
//! What answers is at hand at once, so that the difference is what the measuring takes.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::pin::pin;
use std::task::{Context, Poll};

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use tower_layer::Layer;
use tower_service::Service;

use crate::case::ORIGIN;
use crate::service;
use crate::stack::Stack;

/// What the handler calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// An operation of a database.
    Database,
    /// A read of a cache.
    Cache,
    /// A unit of a limited resource, taken and given back.
    Resource,
    /// A run of a job.
    Job,
    /// An HTTP client that is a tower service.
    Http,
    /// reqwest, over a socket.
    Reqwest,
    /// A gRPC channel.
    Grpc,
}

impl Call {
    /// Every call, by the name that child processes are given.
    const ALL: [(Self, &'static str); 7] = [
        (Self::Database, "database"),
        (Self::Cache, "cache"),
        (Self::Resource, "resource"),
        (Self::Job, "job"),
        (Self::Http, "http"),
        (Self::Reqwest, "reqwest"),
        (Self::Grpc, "grpc"),
    ];

    /// Its name; `none` where there is none.
    pub(crate) fn name(call: Option<Self>) -> &'static str {
        Self::ALL.iter().find(|(it, _)| Some(*it) == call).map_or("none", |(_, name)| *name)
    }

    /// The call of a name.
    pub(crate) fn named(name: &str) -> anyhow::Result<Option<Self>> {
        let found = Self::ALL.iter().find(|(_, it)| *it == name).map(|(call, _)| *call);
        anyhow::ensure!(found.is_some() || name == "none", "no call {name}");
        Ok(found)
    }
}

/// The service of one route whose handler makes this call.
pub(crate) fn routes(call: Call, stack: Stack, telemetry: Option<&kilter::Telemetry>) -> anyhow::Result<Router> {
    let handler = match (call, telemetry) {
        (Call::Http, None) if stack == Stack::TowerOtel => with_http(of_tower_otel(tower_otel_spans().layer(Identity))),
        (Call::Reqwest, None) if stack == Stack::TowerOtel => {
            let (client, url) = (of_tower_otel(tower_otel_spans().layer(reqwest::Client::new())), origin()?);
            get(move || {
                let (mut client, url) = (client.clone(), url.clone());
                async move {
                    let request = reqwest::Request::new(reqwest::Method::GET, url);
                    let _ = poll_fn(|context| Service::<reqwest::Request>::poll_ready(&mut client, context)).await;
                    said(client.call(request).await.is_ok_and(|it| it.status() == 200))
                }
            })
        }
        (Call::Grpc, None) if stack == Stack::TowerOtel => {
            with_grpc(tower_otel::trace::GrpcLayer::client(tracing::Level::INFO).layer(Users))
        }
        (_, None) => bare(call)?,
        (_, Some(telemetry)) => measured(call, telemetry)?,
    };
    let templates = service::templates(1);
    Ok(Router::new().route(templates.first().context("one route")?, handler))
}

/// Nobody measures it.
fn bare(call: Call) -> anyhow::Result<MethodRouter> {
    Ok(match call {
        Call::Database => get(|| async { said(load().await.is_ok()) }),
        Call::Cache => get(|| async { said(find().await.is_some()) }),
        Call::Resource => get(|| async { said(load().await.is_ok()) }),
        Call::Job => get(|| async { said(load().await.is_ok()) }),
        Call::Http => with_http(Identity),
        Call::Reqwest => {
            let (client, url) = (reqwest::Client::new(), origin()?);
            get(move || {
                let sent = client.get(url.clone()).send();
                async move { said(sent.await.is_ok_and(|it| it.status() == 200)) }
            })
        }
        Call::Grpc => with_grpc(Users),
    })
}

/// Changed by the documented line only.
fn measured(call: Call, telemetry: &kilter::Telemetry) -> anyhow::Result<MethodRouter> {
    Ok(match call {
        Call::Database => {
            let db = telemetry.db("main").system("sqlite");
            get(move || async move { said(db.run("load_order", load()).await.is_ok()) })
        }
        Call::Cache => {
            let orders = telemetry.cache("orders");
            get(move || async move { said(orders.get(find()).await.is_some()) })
        }
        Call::Resource => {
            let checkout = telemetry.resource("semaphore", "checkout").limit(32);
            get(move || async move { said(checkout.acquire(load()).await.is_ok()) })
        }
        Call::Job => {
            let reindex = telemetry.job("reindex");
            get(move || async move { said(reindex.run(load()).await.is_ok()) })
        }
        Call::Http => with_http(telemetry.http_client("identity").layer(Identity)),
        Call::Reqwest => {
            let client = telemetry.http_client("identity").reqwest(reqwest::Client::new());
            let url = origin()?;
            get(move || {
                let sent = client.get(url.clone()).send();
                async move { said(sent.await.is_ok_and(|it| it.status() == 200)) }
            })
        }
        Call::Grpc => with_grpc(telemetry.grpc_client("identity").methods(&[GET_USER]).layer(Users)),
    })
}

fn tower_otel_spans() -> tower_otel::trace::HttpLayer {
    tower_otel::trace::HttpLayer::client(tracing::Level::INFO)
}

fn of_tower_otel<S>(inner: S) -> tower_otel::metrics::Http<S> {
    tower_otel::metrics::HttpLayer::client(&opentelemetry::global::meter("bench")).layer(inner)
}

fn said(good: bool) -> &'static str {
    if good { "an order" } else { "no order" }
}

/// What a database, a pool or a job does here: nothing.
async fn load() -> Result<u64, std::io::Error> {
    Ok(std::hint::black_box(7))
}

/// A hit.
async fn find() -> Option<u64> {
    Some(std::hint::black_box(7))
}

/// Where a socket answers.
fn origin() -> anyhow::Result<reqwest::Url> {
    Ok(std::env::var(ORIGIN)?.parse()?)
}

type Request = axum::http::Request<Body>;
type Response<B> = axum::http::Response<B>;

/// An HTTP dependency that answers at once.
#[derive(Debug, Clone, Copy)]
struct Identity;

impl Service<Request> for Identity {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        drop(request);
        ready(Ok(Response::new(Full::from("ada"))))
    }
}

/// A gRPC dependency that answers at once: one message, and its status in the trailers.
#[derive(Debug, Clone, Copy)]
struct Users;

/// The method that is called.
const GET_USER: &str = "identity.v1.Users/Get";
/// A message of three bytes, with its head.
const MESSAGE: &[u8] = b"\0\0\0\0\x03ada";

impl Service<Request> for Users {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        drop(request);
        let mut trailers = axum::http::HeaderMap::new();
        trailers.insert("grpc-status", axum::http::HeaderValue::from_static("0"));
        let body = Full::from(MESSAGE).with_trailers(ready(Some(Ok(trailers))));
        let mut response = Response::new(Body::new(body));
        let headers = response.headers_mut();
        headers.insert("content-type", axum::http::HeaderValue::from_static("application/grpc"));
        ready(Ok(response))
    }
}

fn with_http<S, R>(service: S) -> MethodRouter
where
    S: Service<Request, Response = Response<R>, Future: Send> + Clone + Send + Sync + 'static,
    R: http_body::Body + Send,
    R::Data: Send,
    R::Error: Send,
    S::Error: Send,
{
    get(move || fetch(service.clone(), axum::http::Request::get("http://identity/users/7")))
}

fn with_grpc<S, R>(service: S) -> MethodRouter
where
    S: Service<Request, Response = Response<R>, Future: Send> + Clone + Send + Sync + 'static,
    R: http_body::Body + Send,
    R::Data: Send,
    R::Error: Send,
    S::Error: Send,
{
    get(move || {
        let request = axum::http::Request::post("http://identity/identity.v1.Users/Get")
            .header("content-type", "application/grpc");
        fetch(service.clone(), request)
    })
}

/// Calls a service and reads its answer to the end.
async fn fetch<S, R>(mut service: S, request: axum::http::request::Builder) -> &'static str
where
    S: Service<Request, Response = Response<R>>,
    R: http_body::Body,
{
    let Ok(request) = request.body(Body::empty()) else { return said(false) };
    if poll_fn(|context| service.poll_ready(context)).await.is_err() {
        return said(false);
    }
    let Ok(response) = service.call(request).await else { return said(false) };
    let mut body = pin!(response.into_body());
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        if frame.is_err() {
            return said(false);
        }
    }
    said(true)
}
