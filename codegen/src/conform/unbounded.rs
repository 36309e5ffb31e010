//! Label values that look as if there were no end of them. Only what is nearly certain is believed.

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// `a@b.example`.
    Address,
    /// A path with an id inside, or with a query.
    RawPath,
    /// Random letters and digits, such as a UUID.
    RandomId,
    /// A number of five digits and more.
    Number,
    /// The address of a machine.
    Machine,
}

/// Labels that hold the path of a request.
const PATHS: &[&str] = &[
    "http_route",
    "route",
    "path",
    "uri",
    "url",
    "handler",
    "endpoint",
    "target",
    "url_path",
    "http_target",
    "http_url",
    "url_full",
    "request_path",
    "request_uri",
    "resource",
];

/// Labels of which a machine has as many as it has parts.
const PARTS: &[&str] = &["cpu", "le", "quantile", "core", "port", "pid", "device", "address", "instance"];

impl Look {
    /// How it looks; `None` when it looks like a name.
    pub(super) fn of(key: &str, value: &str) -> Option<Self> {
        if PARTS.contains(&key) {
            return None;
        }
        if PATHS.contains(&key) && (value.starts_with('/') || value.contains("://")) {
            let (path, query) = value.split_once('?').unwrap_or((value, ""));
            let id = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()) || is_random(it);
            let raw = !query.is_empty() || path.split('/').any(id);
            return raw.then_some(Self::RawPath);
        }
        if value.split_once('@').is_some_and(|(who, host)| {
            !who.is_empty() && host.contains('.') && !value.contains([' ', '/']) && !host.ends_with(".service")
        }) {
            Some(Self::Address)
        } else if is_random(value) {
            Some(Self::RandomId)
        } else if value.len() >= 5 && value.bytes().all(|b| b.is_ascii_digit()) {
            Some(Self::Number)
        } else if value.parse::<std::net::IpAddr>().is_ok() || value.parse::<std::net::SocketAddr>().is_ok() {
            Some(Self::Machine)
        } else {
            None
        }
    }

    /// From how many values on it is believed.
    pub(super) const fn enough(self) -> usize {
        match self {
            Self::Address | Self::RawPath => 1,
            Self::RandomId => 3,
            Self::Number | Self::Machine => 20,
        }
    }

    /// In words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Address => "e-mail addresses",
            Self::RawPath => "raw paths",
            Self::RandomId => "ids",
            Self::Number => "numbers",
            Self::Machine => "addresses of machines",
        }
    }

    /// What to do.
    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::RawPath => {
                "use the template of the route, such as /orders/{id}, and no label where none matched: anybody can ask for any path"
            }
            Self::Address => "nobody's address belongs into a metric: drop the label, and log who it was",
            _ => {
                "drop the label, or put a small set of classes in its place; which one it was belongs into logs and traces"
            }
        }
    }
}

/// A UUID, or sixteen and more hexadecimal digits with figures and letters among them.
fn is_random(text: &str) -> bool {
    let hex = |it: &str| it.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<usize> = if text.len() == 36 { text.split('-').map(str::len).collect() } else { Vec::new() };
    if parts == [8, 4, 4, 4, 12] {
        return text.split('-').all(hex);
    }
    (16..=128).contains(&text.len())
        && hex(text)
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_ids() {
        for (key, value, look) in [
            ("path", "/orders/{id}", None),
            ("path", "/api/v1/orders", None),
            ("path", "/orders/4711", Some(Look::RawPath)),
            ("route", "/orders?page=2", Some(Look::RawPath)),
            ("route", "https://shop.example/orders", None),
            ("mountpoint", "/run/user/1000", None),
            ("user", "ann@shop.example", Some(Look::Address)),
            ("name", "getty@tty1.service", None),
            ("order", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", Some(Look::RandomId)),
            ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736", Some(Look::RandomId)),
            ("word", "deadbeefdeadbeef", None),
            ("code", "200", None),
            ("order", "471100", Some(Look::Number)),
            ("client", "10.0.0.7", Some(Look::Machine)),
            ("cpu", "123456", None),
        ] {
            assert_eq!(Look::of(key, value), look, "{key}={value}");
        }
    }
}
