//! What is asked of the database, and from where: reads from replicas, unless they have not seen what they must.

use std::fmt;

use moka::sync::Cache;
use serde::Serialize;
use sqlx::{query_as, query_scalar};

use crate::database::Database;

/// The most repositories whose last write is remembered.
const REMEMBERED: u64 = 100_000;

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Repository {
    workspace: String,
    name: String,
    pushes: i64,
    head: String,
}

/// Its columns, in the order of [`Row`].
type Row = (String, String, i64, String);

impl From<Row> for Repository {
    fn from((workspace, name, pushes, head): Row) -> Self {
        Self { workspace, name, pushes, head }
    }
}

/// Why the database gave no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// No connection became free in time, or none could be made.
    NoConnection(sqlx::Error),
    /// It failed.
    Failed(sqlx::Error),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConnection(error) | Self::Failed(error) => error.fmt(f),
        }
    }
}

/// How far the log of the primary had come: who has written knows this, and reads what is no older.
pub(crate) type Position = Option<u64>;

/// Repositories in the database.
#[derive(Debug)]
pub(crate) struct Store {
    database: Database,
    /// Who does not bring a position reads what was written through this instance all the same.
    last_writes: Cache<(String, String), u64>,
}

impl Store {
    pub(crate) fn new(database: Database) -> Self {
        let last_writes = Cache::builder().max_capacity(REMEMBERED).time_to_live(database.forgotten).build();
        Self { database, last_writes }
    }

    /// A repository, as it was `after` this position or later.
    pub(crate) async fn find(
        &self,
        workspace: &str,
        name: &str,
        after: Position,
    ) -> Result<Option<Repository>, NoAnswer> {
        let key = (workspace.to_owned(), name.to_owned());
        let reads = &self.database.reads;
        // One line of Kilter chooses the pool; one for the connection, one for the operation.
        let at = match self.last_writes.get(&key).max(after) {
            Some(position) => reads.read_after(position),
            None => reads.read(),
        };
        let mut connection = at.acquire(at.pool().acquire()).await.map_err(NoAnswer::NoConnection)?;
        let find = "select workspace, name, pushes, head from repositories where workspace = $1 and name = $2";
        let find = query_as::<_, Row>(find).bind(workspace).bind(name).fetch_optional(&mut *connection);
        let found = at.run("find_repository", find).await.map_err(NoAnswer::Failed)?;
        Ok(found.map(Repository::from))
    }

    /// Makes a repository; `None` when there is one of this name.
    pub(crate) async fn create(&self, workspace: &str, name: &str) -> Result<Option<(Repository, Position)>, NoAnswer> {
        let create = "insert into repositories (workspace, name) values ($1, $2) \
                      on conflict do nothing returning workspace, name, pushes, head";
        self.write("create_repository", create, &[workspace, name]).await
    }

    /// Records that a repository's head was moved by a push; `None` when there is no such repository.
    pub(crate) async fn push(
        &self,
        workspace: &str,
        name: &str,
        head: &str,
    ) -> Result<Option<(Repository, Position)>, NoAnswer> {
        let push = "update repositories set pushes = pushes + 1, head = $3 where workspace = $1 and name = $2 \
                    returning workspace, name, pushes, head";
        self.write("record_push", push, &[workspace, name, head]).await
    }

    async fn write(
        &self,
        operation: &'static str,
        text: &'static str,
        values: &[&str],
    ) -> Result<Option<(Repository, Position)>, NoAnswer> {
        let db = self.database.writes;
        let mut connection = db.acquire(self.database.primary.acquire()).await.map_err(NoAnswer::NoConnection)?;
        let write = values.iter().fold(query_as::<_, Row>(text), |query, value| query.bind(*value));
        let written = db.run(operation, write.fetch_optional(&mut *connection)).await.map_err(NoAnswer::Failed)?;
        let Some(repository) = written.map(Repository::from) else { return Ok(None) };
        let mut position = None;
        if self.database.has_positions {
            // After the commit: whatever has replayed as far as this has seen it.
            let told = query_scalar::<_, i64>(kilter::POSTGRES_POSITION).fetch_one(&mut *connection);
            let told = db.run("position", told).await.map_err(NoAnswer::Failed)?;
            position = u64::try_from(told).ok();
        }
        if let Some(position) = position {
            self.last_writes.insert((repository.workspace.clone(), repository.name.clone()), position);
        }
        Ok(Some((repository, position)))
    }
}
