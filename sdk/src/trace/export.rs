//! The OTLP exporter, built where it is used: on the export thread, inside its runtime.

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry_otlp::{
    Compression, ExporterBuildError, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
    WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter as _;

/// How spans travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// OTLP over gRPC, usually port 4317.
    Grpc,
    /// OTLP over HTTP with protobuf, usually port 4318.
    Http,
}

/// Where spans go.
#[derive(Debug, Clone)]
pub(crate) struct ExportConfig {
    pub(crate) protocol: Protocol,
    /// For HTTP with the path `/v1/traces`.
    pub(crate) endpoint: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
    pub(crate) resource: Resource,
}

impl ExportConfig {
    /// Host and port of the collector.
    pub(crate) fn address(&self) -> (String, u16) {
        let url: http::Uri = self.endpoint.parse().unwrap_or_default();
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        (host.to_owned(), url.port_u16().unwrap_or(80))
    }

    /// Builds it. Retries are the queue's: the exporter's own would use up the shutdown deadline on a refused collector.
    pub(crate) fn build(self) -> Result<SpanExporter, ExporterBuildError> {
        let gzip = self.gzip.then_some(Compression::Gzip);
        let mut exporter = match self.protocol {
            Protocol::Grpc => {
                let headers = self.headers.iter().filter_map(|(key, value)| {
                    Some((
                        key.to_lowercase().parse::<http::HeaderName>().ok()?,
                        value.parse::<http::HeaderValue>().ok()?,
                    ))
                });
                let metadata = opentelemetry_otlp::tonic_types::metadata::MetadataMap::from_headers(headers.collect());
                let builder = SpanExporter::builder()
                    .with_tonic()
                    .with_endpoint(self.endpoint)
                    .with_timeout(self.timeout)
                    .with_metadata(metadata)
                    .with_retry_policy(RetryPolicy::disabled());
                match gzip {
                    Some(gzip) => builder.with_compression(gzip).build()?,
                    None => builder.build()?,
                }
            }
            Protocol::Http => {
                let builder = SpanExporter::builder()
                    .with_http()
                    .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
                    .with_endpoint(self.endpoint)
                    .with_timeout(self.timeout)
                    .with_headers(self.headers.into_iter().collect::<HashMap<_, _>>())
                    .with_retry_policy(RetryPolicy::disabled());
                match gzip {
                    Some(gzip) => builder.with_compression(gzip).build()?,
                    None => builder.build()?,
                }
            }
        };
        exporter.set_resource(&self.resource);
        Ok(exporter)
    }
}
