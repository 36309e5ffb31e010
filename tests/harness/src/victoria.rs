//! A real VictoriaMetrics on a free port, and vmalert that evaluates rules on it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::prometheus::{api, encoded, instant};
use crate::{Alert, Process, Sample, free_port, http, tools};

const START: Duration = Duration::from_secs(60);

/// A running VictoriaMetrics, a single node; it ends when dropped.
#[derive(Debug)]
pub struct VictoriaMetrics {
    port: u16,
    _process: Process,
}

impl VictoriaMetrics {
    /// Starts it with its data and log in `folder`, and waits until it is ready.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let port = free_port()?;
        let mut command = Command::new(tools::require("victoria-metrics")?);
        command
            .arg(format!("-storageDataPath={}", folder.join("data").display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .arg("-retentionPeriod=2")
            // Half a minute by default, for rules that run every half minute; those of the tests run every second.
            .arg("-search.latencyOffset=1s");
        let mut process = Process::start("victoria-metrics", command, folder)?;
        process.ready(&format!("http://127.0.0.1:{port}/health"), START)?;
        Ok(Self { port, _process: process })
    }

    /// Its address for programs.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Stores samples: a series, its value and its time in milliseconds in each line.
    pub fn import(&self, lines: &str) -> anyhow::Result<()> {
        let url = format!("{}/api/v1/import/prometheus", self.url());
        let answer = http::post(&url, "text/plain", lines.as_bytes())?;
        ensure!(answer.status / 100 == 2, "not imported: {} {}", answer.status, answer.text());
        // What was just written is only found after this.
        ensure!(http::get(&format!("{}/internal/force_flush", self.url()))?.status == 200, "not flushed");
        Ok(())
    }

    /// An instant query, of samples that came a moment ago too.
    pub fn query(&self, expr: &str) -> anyhow::Result<Vec<Sample>> {
        instant(&self.url(), &format!("nocache=1&query={}", encoded(expr))).with_context(|| expr.to_owned())
    }
}

/// A running vmalert; it ends when dropped.
#[derive(Debug)]
pub struct Vmalert {
    port: u16,
    process: Process,
}

impl Vmalert {
    /// Starts it on rules (a file or a pattern) with its log in `folder`. It reads from and writes to a VictoriaMetrics;
    /// alerts go to `notifier`, the address of an Alertmanager or of nothing.
    pub fn start(folder: &Path, rules: &Path, on: &VictoriaMetrics, notifier: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let port = free_port()?;
        let mut command = Command::new(tools::require("vmalert")?);
        command
            .arg(format!("-rule={}", rules.display()))
            .arg(format!("-datasource.url={}", on.url()))
            .arg(format!("-remoteWrite.url={}", on.url()))
            .arg(format!("-remoteRead.url={}", on.url()))
            .arg(format!("-notifier.url=http://{notifier}"))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            // Five seconds by default: a sixth of the interval of our rules.
            .arg("-remoteWrite.flushInterval=200ms");
        let mut process = Process::start("vmalert", command, folder)?;
        process.ready(&format!("http://127.0.0.1:{port}/health"), START)?;
        Ok(Self { port, process })
    }

    /// Pending and firing alerts.
    pub fn alerts(&self) -> anyhow::Result<Vec<Alert>> {
        let alerts = api(&format!("http://127.0.0.1:{}", self.port), "alerts")?["alerts"].take();
        Ok(Option::deserialize(alerts)?.unwrap_or_default())
    }

    /// Fails when an evaluation has erred since its start.
    pub fn no_rule_errs(&self) -> anyhow::Result<()> {
        let page = http::get(&format!("http://127.0.0.1:{}/metrics", self.port))?.text();
        let line =
            page.lines().find(|it| it.starts_with("vmalert_execution_errors_total")).context("no count of errors")?;
        ensure!(line.ends_with(" 0"), "rules have erred: {line}; {}", self.process.log_tail());
        Ok(())
    }
}
