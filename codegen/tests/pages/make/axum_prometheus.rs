//! A service with the layer of axum-prometheus 0.10.1, and nothing else changed.

use axum::{Router, http::StatusCode, routing::get};
use axum_prometheus::PrometheusMetricLayer;

#[tokio::main]
async fn main() {
    let (layer, handle) = PrometheusMetricLayer::pair();
    let app = Router::new()
        .route("/orders/{id}", get(|| async { "an order" }).post(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/metrics", get(move || async move { handle.render() }))
        .layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:9871").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
