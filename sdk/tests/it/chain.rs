//! A request that goes on to the next service: over HTTP, over gRPC to routes within axum, over gRPC to tonic's own
//! server. Its trace goes with it, sampled or not.

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use kilter::http_client::MeasuredClient;
use kilter::tonic::service::Routes;
use kilter::tonic::transport::server::TcpIncoming;
use kilter::tonic::transport::{Channel, Server};
use kilter::tonic::{Request, Response, Status, async_trait};
use kilter::{GrpcClient, RequestContext, Telemetry};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::ServiceBuilder;

use crate::receiver::{Receiver, attributes, hex};
use crate::service::Service;

const EXPORT: &str = "opentelemetry.proto.collector.trace.v1.TraceService/Export";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// Answers with the `traceparent` that it would pass on.
#[derive(Debug)]
struct Echo;

#[async_trait]
impl TraceService for Echo {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let error_message = RequestContext::current().traceparent();
        let partial_success = Some(ExportTracePartialSuccess { rejected_spans: 0, error_message });
        Ok(Response::new(ExportTraceServiceResponse { partial_success }))
    }
}

/// What the service of these tests serves beside its orders.
pub(crate) fn routes(telemetry: &Telemetry) -> Router {
    let http = telemetry.http_client("next").reqwest(kilter::reqwest::Client::new());
    let grpc = telemetry.grpc_client("next").methods(&[EXPORT]);
    // Without a fallback of tonic's, so that what is unknown stays a 404.
    let (_, health) = tonic_health::server::health_reporter();
    let within = Routes::from(Router::new()).add_service(TraceServiceServer::new(Echo)).add_service(health);
    let own = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let address = own.local_addr().expect("an address").to_string();
    let server = Server::builder().layer(telemetry.grpc_server()).add_service(TraceServiceServer::new(Echo));
    tokio::spawn(server.serve_with_incoming(own));
    let jobs = telemetry.clone();
    Router::new()
        .route("/own", get(|| async { address }))
        .route("/call", get(async move |headers: HeaderMap| call_next(http, grpc, headers).await))
        .route("/nightly", get(async move || nightly(jobs.clone()).await))
        .merge(within.into_axum_router().layer(telemetry.grpc_server()))
}

/// Calls the next service in each way; what each heard.
#[tracing::instrument(skip_all)]
async fn call_next(http: MeasuredClient, grpc: GrpcClient, headers: HeaderMap) -> String {
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    let mut order = http.get(format!("{}/orders/7?token=secret", header("x-next")));
    if let Some(given) = headers.get("x-given") {
        order = order.header("traceparent", given);
    }
    let mut heard = vec![order.send().await.expect("an answer").text().await.expect("a body")];
    for address in ["x-next", "x-own"] {
        let channel = Channel::from_shared(header(address)).expect("an address").connect_lazy();
        let mut client = TraceServiceClient::new(ServiceBuilder::new().layer(grpc).service(channel));
        let answer = client.export(ExportTraceServiceRequest::default()).await.expect("an answer");
        heard.push(answer.into_inner().partial_success.expect("an echo").error_message);
    }
    heard.join(" ")
}

/// An operation that fails; what it runs in.
async fn load(telemetry: Telemetry) -> Result<String, String> {
    let main = telemetry.db("main").system("postgresql").replica();
    main.run("load_orders", async { Err::<(), _>("gone") }).await.expect_err("an error");
    Ok(RequestContext::current().traceparent())
}

/// Jobs within a request, beside it and without one, each with an operation within; the trace and span of each run.
#[tracing::instrument(skip_all)]
async fn nightly(telemetry: Telemetry) -> String {
    let within = telemetry.job("reindex").run(load(telemetry.clone())).await.expect("its context");
    // A task that outlives its request still belongs to it.
    let spawned = tokio::spawn(telemetry.job("reindex").run(load(telemetry.clone())));
    let outside = std::thread::scope(|scope| {
        let job = || telemetry.job("compact").run(load(telemetry.clone()));
        scope
            .spawn(move || tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(job()))
            .join()
            .expect("no panic")
    });
    let spawned = spawned.await.expect("no panic").expect("its context");
    [within, spawned, outside.expect("its context")].join(" ")
}

/// Two services, and what the second heard from the first.
async fn heard(first: &Service, second: &Service, headers: &[(&'static str, &str)]) -> Vec<String> {
    let own = format!("http://{}", second.get("/own", &[]).await);
    let (next, given) = (second.url(""), [("x-own", own.as_str())]);
    let headers = [headers, &given, &[("x-next", next.as_str())]].concat();
    first.get("/call", &headers).await.split(' ').map(str::to_owned).collect()
}

#[tokio::test]
async fn a_sampled_trace_has_a_span_for_each_call_between_those_of_the_services() {
    let (receiver, address) = Receiver::grpc().await;
    let endpoint = format!("http://{address}");
    let start = |name| Service::start(&[("OTEL_SERVICE_NAME", name), ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let (first, second) = (start("first"), start("second"));
    let caller = format!("00-{TRACE}-{PARENT}-01");
    let heard = heard(&first, &second, &[("traceparent", &caller)]).await;
    assert!(heard.iter().all(|it| it.starts_with(&format!("00-{TRACE}-")) && it.ends_with("-01")), "{heard:?}");

    let front = receiver.span("GET /call").await;
    let inner = receiver.span("call_next").await;
    assert_eq!((hex(&front.parent_span_id), &inner.parent_span_id), (PARENT.to_owned(), &front.span_id));
    receiver.span("GET /orders/{id}").await;
    for (name, server, count) in [
        ("GET", "GET /orders/{id}", 1),
        (EXPORT, "POST /opentelemetry.proto.collector.trace.v1.TraceService/{*rest}", 1),
        (EXPORT, EXPORT, 1),
    ] {
        receiver.span(server).await;
        let spans = receiver.spans();
        let pairs: Vec<(&Span, &Span)> = spans
            .iter()
            .filter(|it| it.kind == 3 && it.name == name && it.parent_span_id == inner.span_id)
            .flat_map(|client| {
                let served = |it: &&Span| it.kind == 2 && it.name == server && it.parent_span_id == client.span_id;
                spans.iter().filter(served).map(move |it| (client, it))
            })
            .collect();
        assert_eq!(pairs.len(), count, "{name} to {server} among {spans:#?}");
        let (client, served) = pairs[0];
        assert_eq!((hex(&client.trace_id), &served.trace_id), (TRACE.to_owned(), &client.trace_id));
        assert!(client.start_time_unix_nano <= served.start_time_unix_nano + 5_000_000);
        let (sent, got) = (attributes(&client.attributes), attributes(&served.attributes));
        assert_eq!(sent["kilter.dependency"], "next");
        if name == EXPORT {
            assert_eq!((&*sent["rpc.method"], &*sent["rpc.response.status_code"]), (EXPORT, "OK"));
        } else {
            assert_eq!(sent["url.full"], second.url("/orders/7"), "neither query nor credentials");
            assert_eq!((&*sent["server.address"], &*sent["http.response.status_code"]), ("127.0.0.1", "200"));
        }
        if server == EXPORT {
            assert_eq!((&*got["rpc.method"], &*got["rpc.system.name"]), (EXPORT, "grpc"));
        }
    }
    assert!(!format!("{:?}", receiver.spans()).contains("secret"));
}

/// What a request waits for are spans of its trace: a job, and the operations on a database within.
#[tokio::test]
async fn jobs_and_database_operations_have_spans() {
    let (receiver, address) = Receiver::grpc().await;
    let service = Service::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}"))]);
    let caller = format!("00-{TRACE}-{PARENT}-01");
    let answer = service.get("/nightly", &[("traceparent", &caller)]).await;
    let runs: Vec<(&str, &str)> = answer.split(' ').map(|it| (&it[3..35], &it[36..52])).collect();
    let nightly = receiver.span("nightly").await;
    receiver.span("run compact").await;
    let spans = receiver.spans();
    for (run, (name, parent)) in runs.iter().zip([
        ("run reindex", hex(&nightly.span_id)),
        ("run reindex", hex(&nightly.span_id)),
        ("run compact", String::new()),
    ]) {
        let job = spans.iter().find(|it| hex(&it.span_id) == run.1).expect("its span");
        assert_eq!((job.name.as_str(), job.kind, hex(&job.trace_id).as_str()), (name, 1, run.0), "{job:?}");
        assert_eq!(hex(&job.parent_span_id), parent, "{job:?}");
        assert_eq!(run.0 == TRACE, !parent.is_empty(), "a job without a request has a trace of its own");
        assert_eq!(attributes(&job.attributes)["job.name"], name["run ".len()..]);
        let operation = spans.iter().find(|it| it.parent_span_id == job.span_id).expect("an operation within");
        assert_eq!((operation.name.as_str(), operation.kind), ("load_orders", 3));
        let told = attributes(&operation.attributes);
        for (key, value) in [
            ("db.system.name", "postgresql"),
            ("db.operation.name", "load_orders"),
            ("db.namespace", "main"),
            ("kilter.db.role", "replica"),
            ("error.type", "_OTHER"),
        ] {
            assert_eq!(told[key], value, "{key}");
        }
    }
}

#[tokio::test]
async fn an_unsampled_trace_goes_on_and_one_that_was_given_is_kept() {
    let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let (first, second) = (Service::start(&[collector]), Service::start(&[collector]));
    let unsampled = format!("00-{TRACE}-{PARENT}-00");
    let all = heard(&first, &second, &[("traceparent", &unsampled)]).await;
    assert!(all.iter().all(|it| it.starts_with(&format!("00-{TRACE}-")) && it.ends_with("-00")), "{all:?}");
    let given = "00-1111111111111111aaaaaaaaaaaaaaaa-2222222222222222-00";
    let all = heard(&first, &second, &[("traceparent", &unsampled), ("x-given", given)]).await;
    assert!(all[0].starts_with(&given[..36]) && all[1].starts_with(&format!("00-{TRACE}-")), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_outlives_the_drain_is_ended_by_the_server() {
    // A collector that never answers keeps the flush going, so that the page can be read after the drain.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let service = Service::start(&[
        ("KILTER_DRAIN", "200ms"),
        ("KILTER_FLUSH", "3s"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
    ]);
    let mut client = HealthClient::new(Channel::from_shared(service.url("")).expect("an address").connect_lazy());
    let mut watched = client.watch(HealthCheckRequest::default()).await.expect("a head").into_inner();
    watched.message().await.expect("no error").expect("a message");
    service.terminate();
    let series = "rpc_server_call_duration_seconds_count{rpc_system_name=\"grpc\",\
                  rpc_method=\"grpc.health.v1.Health/Watch\",error_type=\"server_shutdown\"}";
    for _ in 0..40 {
        if service.value(series).await == Some(1.0) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no {series} in\n{}", service.admin("/metrics").await.1);
}
