//! A real Prometheus on a free port, and its query API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Process, Response, free_port, http, tools};

/// What to scrape.
#[derive(Debug, Clone)]
pub struct Target {
    /// The label `job`.
    pub job: String,
    /// `host:port`; the path is `/metrics`.
    pub address: String,
}

/// The configuration of one Prometheus.
#[derive(Debug, Clone)]
pub struct PrometheusConfig {
    /// Seconds between two scrapes.
    pub scrape_seconds: u32,
    /// Rule files or patterns of them, absolute.
    pub rule_files: Vec<PathBuf>,
    /// `host:port` of an Alertmanager.
    pub alertmanager: Option<String>,
    /// What it scrapes beside itself (job `prometheus`).
    pub targets: Vec<Target>,
    /// Prometheus has durations of its own (how old a sample may be, how often an alert is sent again, how long one
    /// that was pending survives a restart). Rules at a time scale of 1/N need them divided by the same N.
    pub time_divisor: u32,
    /// Features that are off by default, such as `native-histograms`.
    pub features: Vec<String>,
}

impl PrometheusConfig {
    /// Scrapes once a second, at real time, without rules.
    pub fn new(targets: Vec<Target>) -> Self {
        Self {
            scrape_seconds: 1,
            rule_files: Vec::new(),
            alertmanager: None,
            targets,
            time_divisor: 1,
            features: Vec::new(),
        }
    }

    /// The configuration file. JSON is YAML.
    fn file(&self, own_port: u16) -> Value {
        let interval = format!("{}s", self.scrape_seconds);
        let own = Target { job: "prometheus".to_owned(), address: format!("127.0.0.1:{own_port}") };
        let mut jobs = BTreeMap::<&str, Vec<&str>>::new();
        for it in self.targets.iter().chain([&own]) {
            jobs.entry(&it.job).or_default().push(&it.address);
        }
        let scrapes: Vec<Value> = jobs
            .iter()
            .map(|(job, addresses)| json!({"job_name": job, "static_configs": [{"targets": addresses}]}))
            .collect();
        let alertmanagers: Vec<Value> =
            self.alertmanager.iter().map(|it| json!({"static_configs": [{"targets": [it]}]})).collect();
        json!({
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "rule_files": self.rule_files,
            "alerting": {"alertmanagers": alertmanagers},
            "scrape_configs": scrapes,
        })
    }

    /// A duration of Prometheus, given at real time, at this scale; never under a second.
    fn scaled(&self, seconds: u32) -> String {
        format!("{}ms", (seconds * 1000 / self.time_divisor.max(1)).max(1000))
    }
}

/// One element of an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels, `__name__` included.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// One element of a range vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its labels, `__name__` included.
    pub labels: BTreeMap<String, String>,
    /// Unix seconds and values.
    pub points: Vec<(f64, f64)>,
}

/// An alert that is pending or firing.
#[derive(Debug, Clone, Deserialize)]
pub struct Alert {
    /// With `alertname`.
    pub labels: BTreeMap<String, String>,
    /// Expanded.
    pub annotations: BTreeMap<String, String>,
    /// `pending` or `firing`.
    pub state: String,
}

impl Alert {
    /// A label, empty when absent as in PromQL.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// A rule as it was last evaluated.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    /// The recorded series or the alert.
    pub name: String,
    /// `recording` or `alerting`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `ok`, `err`, or `unknown` before the first evaluation.
    pub health: String,
    /// Why it erred.
    #[serde(default, rename = "lastError")]
    pub last_error: String,
}

/// A running Prometheus; it ends when dropped, its data stay in the folder.
#[derive(Debug)]
pub struct Prometheus {
    process: Process,
    folder: PathBuf,
    port: u16,
    config: PrometheusConfig,
}

impl Prometheus {
    /// Writes the configuration into `folder`, starts Prometheus there and waits until it is ready.
    pub fn start(folder: &Path, config: PrometheusConfig) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let port = free_port()?;
        let process = launch(&folder, port, &config)?;
        Ok(Self { process, folder, port, config })
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its page in a browser.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The process behind it.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Ends it in good order and starts it again on the same port and data, as a deployment would.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process.end();
        self.process = launch(&self.folder, self.port, &self.config)?;
        Ok(())
    }

    /// Makes it read its configuration and the rule files again; what it refuses is the error.
    pub fn reload(&self) -> anyhow::Result<()> {
        let answer = http::post(&format!("{}/-/reload", self.url()), "text/plain", &[])?;
        ensure!(answer.status == 200, "Prometheus refused to reload: {}", answer.text());
        Ok(())
    }

    /// An instant query that gives a vector; a scalar is a vector of one without labels.
    pub fn query(&self, expr: &str) -> anyhow::Result<Vec<Sample>> {
        instant(&self.url(), &format!("query={}", encoded(expr))).with_context(|| expr.to_owned())
    }

    /// The value of a query that gives one element; `None` when it gives nothing.
    pub fn value(&self, expr: &str) -> anyhow::Result<Option<f64>> {
        let samples = self.query(expr)?;
        ensure!(samples.len() <= 1, "{expr} gives {} elements", samples.len());
        Ok(samples.first().map(|it| it.value))
    }

    /// A range query over the last `back`, one point every `step`.
    pub fn query_range(&self, expr: &str, back: Duration, step: Duration) -> anyhow::Result<Vec<Series>> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs_f64();
        let start = now - back.as_secs_f64();
        let path = format!("query_range?query={}&start={start}&end={now}&step={}", encoded(expr), step.as_secs_f64());
        let data = self.api(&path).with_context(|| expr.to_owned())?;
        let results = data["result"].as_array().context("no result")?;
        results
            .iter()
            .map(|it| {
                let points = it["values"].as_array().context("no values")?;
                Ok(Series { labels: labels(it)?, points: points.iter().map(value).collect::<Result<_, _>>()? })
            })
            .collect()
    }

    /// Exemplars of a selector over the last `back`: the labels of each, such as `trace_id`.
    pub fn exemplars(&self, selector: &str, back: Duration) -> anyhow::Result<Vec<BTreeMap<String, String>>> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs_f64();
        let start = now - back.as_secs_f64();
        let path = format!("query_exemplars?query={}&start={start}&end={now}", encoded(selector));
        let data = self.api(&path).with_context(|| selector.to_owned())?;
        let series = data.as_array().context("no series")?;
        let all = series.iter().filter_map(|it| it["exemplars"].as_array()).flatten();
        all.map(|it| Ok(BTreeMap::deserialize(&it["labels"])?)).collect()
    }

    /// Pending and firing alerts.
    pub fn alerts(&self) -> anyhow::Result<Vec<Alert>> {
        Ok(Vec::deserialize(&self.api("alerts")?["alerts"])?)
    }

    /// Every rule of every group.
    pub fn rules(&self) -> anyhow::Result<Vec<Rule>> {
        let data = self.api("rules")?;
        let groups = data["groups"].as_array().context("no groups")?;
        Ok(groups
            .iter()
            .map(|group| Vec::<Rule>::deserialize(&group["rules"]))
            .collect::<Result<Vec<_>, _>>()?
            .concat())
    }

    /// Waits until every rule has been evaluated; one that errs is an error with its text.
    pub fn rules_evaluated(&self, deadline: Duration) -> anyhow::Result<()> {
        crate::until("the first evaluation of every rule", deadline, || {
            let rules = self.rules()?;
            Ok((!rules.is_empty() && rules.iter().all(|it| it.health != "unknown")).then_some(()))
        })?;
        self.no_rule_errs()
    }

    /// Fails when the last evaluation of a rule erred, or any evaluation since the start of this process did.
    pub fn no_rule_errs(&self) -> anyhow::Result<()> {
        // The counts first: of a rule that errs in between its text is known.
        let page = http::get(&format!("{}/metrics", self.url()))?.text();
        for rule in self.rules()? {
            ensure!(rule.health != "err", "{} {}: {}", rule.kind, rule.name, rule.last_error);
        }
        let failures: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("prometheus_rule_evaluation_failures_total") && !line.ends_with(" 0"))
            .collect();
        ensure!(failures.is_empty(), "rules have erred: {}", failures.join(", "));
        Ok(())
    }

    fn api(&self, path: &str) -> anyhow::Result<Value> {
        api(&self.url(), path)
    }
}

/// An instant query to anything with the API of Prometheus.
pub(crate) fn instant(url: &str, query: &str) -> anyhow::Result<Vec<Sample>> {
    let data = api(url, &format!("query?{query}"))?;
    if data["resultType"] == "scalar" {
        return Ok(vec![Sample { labels: BTreeMap::new(), value: value(&data["result"])?.1 }]);
    }
    let results = data["result"].as_array().context("no result")?;
    results.iter().map(|it| Ok(Sample { labels: labels(it)?, value: value(&it["value"])?.1 })).collect()
}

/// The data of an answer.
pub(crate) fn api(url: &str, path: &str) -> anyhow::Result<Value> {
    let answer: Response = http::get(&format!("{url}/api/v1/{path}"))?;
    let body = answer.json()?;
    ensure!(body["status"] == "success", "{url}: {}", body["error"].as_str().unwrap_or("no error text"));
    Ok(body["data"].clone())
}

fn launch(folder: &Path, port: u16, config: &PrometheusConfig) -> anyhow::Result<Process> {
    let file = folder.join("prometheus.yml");
    fs::write(&file, serde_json::to_string_pretty(&config.file(port))?)?;
    let mut command = Command::new(tools::require("prometheus")?);
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--web.enable-lifecycle")
        // The defaults of Prometheus, at the scale of the rules. An alert that is not sent again within four of its resends
        // counts as resolved: on a machine that is busy with other things they must not be too short.
        .arg(format!("--query.lookback-delta={}", config.scaled(5 * 60)))
        .arg(format!("--rules.alert.resend-delay={}", config.scaled(60.max(3 * config.time_divisor))))
        .arg(format!("--rules.alert.for-grace-period={}", config.scaled(10 * 60)))
        .arg(format!("--rules.alert.for-outage-tolerance={}", config.scaled(60 * 60)))
        .current_dir(folder);
    if !config.features.is_empty() {
        command.arg(format!("--enable-feature={}", config.features.join(",")));
    }
    let mut process = Process::start("prometheus", command, folder)?;
    process.ready(&format!("http://127.0.0.1:{port}/-/ready"), Duration::from_secs(60))?;
    // Ready is said before the scrape loops have started.
    thread::sleep(Duration::from_millis(100));
    Ok(process)
}

fn labels(result: &Value) -> anyhow::Result<BTreeMap<String, String>> {
    BTreeMap::deserialize(&result["metric"]).context("no labels")
}

fn value(pair: &Value) -> anyhow::Result<(f64, f64)> {
    let at = pair[0].as_f64().context("no time")?;
    let value = pair[1].as_str().context("no value")?;
    Ok((at, value.parse().with_context(|| format!("not a number: {value}"))?))
}

/// Percent-encoded for a query string.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
