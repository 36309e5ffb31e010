"""A service with the official Python client, in both formats."""
import sys
from prometheus_client import REGISTRY, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client import exposition, openmetrics

requests = Counter("http_requests", "Requests that were served.", ["method", "path", "status"])
latency = Histogram("request_latency_seconds", "Time to answer.", ["path"])
Gauge("inprogress_requests", "Requests in flight.").set(2)
Summary("request_size_bytes", "Size of requests.").observe(312)
Info("shop", "The shop.").info({"version": "1.4.2"})
Enum("shop_state", "What the shop is doing.", states=["starting", "open"]).state("open")
for path, status, seconds in [("/orders/{id}", "200", 0.031), ("/orders/{id}", "500", 1.2), ("/cart", "200", 0.004)]:
    requests.labels("GET", path, status).inc(exemplar={"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
    latency.labels(path).observe(seconds, exemplar={"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
page = openmetrics.exposition if sys.argv[1:] == ["openmetrics"] else exposition
sys.stdout.buffer.write(page.generate_latest(REGISTRY))
