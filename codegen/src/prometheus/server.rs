//! What a server says about itself. Not all of those that speak the API say all of it.

use serde::Deserialize;

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BuildInfo {
    /// Such as `2.42.0`.
    #[serde(default)]
    pub version: String,
    /// Mimir and others name themselves here.
    pub application: Option<String>,
}

/// How it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Runtime {
    /// When it started, as RFC 3339.
    #[serde(default)]
    pub start_time: String,
    /// How long it remembers: `15d`, `512MB` or `15d or 512MB`.
    #[serde(default)]
    pub storage_retention: String,
    /// Whether it runs with the configuration that is on its disk.
    #[serde(default = "yes")]
    pub reload_config_success: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tsdb {
    #[serde(rename = "headStats")]
    pub(super) head: Head,
}

/// The block in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// Series in it.
    #[serde(default)]
    pub num_series: u64,
    /// Its oldest sample, in milliseconds.
    #[serde(default)]
    pub min_time: i64,
    /// Its newest sample, in milliseconds.
    #[serde(default)]
    pub max_time: i64,
}
