//! The one client of a Prometheus HTTP API, and of those that speak it (Mimir, Thanos, VictoriaMetrics): an end where
//! input comes in, like `load` and `fetch`. It asks and it types the answers; what they mean is decided elsewhere.
//!
//! Times are whole milliseconds since 1970, the resolution of Prometheus. Whatever the server answers, there is no panic:
//! [`PromError`] says what came and what to do.

mod access;
mod answer;
mod error;
mod rules;
mod server;
mod transport;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

pub use access::{Access, Credentials, Secret};
pub use answer::{Answer, Point, Sample, Series};
pub use error::{Failure, PromError};
pub use rules::{ActiveAlert, RuleKind, ServedGroup, ServedRule};
pub use server::{BuildInfo, Head, Runtime};

use crate::model::Duration;
use answer::Data;
use transport::Transport;

/// Labels of a series, `__name__` among them.
pub type Labels = BTreeMap<String, String>;

/// A Prometheus that can be asked. Cheap to share between threads: connections are kept and used again.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// Nothing is sent yet. `Err` is an address or a certificate file that cannot be used.
    pub fn new(access: &Access) -> Result<Self, PromError> {
        Ok(Self { transport: Transport::new(access)? })
    }

    /// The address as it may be shown: without credentials.
    pub fn address(&self) -> &str {
        self.transport.address()
    }

    /// The value of every series that the expression gives at one time, or now. A scalar is one sample without labels.
    pub fn instant(&self, query: &str, at: Option<i64>) -> Result<Answer<Vec<Sample>>, PromError> {
        let mut form = vec![("query", query.to_owned())];
        form.extend(at.map(|at| ("time", seconds(at))));
        let answer: Answer<Data> = self.transport.ask("/api/v1/query", &form)?;
        answer.try_map(Data::into_samples).map_err(|message| self.unexpected(message))
    }

    /// The samples of a range selector such as `up[1h]`, as they were scraped or recorded.
    pub fn samples(&self, selector: &str, at: Option<i64>) -> Result<Answer<Vec<Series>>, PromError> {
        let mut form = vec![("query", selector.to_owned())];
        form.extend(at.map(|at| ("time", seconds(at))));
        let answer: Answer<Data> = self.transport.ask("/api/v1/query", &form)?;
        answer.try_map(Data::into_series).map_err(|message| self.unexpected(message))
    }

    /// The expression at `start`, `start + step` and so on, up to `end` where that is a step. Prometheus refuses more
    /// than 11,000 steps.
    pub fn range(&self, query: &str, start: i64, end: i64, step: Duration) -> Result<Answer<Vec<Series>>, PromError> {
        let form =
            [("query", query.to_owned()), ("start", seconds(start)), ("end", seconds(end)), ("step", step.secs_text())];
        let answer: Answer<Data> = self.transport.ask("/api/v1/query_range", &form)?;
        answer.try_map(Data::into_series).map_err(|message| self.unexpected(message))
    }

    /// The labels of every series that one of the selectors finds between two times.
    pub fn series(&self, selectors: &[&str], start: i64, end: i64) -> Result<Answer<Vec<Labels>>, PromError> {
        let mut form: Vec<_> = selectors.iter().map(|it| ("match[]", (*it).to_owned())).collect();
        form.extend([("start", seconds(start)), ("end", seconds(end))]);
        self.transport.ask("/api/v1/series", &form)
    }

    /// The values that a label has in series that one of the selectors finds.
    pub fn label_values(&self, label: &str, selectors: &[&str]) -> Result<Answer<Vec<String>>, PromError> {
        let form: Vec<_> = selectors.iter().map(|it| ("match[]", (*it).to_owned())).collect();
        self.get(&format!("/api/v1/label/{label}/values"), &form)
    }

    /// Every rule that runs.
    pub fn rules(&self) -> Result<Answer<Vec<ServedGroup>>, PromError> {
        let answer: Answer<rules::Groups> = self.get("/api/v1/rules", &[])?;
        Ok(answer.map(|it| it.groups))
    }

    /// Every alert that is pending or fires.
    pub fn alerts(&self) -> Result<Answer<Vec<ActiveAlert>>, PromError> {
        let answer: Answer<rules::Alerts> = self.get("/api/v1/alerts", &[])?;
        Ok(answer.map(|it| it.alerts))
    }

    /// What it is, and which version.
    pub fn build_info(&self) -> Result<BuildInfo, PromError> {
        self.get("/api/v1/status/buildinfo", &[]).map(|it| it.data)
    }

    /// Its command line, such as `storage.tsdb.retention.time` and `query.max-samples`. Only Prometheus tells it.
    pub fn flags(&self) -> Result<BTreeMap<String, String>, PromError> {
        self.get("/api/v1/status/flags", &[]).map(|it| it.data)
    }

    /// How long it remembers, and how it is.
    pub fn runtime(&self) -> Result<Runtime, PromError> {
        self.get("/api/v1/status/runtimeinfo", &[]).map(|it| it.data)
    }

    /// The block that is in memory: its oldest and newest sample.
    pub fn head(&self) -> Result<Head, PromError> {
        let answer: Answer<server::Tsdb> = self.get("/api/v1/status/tsdb", &[])?;
        Ok(answer.data.head)
    }

    fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<Answer<T>, PromError> {
        self.transport.get(path, query)
    }

    fn unexpected(&self, message: String) -> PromError {
        self.transport.not_prometheus(message)
    }
}

/// A time as the API takes it: seconds, exact to the millisecond.
fn seconds(millis: i64) -> String {
    let (sign, millis) = (if millis < 0 { "-" } else { "" }, millis.unsigned_abs());
    format!("{sign}{}.{:03}", millis / 1_000, millis % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact() {
        for (millis, text) in [(1_700_000_000_123, "1700000000.123"), (-1, "-0.001"), (0, "0.000"), (999, "0.999")] {
            assert_eq!(seconds(millis), text);
        }
    }
}
