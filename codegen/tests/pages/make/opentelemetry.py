"""A Flask service, instrumented by OpenTelemetry, with its exporter for Prometheus. OTEL_SEMCONV_STABILITY_OPT_IN=http
makes it use the stable names of the semantic conventions."""
import sys
from flask import Flask
from opentelemetry import metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import REGISTRY
from prometheus_client.exposition import generate_latest

metrics.set_meter_provider(MeterProvider(resource=Resource.create({"service.name": "orders", "service.version": "1.4.2"}),
                                         metric_readers=[PrometheusMetricReader()]))
app = Flask("orders")
FlaskInstrumentor().instrument_app(app)

@app.get("/orders/<int:id>")
def order(id):
    return ("gone", 500) if id == 13 else "an order"

client = app.test_client()
for path in ["/orders/1", "/orders/2", "/orders/13", "/nowhere/7"]:
    client.get(path)
sys.stdout.buffer.write(generate_latest(REGISTRY))
