//! Reads the variables: everything that is wrong is noted, then told at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::values::{decoded, duration, trust};
use super::{Settings, VARIABLES};
use crate::trace::{Protocol, Sampler, Trust};

/// Reads everything from `get`; what is wrong is listed, all of it.
pub(crate) fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Settings, Vec<String>> {
    let mut reader = Reader { get, wrong: Vec::new() };
    let protocol = reader.parse_traces("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc or http/protobuf", |it| match it {
        "grpc" => Some(Protocol::Grpc),
        "http/protobuf" => Some(Protocol::Http),
        _ => None,
    });
    let endpoint = reader.endpoint(protocol.unwrap_or(Protocol::Grpc));
    let ratio = reader.parse("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1", |it| {
        it.parse().ok().filter(|it| (0.0..=1.0).contains(it))
    });
    let settings = Settings {
        service_name: reader.get("OTEL_SERVICE_NAME"),
        attributes: reader.attributes(),
        endpoint,
        headers: reader.headers(),
        export_timeout: reader
            .parse_traces("OTEL_EXPORTER_OTLP_TIMEOUT", "a number of milliseconds from 1 to 86400000", |it| {
                it.parse().ok().filter(|it| (1..=86_400_000).contains(it)).map(Duration::from_millis)
            })
            .unwrap_or_default(),
        gzip: reader
            .parse_traces("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip or none", |it| match it {
                "gzip" => Some(true),
                "none" => Some(false),
                _ => None,
            })
            .unwrap_or(false),
        sampler: reader.sampler(ratio.unwrap_or(1.0)),
        trust: reader
            .parse("KILTER_TRACE_TRUST", "all, none, or networks such as 10.0.0.0/8", trust)
            .unwrap_or(Trust::All),
        admin: reader
            .parse("KILTER_ADMIN_ADDR", "an address and port such as 127.0.0.1:9464", |it| it.parse().ok())
            .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
        scrape_interval: reader.duration("KILTER_SCRAPE_INTERVAL"),
        all_readers_scrape: reader
            .parse("KILTER_SCRAPERS", "prometheus or all", |it| match it {
                "prometheus" => Some(false),
                "all" => Some(true),
                _ => None,
            })
            .unwrap_or(false),
        header_timeout: reader.duration("KILTER_HEADER_TIMEOUT"),
        drain: reader.duration("KILTER_DRAIN"),
        flush: reader.duration("KILTER_FLUSH"),
        log: reader.log(),
        log_json: reader
            .parse("KILTER_LOG_FORMAT", "json or pretty", |it| match it {
                "json" => Some(true),
                "pretty" => Some(false),
                _ => None,
            })
            .unwrap_or(true),
        created: reader.parse("KILTER_CREATED", "true or false", |it| it.parse().ok()).unwrap_or(false),
    };
    if reader.wrong.is_empty() { Ok(settings) } else { Err(reader.wrong) }
}

struct Reader<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    wrong: Vec<String>,
}

impl Reader<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
    }

    /// The variable, or its default of the table; `None` is an error that has been noted.
    fn parse<T>(&mut self, name: &str, takes: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.get(name);
        self.value(name, text, takes, parse)
    }

    /// The same for a variable of OTLP, whose form for traces only wins.
    fn parse_traces<T>(&mut self, name: &str, takes: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (name, text) = self.traces(name);
        self.value(name, text, takes, parse)
    }

    fn value<T>(
        &mut self,
        name: &str,
        text: Option<String>,
        takes: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let default = || VARIABLES.iter().find(|it| it.name == name).map_or("", |it| it.default).to_owned();
        let text = text.unwrap_or_else(default);
        let value = parse(&text);
        if value.is_none() {
            self.wrong.push(format!("  {name}=`{text}` is not {takes}"));
        }
        value
    }

    /// A variable of OTLP: the one for traces only when it is set, with the name that counts.
    fn traces<'n>(&self, name: &'n str) -> (&'n str, Option<String>) {
        let own = name.replacen("OTLP_", "OTLP_TRACES_", 1);
        // Both are asked for, so that the table's test sees them.
        match (VARIABLES.iter().find(|it| it.name == own), self.get(&own), self.get(name)) {
            (Some(own), Some(text), _) => (own.name, Some(text)),
            (_, _, text) => (name, text),
        }
    }

    /// The filter of the logs.
    fn log(&mut self) -> String {
        let (own, common) = (self.get("KILTER_LOG"), self.get("RUST_LOG"));
        let name = if own.is_none() && common.is_some() { "RUST_LOG" } else { "KILTER_LOG" };
        let filter = own.or(common).unwrap_or_else(|| "info".to_owned());
        if let Err(error) = filter.parse::<tracing_subscriber::EnvFilter>() {
            self.wrong.push(format!("  {name}=`{filter}` is no log filter such as info,my_crate=debug: {error}"));
        }
        filter
    }

    fn duration(&mut self, name: &str) -> Duration {
        self.parse(name, "a duration such as 500ms, 3s or 1m, up to a day", duration).unwrap_or_default()
    }

    /// `key=value,...` with percent-decoded values, as the OpenTelemetry specification has it. The text is told only
    /// when it holds no secrets.
    fn pairs(&mut self, name: &str, text: Option<String>, secret: bool) -> Vec<(String, String)> {
        let text = text.unwrap_or_default();
        let mut all = Vec::new();
        for (index, item) in text.split(',').map(str::trim).enumerate().filter(|(_, it)| !it.is_empty()) {
            let pair = item.split_once('=').map(|(key, value)| (key.trim(), decoded(value.trim())));
            match pair {
                Some((key, Some(value))) if !key.is_empty() => all.push((key.to_owned(), value)),
                _ if secret => self.wrong.push(format!("  {name}: item {} is not key=value", index + 1)),
                _ => self.wrong.push(format!("  {name}: `{item}` is not key=value")),
            }
        }
        all
    }

    fn attributes(&mut self) -> BTreeMap<String, String> {
        let text = self.get("OTEL_RESOURCE_ATTRIBUTES");
        self.pairs("OTEL_RESOURCE_ATTRIBUTES", text, false).into_iter().collect()
    }

    /// Headers of exports. One that HTTP does not allow is told without its value, which may be a secret.
    fn headers(&mut self) -> Vec<(String, String)> {
        let (name, text) = self.traces("OTEL_EXPORTER_OTLP_HEADERS");
        let headers = self.pairs(name, text, true);
        for (key, value) in &headers {
            let legal = key.to_ascii_lowercase().parse::<http::HeaderName>().is_ok();
            if !legal || value.parse::<http::HeaderValue>().is_err() {
                self.wrong.push(format!("  {name}: HTTP does not allow the name or the value of the header `{key}`"));
            }
        }
        headers
    }

    fn endpoint(&mut self, protocol: Protocol) -> Option<(Protocol, String)> {
        let (name, url) = self.traces("OTEL_EXPORTER_OTLP_ENDPOINT");
        let (url, exact) = (url?, name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        if url.starts_with("https://") {
            self.wrong.push(format!("  {name}=`{url}`: TLS is not built in; send to a collector nearby over http://"));
        } else if !url.strip_prefix("http://").is_some_and(|it| url.parse::<http::Uri>().is_ok() && !it.is_empty()) {
            self.wrong.push(format!("  {name}=`{url}` is not an address such as http://127.0.0.1:4317"));
        }
        let url =
            if protocol == Protocol::Http && !exact { format!("{}/v1/traces", url.trim_end_matches('/')) } else { url };
        Some((protocol, url))
    }

    fn sampler(&mut self, ratio: f64) -> Sampler {
        let takes = "always_on, always_off, traceidratio, or one of them after parentbased_";
        let sampler = self.parse("OTEL_TRACES_SAMPLER", takes, |it| {
            let (parent_based, name) = it.strip_prefix("parentbased_").map_or((false, it), |name| (true, name));
            let ratio = match name {
                "always_on" => 1.0,
                "always_off" => 0.0,
                "traceidratio" => ratio,
                _ => return None,
            };
            Some(Sampler { parent_based, ratio })
        });
        sampler.unwrap_or(Sampler { parent_based: true, ratio })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(set: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        read(&|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn defaults_are_those_of_the_table() {
        let settings = with(&[]).unwrap();
        assert_eq!(settings.admin.to_string(), "127.0.0.1:9464");
        assert_eq!((settings.drain, settings.flush), (Duration::from_secs(25), Duration::from_secs(3)));
        assert!(settings.endpoint.is_none() && settings.log_json && settings.trust == Trust::All);
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let wrong = with(&[
            ("KILTER_DRAIN", "soon"),
            ("KILTER_ADMIN_ADDR", "9464"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
            ("KILTER_TRACE_TRUST", "10.0.0.0/99"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=b,c"),
            ("KILTER_LOG_FORMAT", "xml"),
            ("RUST_LOG", "a=b=c"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10s"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hidden,hidden,x y=hidden"),
        ])
        .unwrap_err();
        assert_eq!(wrong.len(), 13, "{wrong:#?}");
        for name in ["KILTER_DRAIN=`soon`", "RUST_LOG", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=`10s`", "item 2", "`x y`"] {
            assert!(wrong.iter().any(|it| it.contains(name)), "{name} is missing: {wrong:#?}");
        }
        assert!(!wrong.concat().contains("hidden"), "headers are secrets: {wrong:#?}");
    }

    #[test]
    fn what_is_for_traces_only_wins_and_values_are_decoded() {
        let settings = with(&[
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "5"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "7"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=Bearer%20x"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_RESOURCE_ATTRIBUTES", "team=a%2Cb"),
        ])
        .unwrap();
        assert_eq!(settings.export_timeout, Duration::from_millis(7));
        assert_eq!(settings.headers, [("authorization".to_owned(), "Bearer x".to_owned())]);
        assert_eq!(settings.attributes["team"], "a,b");
        assert!(settings.gzip);
    }

    #[test]
    fn an_http_endpoint_gets_its_path_unless_it_is_exact() {
        let http = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        let shared = with(&[http, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/")]).unwrap().endpoint;
        assert_eq!(shared, Some((Protocol::Http, "http://c:4318/v1/traces".to_owned())));
        let exact = with(&[http, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/x")]).unwrap().endpoint;
        assert_eq!(exact, Some((Protocol::Http, "http://c/x".to_owned())));
    }
}
