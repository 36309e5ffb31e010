//! What the services of the test did: one sample a second, in OpenMetrics' text.

use std::fmt::Write as _;

/// A quarter of an hour, so that every window is full.
const SECONDS: u64 = 900;

/// Good events of a second.
pub(super) const fn good(second: u64) -> u64 {
    if second % 10 < 5 { 90 } else { 10 }
}

/// Bad events of a second.
pub(super) const fn bad(_second: u64) -> u64 {
    10
}

/// Everything up to a moment.
pub(super) struct History {
    text: String,
    /// Unix seconds of the first sample.
    start: u64,
}

impl History {
    /// Every series that the SLOs of the test read.
    pub(super) fn until(end: u64) -> Self {
        let mut it = Self { text: String::new(), start: end - SECONDS };
        it.families();
        it.histograms();
        it.counters();
        it.gauges();
        it
    }

    pub(super) fn text(self) -> String {
        self.text + "# EOF\n"
    }

    fn series(&mut self, series: &str, value: impl Fn(u64) -> String) {
        for second in 0..SECONDS {
            let _ = writeln!(self.text, "{series} {} {}", value(second), self.start + second);
        }
    }

    /// A counter of this many events in each second; several that share the events of one count every `share`th.
    fn counter(&mut self, series: &str, events: impl Fn(u64) -> u64) {
        let sums: Vec<u64> = (0..SECONDS)
            .scan(0, |sum, second| {
                *sum += events(second);
                Some(*sum)
            })
            .collect();
        self.series(series, |second| sums[usize::try_from(second).expect("a second")].to_string());
    }

    /// Interactions of the contract by their outcome.
    fn families(&mut self) {
        let http = "http_server_request_duration_seconds_count";
        for route in ["/a", "/b"] {
            let own = format!("job=\"shop\",http_route=\"{route}\",http_request_method=\"GET\"");
            self.counter(&format!("{http}{{{own},http_response_status_code=\"200\"}}"), |s| good(s) / 2);
            let failed = "http_response_status_code=\"500\",error_type=\"500\"";
            self.counter(&format!("{http}{{{own},{failed}}}"), |s| bad(s) / 2);
            // Clients that left are good.
            self.counter(&format!("{http}{{{own},error_type=\"client_disconnect\"}}"), |s| good(s) - good(s) / 2 * 2);
        }
        // What no route matched, and what another service did, count nowhere.
        self.counter(
            &format!("{http}{{job=\"shop\",http_request_method=\"GET\",http_response_status_code=\"404\"}}"),
            |_| 500,
        );
        self.counter(&format!("{http}{{job=\"other\",http_route=\"/a\",error_type=\"500\"}}"), |_| 500);
        // An own definition of bad: a server error, 429, a time-out; a panic is none of them here.
        let own = |rest: &str| format!("{http}{{job=\"shop\",http_route=\"/own\",{rest}}}");
        self.counter(&own("http_response_status_code=\"200\""), |s| good(s) / 2);
        self.counter(&own("error_type=\"panic\""), |s| good(s) / 2);
        self.counter(&own("http_response_status_code=\"503\",error_type=\"503\""), |s| bad(s) / 5);
        self.counter(&own("http_response_status_code=\"429\""), |s| bad(s) / 5);
        self.counter(&own("http_response_status_code=\"504\",error_type=\"timeout\""), |s| bad(s) / 5 * 2);
        self.counter(&own("error_type=\"timeout\""), |s| bad(s) / 5);
        // Calls: half of what is bad was rejected before it was made.
        for (name, dependency, ok, failed) in [
            (
                "http_client_request_duration_seconds",
                "identity",
                "http_response_status_code=\"200\"",
                "error_type=\"500\"",
            ),
            (
                "rpc_client_call_duration_seconds",
                "users",
                "rpc_response_status_code=\"OK\"",
                "error_type=\"UNAVAILABLE\"",
            ),
        ] {
            let own = format!("job=\"shop\",dependency=\"{dependency}\"");
            self.counter(&format!("{name}_count{{{own},{ok}}}"), good);
            self.counter(&format!("{name}_count{{{own},{failed}}}"), |s| bad(s) / 2);
            self.counter(&format!("dependency_rejected_total{{{own},reason=\"circuit_open\"}}"), |s| bad(s) / 2);
        }
        for (name, own, ok, failed) in [
            (
                "rpc_server_call_duration_seconds",
                "rpc_method=\"users.v1.Users/Get\"",
                "rpc_response_status_code=\"OK\"",
                "error_type=\"INTERNAL\"",
            ),
            (
                "db_client_operation_duration_seconds",
                "db_namespace=\"main\",db_role=\"replica\"",
                "db_operation_name=\"load\"",
                "error_type=\"timeout\"",
            ),
            (
                "messaging_process_duration_seconds",
                "messaging_destination_name=\"orders\"",
                "messaging_system=\"kafka\"",
                "error_type=\"timeout\"",
            ),
            ("job_run_duration_seconds", "job_name=\"gc\"", "instance=\"a\"", "error_type=\"panic\""),
            (
                "cache_operation_duration_seconds",
                "cache_name=\"sessions\",operation=\"get\"",
                "outcome=\"hit\"",
                "outcome=\"miss\"",
            ),
        ] {
            self.counter(&format!("{name}_count{{job=\"shop\",{own},{ok}}}"), good);
            self.counter(&format!("{name}_count{{job=\"shop\",{own},{failed}}}"), bad);
        }
        self.counter("db_client_operation_duration_seconds_count{job=\"shop\",db_namespace=\"main\",db_role=\"primary\",error_type=\"timeout\"}", |_| 100);
        self.counter(
            "cache_operation_duration_seconds_count{job=\"shop\",cache_name=\"sessions\",operation=\"set\"}",
            |_| 100,
        );
    }

    /// Bad is slow.
    fn histograms(&mut self) {
        for (name, own, le) in [
            ("http_server_request_duration_seconds", "job=\"shop\",http_route=\"/slow\"", "0.25"),
            ("http_client_request_duration_seconds", "job=\"shop\",dependency=\"ledger\"", "1.0"),
            ("job_run_duration_seconds", "job=\"shop\",job_name=\"report\"", "900.0"),
            ("legacy_millis", "zone=\"a\"", "2000"),
        ] {
            self.counter(&format!("{name}_count{{{own}}}"), |s| good(s) + bad(s));
            self.counter(&format!("{name}_bucket{{{own},le=\"{le}\"}}"), good);
            self.counter(&format!("{name}_bucket{{{own},le=\"+Inf\"}}"), |s| good(s) + bad(s));
        }
        // A fast failure is the availability SLO's, and an instance without the bound is silent.
        let failed = "http_server_request_duration_seconds";
        self.counter(&format!("{failed}_count{{job=\"shop\",http_route=\"/slow\",error_type=\"500\"}}"), |_| 100);
        self.counter(&format!("{failed}_count{{job=\"shop\",http_route=\"/slow\",instance=\"old\"}}"), |_| 100);
    }

    fn counters(&mut self) {
        self.counter("hooks_failed_total{job=\"hooks\"}", bad);
        self.counter("hooks_ok_total{job=\"hooks\"}", good);
        self.counter("hooks_total{job=\"hooks\"}", |s| good(s) + bad(s));
        self.counter("shared_failed_total{region=\"eu\"}", bad);
        for region in ["eu", "us"] {
            self.counter(&format!("shared_total{{region=\"{region}\"}}"), |s| good(s) + bad(s));
        }
        // Four minutes of five sell; a minute ends with its mark.
        let start = self.start;
        self.counter("sold_total", |s| if ((start + s - 1) / 60).is_multiple_of(5) { 0 } else { 100 });
    }

    fn gauges(&mut self) {
        let start = self.start;
        self.series("job_last_success_timestamp_seconds{job=\"shop\",job_name=\"gc\"}", |_| {
            (start - 3_600).to_string()
        });
        self.series("job_last_success_timestamp_seconds{job=\"shop\",job_name=\"report\"}", |_| {
            (start - 7_200).to_string()
        });
        // A process that was born a minute ago, and has not run anything.
        self.series("job_last_success_timestamp_seconds{job=\"shop\",job_name=\"gc\",instance=\"new\"}", |_| {
            "0".to_owned()
        });
        let text = |value: bool| u8::from(value).to_string();
        self.series("loss_ratio", |s| if s % 10 < 5 { "0.05".to_owned() } else { "0.25".to_owned() });
        // Down every other second, so that a window has the same share of them wherever it ends.
        self.series("probe_success{target=\"shop\"}", |s| text(s % 2 != 0));
        // One or the other is up, but for half a minute of every five: an expression is read twice a minute. In the middle
        // of the last five, so that rules which run a little after the end of all history still see just that one.
        let down = |s: u64| (150..180).contains(&((SECONDS - s) % 300));
        self.series("backend_up{backend=\"a\"}", |s| text(s % 10 > 4 && !down(s)));
        self.series("backend_up{backend=\"b\"}", |s| text(s % 10 <= 4 && !down(s)));
    }
}
