//! Each gRPC call is counted once on both sides, with the right outcome: tonic's own servers, channels and clients.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use futures_util::{StreamExt as _, stream};
use http::HeaderMap;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use kilter::testing::TestTelemetry;
use kilter::tonic::body::Body;
use kilter::tonic::service::Routes;
use kilter::tonic::transport::server::TcpIncoming;
use kilter::tonic::transport::{Channel, Server};
use kilter::tonic::{Code, Request, Response, Status, async_trait};
use kilter::{grpc::GrpcCalling, tonic};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use tokio::net::TcpListener;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::server::HealthReporter;
use tonic_prost::ProstCodec;
use tower::{ServiceBuilder, ServiceExt as _};

use crate::client::{serve, settle, settle_family};

/// How long a test waits for what does not come.
const LIMIT: Duration = Duration::from_millis(80);
const EXPORT: &str = "opentelemetry.proto.collector.trace.v1.TraceService/Export";
const SERVER: &[&str] = &["rpc_method", "rpc_response_status_code", "error_type"];
const CLIENT: &[&str] = &["rpc_method", "dependency", "rpc_response_status_code", "error_type"];

/// Does what it is told by the request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Obedient;

#[async_trait]
impl TraceService for Obedient {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        match request.into_inner().resource_spans.first().map_or("", |it| &it.schema_url) {
            "hang" => std::future::pending().await,
            "panic" => panic!("a method panics"),
            "" => Ok(Response::new(ExportTraceServiceResponse::default())),
            code => Err(Status::new(code.parse::<i32>().map_or(Code::Unknown, Code::from_i32), "as told")),
        }
    }
}

/// A request that tells what to do.
pub(crate) fn tell(what: &str) -> ExportTraceServiceRequest {
    let told = ResourceSpans { schema_url: what.to_owned(), ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: if what.is_empty() { Vec::new() } else { vec![told] } }
}

fn telemetry() -> TestTelemetry {
    TestTelemetry::new(kilter::service!())
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A measured channel.
fn channel(telemetry: TestTelemetry, address: SocketAddr) -> GrpcCalling<Channel> {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    ServiceBuilder::new().layer(telemetry.grpc_client("identity")).service(channel)
}

async fn served(telemetry: TestTelemetry, expected: &[(&str, u64)]) {
    settle_family(telemetry, "rpc_server_call_duration_seconds_count", SERVER, &named(expected)).await;
}

async fn called(telemetry: TestTelemetry, expected: &[(&str, u64)]) {
    settle_family(telemetry, "rpc_client_call_duration_seconds_count", CLIENT, &named(expected)).await;
}

/// The long names of the services, in place of short ones.
fn named<'a>(expected: &[(&'a str, u64)]) -> Vec<(&'a str, u64)> {
    expected
        .iter()
        .map(|(text, count)| {
            let long = text.replacen("Export", EXPORT, 1).replacen("Watch", "grpc.health.v1.Health/Watch", 1);
            (&*Box::leak(long.into_boxed_str()), *count)
        })
        .collect()
}

/// The same calls, whatever serves them.
async fn check(telemetry: TestTelemetry, address: SocketAddr) {
    let mut client = TraceServiceClient::new(channel(telemetry, address));
    client.export(tell("")).await.unwrap();
    for code in [Code::NotFound, Code::Internal, Code::Unauthenticated] {
        let error = client.export(tell(&i32::from(code).to_string())).await.unwrap_err();
        assert_eq!((error.code(), error.message()), (code, "as told"));
    }
    tokio::time::timeout(LIMIT, client.export(tell("hang"))).await.unwrap_err();
    let panicked = client.export(tell("panic")).await.unwrap_err();
    assert_eq!(panicked.code(), Code::Cancelled, "a reset of its stream: {panicked:?}");
    // Paths are the client's choice.
    for n in 0..40 {
        let path = format!("/x.Y/M{n}").parse().unwrap();
        let mut raw = tonic::client::Grpc::new(channel(telemetry, address));
        raw.ready().await.unwrap();
        let codec = ProstCodec::<HealthCheckRequest, HealthCheckRequest>::default();
        let error = raw.unary(Request::new(HealthCheckRequest::default()), path, codec).await.unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
    }
    served(
        telemetry,
        &[
            ("Export OK -", 1),
            ("Export NOT_FOUND -", 1),
            ("Export INTERNAL INTERNAL", 1),
            ("Export UNAUTHENTICATED -", 1),
            ("Export - client_disconnect", 1),
            ("Export - panic", 1),
            ("_OTHER UNIMPLEMENTED UNIMPLEMENTED", 40),
        ],
    )
    .await;
    let mut expected = vec![
        ("Export identity OK -".to_owned(), 1),
        ("Export identity NOT_FOUND NOT_FOUND".to_owned(), 1),
        ("Export identity INTERNAL INTERNAL".to_owned(), 1),
        ("Export identity CANCELLED CANCELLED".to_owned(), 1),
        ("Export identity UNAUTHENTICATED UNAUTHENTICATED".to_owned(), 1),
        ("Export identity - timeout".to_owned(), 1),
    ];
    expected.extend((0..40).map(|n| (format!("x.Y/M{n} identity UNIMPLEMENTED UNIMPLEMENTED"), 1)));
    let expected: Vec<(&str, u64)> = expected.iter().map(|(text, count)| (text.as_str(), *count)).collect();
    called(telemetry, &expected).await;
}

/// A tonic server of its own, with this telemetry, this deadline and a health service.
async fn own_server(telemetry: TestTelemetry) -> (SocketAddr, HealthReporter) {
    let (listener, address) = listener().await;
    let (reporter, health) = tonic_health::server::health_reporter();
    let server = Server::builder()
        .layer(telemetry.grpc_server())
        .add_service(TraceServiceServer::new(Obedient))
        .add_service(health);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    (address, reporter)
}

#[tokio::test]
async fn calls_of_a_tonic_server_and_its_clients() {
    let telemetry = telemetry();
    let (address, _) = own_server(telemetry).await;
    check(telemetry, address).await;
}

/// HTTP counts the exchange, gRPC the call; neither is lost, and each is counted once.
#[tokio::test]
async fn calls_within_axum_are_counted_as_calls_and_as_requests() {
    let telemetry = telemetry();
    let routes = Routes::new(TraceServiceServer::new(Obedient)).into_axum_router();
    let app = Router::new()
        .route("/plain", axum::routing::get(|| async { "plain" }))
        .merge(routes)
        .layer(telemetry.grpc_server())
        .layer(telemetry.grpc_server())
        .layer(telemetry.http_server());
    let address = serve(app).await;
    assert_eq!(reqwest::get(format!("http://{address}/plain")).await.unwrap().text().await.unwrap(), "plain");
    check(telemetry, address).await;
    let route = "POST /opentelemetry.proto.collector.trace.v1.TraceService/{*rest}";
    settle(
        telemetry,
        &[
            ("GET /plain 200 -", 1),
            (&format!("{route} 200 -"), 4),
            (&format!("{route} - client_disconnect"), 1),
            (&format!("{route} - panic"), 1),
            ("POST - 200 -", 40),
        ],
    )
    .await;
    let second = telemetry.value("telemetry_violations_total{kind=\"second_layer\"}");
    assert_eq!(second, Some(1.0), "a second layer counts nothing and is told once");
}

#[tokio::test]
async fn a_stream_has_its_first_message_as_value_and_may_be_let_go() {
    let telemetry = telemetry();
    let (address, reporter) = own_server(telemetry).await;
    let mut client = HealthClient::new(channel(telemetry, address));
    let mut watched = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status, 1, "SERVING");
    tokio::time::sleep(LIMIT * 3).await;
    reporter.set_service_status("", ServingStatus::NotServing).await;
    assert_eq!(watched.message().await.unwrap().unwrap().status, 2, "NOT_SERVING");
    // Let go while it waits, as most streams are.
    tokio::time::timeout(LIMIT, watched.message()).await.unwrap_err();
    drop(watched);
    client.watch(HealthCheckRequest { service: "nobody".to_owned() }).await.unwrap_err();
    served(telemetry, &[("Watch - client_disconnect", 1), ("Watch NOT_FOUND -", 1)]).await;
    called(telemetry, &[("Watch identity - -", 1), ("Watch identity NOT_FOUND NOT_FOUND", 1)]).await;
    for series in [
        "rpc_server_call_duration_seconds_sum{rpc_system_name=\"grpc\",rpc_method=\"grpc.health.v1.Health/Watch\",error_type=\"client_disconnect\"}",
        "rpc_client_call_duration_seconds_sum{rpc_system_name=\"grpc\",rpc_method=\"grpc.health.v1.Health/Watch\",dependency=\"identity\"}",
    ] {
        let sum = telemetry.value(series).unwrap();
        assert!(sum < LIMIT.as_secs_f64(), "the first message came at once: {sum}");
    }
}

#[tokio::test]
async fn deadlines_and_refused_connections() {
    let telemetry = telemetry();
    let (address, _) = own_server(telemetry).await;
    let mut client = TraceServiceClient::new(channel(telemetry, address));
    client.export(tell("")).await.unwrap();
    let mut limited = Request::new(tell("hang"));
    // Both sides have a clock; the server's begins when the call reaches it.
    limited.set_timeout(LIMIT * 10);
    client.export(limited).await.unwrap_err();
    // The deadline of the server's own lies within the layer.
    let (listener, slow) = listener().await;
    let server = Server::builder()
        .layer(telemetry.grpc_server().methods(&[EXPORT]))
        .layer(kilter::timeout(LIMIT))
        .add_service(TraceServiceServer::new(Obedient));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let error = TraceServiceClient::new(channel(telemetry, slow)).export(tell("hang")).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    served(telemetry, &[("Export OK -", 1), ("Export - timeout", 1), ("Export UNAVAILABLE timeout", 1)]).await;
    let refused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = TraceServiceClient::new(channel(telemetry, refused)).export(tell("")).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    called(
        telemetry,
        &[
            ("Export identity OK -", 1),
            ("Export identity - timeout", 1),
            ("Export identity UNAVAILABLE UNAVAILABLE", 2),
        ],
    )
    .await;
}

/// Calls that end in every way, on two threads: each is counted once on either side.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_becomes_of_calls_they_add_up() {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let telemetry = telemetry();
    let inner = tower::service_fn(|request: http::Request<Body>| async move {
        let n: u64 = request.uri().path().rsplit_once('M').unwrap().1.parse().unwrap();
        for _ in 0..n % 4 {
            tokio::task::yield_now().await;
        }
        match n % 9 {
            0 => std::future::pending().await,
            1 => panic!("a method panics"),
            2 => Err(Status::unavailable("gone")),
            3 => Ok(Status::not_found("no").into_http::<Body>()),
            // A message and no trailers, as no good server does; the stream never ends.
            4 => {
                let first = stream::once(async { Ok::<_, Status>(Frame::data(Bytes::from_static(&[0, 0, 0, 0, 0]))) });
                Ok(http::Response::new(Body::new(StreamBody::new(first.chain(stream::pending())))))
            }
            _ => {
                let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
                let frames = [Frame::data(Bytes::from_static(&[0, 0, 0, 0, 0])), Frame::trailers(trailers)];
                Ok(http::Response::new(Body::new(StreamBody::new(stream::iter(frames.map(Ok::<_, Status>))))))
            }
        }
    });
    let layers = ServiceBuilder::new().layer(telemetry.grpc_client("identity")).layer(telemetry.grpc_server());
    let both = layers.service(inner);
    let calls = (0..2_000_u64).map(|n| {
        let both = both.clone();
        let call = tokio::spawn(async move {
            MADE.fetch_add(1, Ordering::Relaxed);
            let request = http::Request::post(format!("/x.Y/M{n}")).header("content-type", "application/grpc");
            if let Ok(response) = both.oneshot(request.body(Body::empty()).unwrap()).await {
                let _ = response.into_body().collect().await;
            }
        });
        async move {
            for _ in 0..n % 13 {
                tokio::task::yield_now().await;
            }
            if n % 3 == 0 || n % 9 == 0 || n % 9 == 4 {
                call.abort();
            }
            call.await.is_ok()
        }
    });
    futures_util::future::join_all(calls).await;
    let page = telemetry.page();
    for side in ["rpc_server_call_duration_seconds_count{", "rpc_client_call_duration_seconds_count{"] {
        let lines = page.lines().filter(|it| it.starts_with(side));
        let counted: u64 = lines.map(|it| it.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum();
        assert_eq!(counted, MADE.load(Ordering::Relaxed), "{side}");
        assert!(page.lines().filter(|it| it.starts_with(side)).count() < 1_100, "known methods and series are bounded");
    }
    assert!(MADE.load(Ordering::Relaxed) > 1_000);
}
