//! The example service `examples/repositories`, on whatever database it is given.

use std::path::Path;

use anyhow::ensure;
use serde_json::{Value, json};

use crate::service::variables as kept;
use crate::{Response, Service, ServiceSpec, http};

impl Service {
    /// Repositories, with these variables of the environment, such as `DATABASE_URL`, `DATABASE_REPLICA_URLS` (separated by
    /// commas) and `REPOSITORIES_POOL`; without them on SQLite in a temporary folder of its own.
    pub fn repositories(folder: &Path, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let spec =
            ServiceSpec { name: "repositories".to_owned(), variables: kept(variables), ..ServiceSpec::default() };
        Self::start(folder, spec)
    }

    /// Makes a repository, in the service `repositories`.
    pub fn create(&self, workspace: &str, name: &str) -> anyhow::Result<()> {
        let answer = self.post("/repositories", &json!({"workspace": workspace, "name": name}))?;
        ensure!(answer.status == 201, "repository {workspace}/{name}: {} {}", answer.status, answer.text());
        Ok(())
    }

    /// Posts JSON.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Response> {
        http::post(&self.at(path), "application/json", body.to_string().as_bytes())
    }
}
