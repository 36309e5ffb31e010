//! The example fleet: every service, what each depends on, and relays between them that can be cut.

mod load;
mod relays;
mod watch;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub use load::Load;
pub use relays::Relays;
pub use watch::Watch;

use crate::service::variables;
use crate::{Platform, Postgres, Service, ServiceSpec, Target, Webhook, make_repository, tools};

/// The file that makes the storage of packs slow.
const SLOW_STORAGE: &str = "slow-storage";

/// What differs between two fleets.
#[derive(Debug, Clone)]
pub struct FleetOptions {
    /// What services wait for in real time (how late a build may be, how often a job runs) is divided by it, as the rules
    /// that watch them are.
    pub time_divisor: u32,
    /// Further variables of repositories, such as `REPOSITORIES_POOL`.
    pub repositories: Vec<(String, String)>,
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
    pub platform: Platform,
    /// The primary, and its two replicas.
    pub databases: Vec<Postgres>,
    /// Takes spans, and forgets them.
    pub collector: Webhook,
}

impl Fleet {
    /// Starts everything; each part waits until the one before is ready.
    pub fn start(folder: &Path, options: &FleetOptions) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        make_repository(&folder.join("repositories"), "acme/site.git")?;
        let git = git_on_storage(&folder)?;
        let collector = Webhook::start(&folder)?;
        let host = |url: String| url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let databases = databases()?;
        let platform = Platform::start(&folder)?;
        let mut targets = vec![("collector", host(collector.url(""))), ("platform", platform.address())];
        for (name, database) in ["primary", "replica-1", "replica-2"].into_iter().zip(&databases) {
            targets.push((name, database.address()));
        }
        let relays = Relays::start(&folder, &targets)?;
        let database = |name| Ok::<_, anyhow::Error>(format!("postgres://postgres@{}/postgres", relays.address(name)?));
        let collector_url = format!("http://{}", relays.address("collector")?);
        let start = |spec: ServiceSpec| Service::start(&folder, with_traces(spec, &collector_url));

        let mut places = options.repositories.clone();
        let replicas = format!("{},{}", database("replica-1")?, database("replica-2")?);
        places.extend(variables(&[("DATABASE_URL", database("primary")?), ("DATABASE_REPLICA_URLS", replicas)]));
        let repositories =
            start(ServiceSpec { name: "repositories".to_owned(), variables: places, ..ServiceSpec::default() })?;
        repositories.create("acme", "site")?;
        let identity = start(ServiceSpec {
            name: "identity".to_owned(),
            variables: variables(&[
                ("IDENTITY_PLATFORM", format!("http://{}", relays.address("platform")?)),
                ("IDENTITY_FRESH", "1s".to_owned()),
            ]),
            ..ServiceSpec::default()
        })?;
        let git_https = start(ServiceSpec {
            name: "git-https".to_owned(),
            arguments: vec![
                format!("--repositories={}", folder.join("repositories").display()),
                format!("--git={}", git.display()),
                format!("--identity={}", identity.url()),
                format!("--repositories-api={}", repositories.url()),
            ],
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

    /// A rolling deployment: every service ends in good order and starts again, one after the other.
    pub fn deploy(&mut self) -> anyhow::Result<()> {
        for service in [
            &mut self.repositories,
            &mut self.identity,
            &mut self.pipelines,
            &mut self.maintenance,
            &mut self.git_https,
        ] {
            service.deploy(&[])?;
        }
        Ok(())
    }

    /// Makes the storage of packs slow: each takes three seconds longer to begin. Or fast again.
    pub fn slow_storage(&self, slow: bool) -> anyhow::Result<()> {
        let file = self.folder.join(SLOW_STORAGE);
        if slow {
            fs::write(file, "")?;
        } else {
            fs::remove_file(file)?;
        }
        Ok(())
    }

    /// The repository that is served to git clients.
    pub fn repository(&self) -> PathBuf {
        self.folder.join("repositories/acme/site.git")
    }
}

/// A primary and two replicas of it.
fn databases() -> anyhow::Result<Vec<Postgres>> {
    let primary = Postgres::start()?;
    let (first, second) = (primary.replica()?, primary.replica()?);
    Ok(vec![primary, first, second])
}

/// Git, as if its packs were on storage of their own, which is slow while there is a file `slow-storage`.
fn git_on_storage(folder: &Path) -> anyhow::Result<PathBuf> {
    let (git, slow) = (folder.join("git"), folder.join(SLOW_STORAGE));
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--advertise-refs*) ;; *) [ -e '{}' ] && sleep 3 ;; esac\nexec '{}' \"$@\"\n",
        slow.display(),
        tools::require("git")?.display()
    );
    fs::write(&git, script)?;
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755))?;
    Ok(git)
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
