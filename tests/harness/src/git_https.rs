//! The example service, `examples/git-https`, with a repository to serve.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use crate::git::set_hook;
use crate::service::variables as kept;
use crate::{Service, ServiceSpec, make_repository};

/// A running git-https; it ends when dropped.
#[derive(Debug)]
pub struct GitHttps {
    service: Service,
    repository: PathBuf,
}

impl GitHttps {
    /// Makes the repository `acme/site.git` below `folder`, starts the service and waits until it is ready.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        Self::start_with(folder, &[])
    }

    /// The same with further variables of the environment.
    pub fn start_with(folder: &Path, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let repository = make_repository(&folder.join("repositories"), "acme/site.git")?;
        let spec = ServiceSpec {
            name: "git-https".to_owned(),
            arguments: vec![format!("--repositories={}", folder.join("repositories").display())],
            variables: kept(variables),
            faults: true,
            ..ServiceSpec::default()
        };
        Ok(Self { service: Service::start(folder, spec)?, repository })
    }

    /// The URL that git clients clone.
    pub fn clone_url(&self) -> String {
        self.at("/acme/site.git")
    }

    /// The repository that is served.
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// Makes the hook that runs after each clone fail, or succeed again.
    pub fn hooks_fail(&self, fail: bool) -> anyhow::Result<()> {
        set_hook(&self.repository, if fail { "exit 1" } else { "exit 0" })
    }
}

impl Deref for GitHttps {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl DerefMut for GitHttps {
    fn deref_mut(&mut self) -> &mut Service {
        &mut self.service
    }
}
