//! A real OTLP receiver, over gRPC and over HTTP with protobuf.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Status};

/// What came in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Receiver {
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    headers: Arc<Mutex<Vec<String>>>,
    refusals: Arc<AtomicUsize>,
    millis: Arc<AtomicUsize>,
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.takes_its_time().await;
        if self.refuses() {
            return Err(Status::unavailable("restarting"));
        }
        let header = request.metadata().get("x-tenant").and_then(|it| it.to_str().ok());
        self.headers.lock().expect("headers").extend(header.map(str::to_owned));
        self.requests.lock().expect("requests").push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Receiver {
    /// Listens for gRPC.
    pub(crate) async fn grpc() -> (Self, SocketAddr) {
        let receiver = Self::default();
        let server = TraceServiceServer::new(receiver.clone()).accept_compressed(CompressionEncoding::Gzip);
        let app = Router::new().fallback_service(server);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, app).await });
        (receiver, address)
    }

    /// Listens for HTTP with protobuf.
    pub(crate) async fn http() -> (Self, SocketAddr) {
        let receiver = Self::default();
        let take = |State(receiver): State<Self>, headers: HeaderMap, body: Bytes| async move {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            receiver.takes_its_time().await;
            if receiver.refuses() {
                return Err(StatusCode::SERVICE_UNAVAILABLE);
            }
            let header = headers.get("x-tenant").and_then(|it| it.to_str().ok());
            receiver.headers.lock().expect("headers").extend(header.map(str::to_owned));
            let mut plain = Vec::new();
            match headers.get("content-encoding") {
                Some(_) => flate2::read::GzDecoder::new(body.as_ref()).read_to_end(&mut plain).expect("gzip"),
                None => (&*body).read_to_end(&mut plain).expect("bytes"),
            };
            let request = ExportTraceServiceRequest::decode(&*plain).expect("OTLP");
            receiver.requests.lock().expect("requests").push(request);
            Ok(ExportTraceServiceResponse::default().encode_to_vec())
        };
        let app = Router::new().route("/v1/traces", post(take)).with_state(receiver.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, app).await });
        (receiver, address)
    }

    /// Refuses the next exports, as a collector that restarts does.
    pub(crate) fn refuse(&self, exports: usize) {
        self.refusals.store(exports, Ordering::Relaxed);
    }

    /// Answers every export that much later.
    pub(crate) fn slow(&self, millis: usize) {
        self.millis.store(millis, Ordering::Relaxed);
    }

    async fn takes_its_time(&self) {
        let millis = u64::try_from(self.millis.load(Ordering::Relaxed)).expect("a number");
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    fn refuses(&self) -> bool {
        self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// Values of the header `x-tenant` that exports carried.
    pub(crate) fn tenants(&self) -> Vec<String> {
        self.headers.lock().expect("headers").clone()
    }

    /// Attributes of the resource of the first export.
    pub(crate) fn resource(&self) -> BTreeMap<String, String> {
        let requests = self.requests.lock().expect("requests");
        let resource = requests.first().and_then(|it| it.resource_spans.first()?.resource.as_ref());
        attributes(&resource.expect("a resource").attributes)
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().expect("requests");
        let scopes = requests.iter().flat_map(|it| &it.resource_spans).flat_map(|it| &it.scope_spans);
        scopes.flat_map(|it| it.spans.clone()).collect()
    }

    /// Waits for the span of this name.
    pub(crate) async fn span(&self, name: &str) -> Span {
        for _ in 0..200 {
            if let Some(span) = self.spans().into_iter().find(|it| it.name == name) {
                return span;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let names: Vec<String> = self.spans().into_iter().map(|it| it.name).collect();
        panic!("no span {name} among {names:?}");
    }
}

/// Attributes as text.
pub(crate) fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |it: &KeyValue| match it.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    all.iter().map(|it| (it.key.clone(), text(it))).collect()
}

/// The id as logs and headers print it.
pub(crate) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
