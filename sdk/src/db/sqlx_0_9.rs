//! sqlx: its pool, and what its errors say.
//!
//! Whose fault is it? A row that is not there and a constraint that would be violated are answers: the database did
//! what it is for, as a server does that answers 404 or 409. Everything else that keeps a caller from its answer counts
//! against the database, from the service's view of it: refused and broken connections, deadlocks, serialization
//! failures, a full disk, and statements that it does not understand, because a migration that is missing there hurts
//! the same users.

use std::error::Error;

use sqlx::error::ErrorKind;

use super::Pool;
use crate::error_kind::as_error;

/// Codes of a database that gave up: PostgreSQL's cancelled statement (`statement_timeout`; an administrator's cancel
/// looks the same) and transaction, SQLite's lock that stayed busy for its `busy_timeout`.
const GAVE_UP: &[&str] = &["57014", "25P04", "5"];

impl<DB: sqlx::Database> Pool for sqlx::Pool<DB> {
    fn size(&self) -> u32 {
        sqlx::Pool::size(self)
    }

    fn idle(&self) -> u32 {
        // sqlx counts a connection that came back after it is up for grabs: when it is taken in between, the count is
        // below zero for a moment, as an unsigned number.
        isize::try_from(self.num_idle()).map_or(0, |it| u32::try_from(it).unwrap_or(u32::MAX))
    }

    fn max(&self) -> u32 {
        self.options().get_max_connections()
    }

    fn is_closed(&self) -> bool {
        sqlx::Pool::is_closed(self)
    }

    fn system(&self) -> Option<&'static str> {
        match DB::NAME {
            "PostgreSQL" => Some("postgresql"),
            "SQLite" => Some("sqlite"),
            "MySQL" => Some("mysql"),
            // `Any` knows it at run time only.
            _ => None,
        }
    }
}

/// Whether an error of sqlx, its causes aside, says that somebody waited too long.
pub(crate) fn gave_up(error: &(dyn Error + 'static)) -> bool {
    match error.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::PoolTimedOut) => true,
        Some(sqlx::Error::Database(it)) => it.code().is_some_and(|it| GAVE_UP.contains(&&*it)),
        _ => false,
    }
}

/// Whether the database did what it is for, although the caller got an error.
pub(super) fn answered<E: 'static>(error: &E) -> bool {
    match as_error(error).and_then(|it| it.downcast_ref::<sqlx::Error>()) {
        Some(sqlx::Error::RowNotFound) => true,
        Some(sqlx::Error::Database(it)) => {
            // Class 23 of SQLSTATE, which has more members than sqlx has names.
            let integrity = it.code().is_some_and(|it| it.len() == 5 && it.starts_with("23"));
            integrity || !matches!(it.kind(), ErrorKind::Other)
        }
        _ => false,
    }
}
