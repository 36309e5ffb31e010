//! The guides' examples compile: rustdoc reads them from the pages themselves.

#[doc = include_str!("../../docs/services.md")]
struct Services;

#[doc = include_str!("../../docs/adhoc-metrics.md")]
struct AdHocMetrics;

#[cfg(feature = "sqlx-0-9")]
#[doc = include_str!("../../docs/databases.md")]
struct Databases;
