//! Turns declarative SLO YAML into Prometheus rules, the tests that prove them, Alertmanager routes, dashboards and runbooks.
//!
//! The generator is a compiler. One type per stage, input and output only at the two ends:
//!
//! ```text
//! load ─▶ parse ─▶ resolve ─▶ plan ─▶ lint ─▶ render ─▶ write | check
//! ```
//!
//! | stage | from | to |
//! |---|---|---|
//! | [`load`] | paths | [`load::Sources`], the only reader of disk |
//! | [`spec`] | text | documents as written, every scalar with its span |
//! | [`resolve`] | documents | [`model::Estate`], valid by construction |
//! | [`plan`] | estate | [`plan::Plan`]: typed rules, routes, dashboards, runbooks, tests. Every decision ends here |
//! | [`lint`] | estate and plan | diagnostics |
//! | [`render`] | plan | [`render::Artifact`]s in memory |
//! | [`output`] | artifacts | files on disk, or a diff |
//!
//! Files of other tools ([`formats`]) join at `load`: their trees are those of our SLO file, their places those of the
//! user's.
//!
//! What a user got wrong is a [`diagnostic::Diagnostic`]; `Err` is for disk and bugs.

#[deny(clippy::disallowed_methods)]
pub mod backtest;
#[deny(clippy::disallowed_methods)]
pub mod change;
pub mod cli;
#[deny(clippy::disallowed_methods)]
pub mod conform;
#[deny(clippy::disallowed_methods)]
pub mod diagnostic;
#[deny(clippy::disallowed_methods)]
pub mod exposition;
pub mod fetch;
#[deny(clippy::disallowed_methods)]
pub mod formats;
mod http;
#[deny(clippy::disallowed_methods)]
pub mod lint;
pub mod load;
#[deny(clippy::disallowed_methods)]
pub mod model;
#[deny(clippy::disallowed_methods)]
pub mod numbers;
pub mod output;
pub mod pipeline;
#[deny(clippy::disallowed_methods)]
pub mod plan;
#[deny(clippy::disallowed_methods)]
pub mod plot;
pub mod prometheus;
#[deny(clippy::disallowed_methods)]
pub mod promql;
#[deny(clippy::disallowed_methods)]
pub mod render;
#[deny(clippy::disallowed_methods)]
pub mod replay;
#[deny(clippy::disallowed_methods)]
pub mod report;
#[deny(clippy::disallowed_methods)]
pub mod resolve;
#[deny(clippy::disallowed_methods)]
pub mod rulefile;
#[deny(clippy::disallowed_methods)]
pub mod scaffold;
#[deny(clippy::disallowed_methods)]
pub mod scenario;
#[deny(clippy::disallowed_methods)]
pub mod simulate;
#[deny(clippy::disallowed_methods)]
pub mod spec;
#[deny(clippy::disallowed_methods)]
pub mod status;
#[deny(clippy::disallowed_methods)]
pub mod yaml;
