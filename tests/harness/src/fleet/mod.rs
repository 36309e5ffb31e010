//! The example fleet: every service, what each depends on, and relays between them that can be cut.

mod load;
mod relays;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub use load::Load;
pub use relays::Relays;
pub use watch::Watch;

use crate::{Postgres, Process, Service, ServiceSpec, Target, Webhook, binary, free_port, make_repository};

/// What differs between two fleets.
#[derive(Debug, Clone)]
pub struct FleetOptions {
    /// What services wait for in real time (how late a build may be, how often a job runs) is divided by it, as the rules
    /// that watch them are.
    pub time_divisor: u32,
}

/// A running fleet. Dropping it ends everything; the files stay in the folder that was given.
#[derive(Debug)]
pub struct Fleet {
    folder: PathBuf,
    // The order of the fields is the order in which they end: whoever calls before what is called.
    /// Git clients' front.
    pub git_https: Service,
    /// Builds and their queue.
    pub pipelines: Service,
    /// The same program in a process of its own: scheduled jobs.
    pub maintenance: Service,
    /// Who a token belongs to.
    pub identity: Service,
    /// The core service, on PostgreSQL.
    pub repositories: Service,
    /// Between the services and what they depend on: `primary`, `replica-1`, `replica-2`, `platform`, `collector`.
    pub relays: Relays,
    /// What identity asks: a program of others.
    pub platform: Process,
    /// The primary, and its two replicas.
    pub databases: [Postgres; 3],
    /// Takes spans, and forgets them.
    pub collector: Webhook,
}

impl Fleet {
    /// Starts everything; each part waits until the one before is ready.
    pub fn start(folder: &Path, options: &FleetOptions) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        make_repository(&folder.join("repositories"), "acme/site.git")?;
        let collector = Webhook::start(&folder)?;
        let host = |url: String| url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let primary = Postgres::start()?;
        let (first, second) = (primary.replica()?, primary.replica()?);
        let databases = [primary, first, second];
        let (platform, platform_address) = platform(&folder)?;
        let mut targets = vec![("collector", host(collector.url(""))), ("platform", platform_address)];
        for (name, database) in ["primary", "replica-1", "replica-2"].into_iter().zip(&databases) {
            targets.push((name, database.address()));
        }
        let relays = Relays::start(&folder, &targets)?;
        let database = |name| Ok::<_, anyhow::Error>(format!("postgres://postgres@{}/postgres", relays.address(name)?));
        let collector_url = format!("http://{}", relays.address("collector")?);
        let start = |spec: ServiceSpec| Service::start(&folder, with_traces(spec, &collector_url));

        let repositories = start(ServiceSpec {
            name: "repositories".to_owned(),
            variables: variables(&[
                ("DATABASE_URL", database("primary")?),
                ("DATABASE_REPLICA_URLS", format!("{},{}", database("replica-1")?, database("replica-2")?)),
            ]),
            ..ServiceSpec::default()
        })?;
        let identity = start(ServiceSpec {
            name: "identity".to_owned(),
            variables: variables(&[("IDENTITY_PLATFORM", format!("http://{}", relays.address("platform")?))]),
            ..ServiceSpec::default()
        })?;
        let git_https = start(ServiceSpec {
            name: "git-https".to_owned(),
            arguments: vec![format!("--repositories={}", folder.join("repositories").display())],
            faults: true,
            ..ServiceSpec::default()
        })?;
        let pipelines = |parts: &str| ServiceSpec {
            name: "pipelines".to_owned(),
            arguments: vec![
                format!("--parts={parts}"),
                format!("--workspace={}", folder.join("workspace").display()),
                format!("--late-after={}", 30_000 / options.time_divisor),
                format!("--cleanup-every={}", 600_000 / options.time_divisor),
            ],
            faults: true,
            ..ServiceSpec::default()
        };
        let maintenance = start(pipelines("maintenance"))?;
        let pipelines = start(pipelines("builds"))?;
        Ok(Self {
            folder,
            git_https,
            pipelines,
            maintenance,
            identity,
            repositories,
            relays,
            platform,
            databases,
            collector,
        })
    }

    /// Where the data and the logs are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The services that have an SLO file in `examples/`.
    pub fn watched(&self) -> &'static [&'static str] {
        &["git-https", "identity", "pipelines", "repositories"]
    }

    /// What Prometheus scrapes.
    pub fn targets(&self) -> Vec<Target> {
        [&self.git_https, &self.identity, &self.pipelines, &self.maintenance, &self.repositories]
            .map(|it| Target { job: it.name().to_owned(), address: it.admin_address() })
            .to_vec()
    }

    /// The repository that is served to git clients.
    pub fn repository(&self) -> PathBuf {
        self.folder.join("repositories/acme/site.git")
    }
}

/// The shared platform, and its `host:port`.
fn platform(folder: &Path) -> anyhow::Result<(Process, String)> {
    let address = format!("127.0.0.1:{}", free_port()?);
    let mut command = Command::new(binary("platform")?);
    command.args(["--listen", &address]);
    let mut process = Process::start("platform", command, folder)?;
    process.ready(&format!("http://{address}/tokens/anonymous"), Duration::from_secs(30))?;
    Ok((process, address))
}

fn variables(all: &[(&str, String)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Every service sends every span, over HTTP.
fn with_traces(mut spec: ServiceSpec, collector: &str) -> ServiceSpec {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_TRACES_SAMPLER", "always_on"),
    ];
    spec.variables.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    spec
}
