//! Exemplars and created timestamps: what only OpenMetrics can say.

use crate::service::Service;

const BUCKET: &str =
    "http_server_request_duration_seconds_bucket{http_request_method=\"GET\",http_route=\"/orders/{id}\"";

async fn openmetrics(service: &Service) -> String {
    let client = reqwest::Client::new();
    let asked =
        client.get(format!("http://{}/metrics", service.admin)).header("accept", "application/openmetrics-text");
    asked.send().await.expect("an answer").text().await.expect("a page")
}

/// The exemplars of the route's request durations: `le`, trace id, span id, value and time.
fn exemplars(page: &str) -> Vec<(String, String, String, f64, f64)> {
    let of = |line: &str| {
        let (sample, exemplar) = line.strip_prefix(BUCKET)?.split_once(" # {trace_id=\"")?;
        let (trace, rest) = exemplar.split_once("\",span_id=\"")?;
        let (span, rest) = rest.split_once("\"} ")?;
        let (value, time) = rest.split_once(' ')?;
        let le = sample.split("le=\"").nth(1)?.split('"').next()?;
        Some((le.to_owned(), trace.to_owned(), span.to_owned(), value.parse().ok()?, time.parse().ok()?))
    };
    page.lines().filter_map(of).collect()
}

#[tokio::test]
async fn a_bucket_points_to_the_trace_of_a_sampled_request() {
    let service = Service::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("KILTER_CREATED", "true")]);
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    let before = now();
    let sent = service.get("/orders/7", &[]).await;
    let page = openmetrics(&service).await;
    let found = exemplars(&page);
    let [(le, trace, span, value, time)] = found.as_slice() else { panic!("{found:?} in {page}") };
    assert_eq!((trace.as_str(), span.as_str()), (&sent[3..35], &sent[36..52]));
    assert!(*value > 0.0 && *value <= le.parse().expect("a bound"), "{value} in {le}");
    assert!((before - 1.0..=now() + 1.0).contains(time), "{time}");
    assert!(
        page.contains("http_server_time_to_first_byte_seconds_bucket") && page.matches(" # {").count() == 2,
        "{page}"
    );
    let (_, text) = service.admin("/metrics").await;
    assert!(!text.contains("trace_id") && !text.contains("_created"), "the text format has neither:\n{text}");

    // Each counter and histogram series tells when it was made, between the start and now.
    let made = |line: &&str| line.split(['{', ' ']).next().is_some_and(|it| it.ends_with("_created"));
    let made: Vec<&str> = page.lines().filter(made).collect();
    // A gauge may be called so too.
    let mut kind = String::new();
    let counted = |line: &&str| {
        if let Some(of) = line.strip_prefix("# TYPE ").and_then(|it| it.split(' ').nth(1)) {
            of.clone_into(&mut kind);
        }
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        (kind == "histogram" && name.ends_with("_count")) || (kind == "counter" && name.ends_with("_total"))
    };
    let counts = page.lines().filter(counted).count();
    assert_eq!(made.len(), counts, "{page}");
    for line in made {
        let time: f64 = line.rsplit_once(' ').expect("a sample").1.parse().expect("a time");
        assert!(time > before - 30.0 && time <= now() + 1.0, "{line}");
    }

    let unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let service = Service::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]);
    service.get("/orders/7", &[("traceparent", unsampled)]).await;
    let page = openmetrics(&service).await;
    assert!(
        !page.contains("trace_id") && !page.contains("_created"),
        "only of sampled requests, only on request:\n{page}"
    );
}
