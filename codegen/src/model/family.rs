//! The families of the contract that an SLI can be about: one table of what selects an interaction, and what is bad.

use kilter_contract::{Label, Signal, cache, db, error_type, http, http_client, job, messaging, rpc};

/// A family of interactions (RED): one histogram gives their rate, errors and duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// HTTP requests that the service serves.
    HttpServer,
    /// HTTP calls to a dependency.
    HttpClient,
    /// RPC calls that the service serves.
    RpcServer,
    /// RPC calls to a dependency.
    RpcClient,
    /// Database operations.
    Db,
    /// Messages that the service processes.
    Messaging,
    /// Runs of a background job.
    Job,
    /// Cache operations.
    Cache,
}

/// A key of the SLO file that narrows an SLI, and the label that it narrows.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// The key.
    pub key: &'static str,
    /// The label of the signal.
    pub label: Label,
    /// What stands in its place when the key is absent.
    pub unfiltered: Unfiltered,
}

/// What an absent filter means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfiltered {
    /// Every value.
    Any,
    /// Every value but this one; empty for a series that lacks the label.
    Not(&'static str),
    /// Only this value.
    Only(&'static str),
}

const fn filter(key: &'static str, label: Label, unfiltered: Unfiltered) -> Filter {
    Filter { key, label, unfiltered }
}

/// A label that tells how an interaction ended.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// The key below `bad`.
    pub key: &'static str,
    /// The label.
    pub label: Label,
}

// Scanners hit what no route matches, and call methods that no service has; they must neither inflate nor spend the
// budget. A hit ratio is about reads.
const HTTP_SERVER: &[Filter] =
    &[filter("routes", http::ROUTE, Unfiltered::Not("")), filter("methods", http::METHOD, Unfiltered::Any)];
const HTTP_CLIENT: &[Filter] =
    &[filter("dependency", http_client::DEPENDENCY, Unfiltered::Any), filter("methods", http::METHOD, Unfiltered::Any)];
const RPC_SERVER: &[Filter] = &[filter("methods", rpc::METHOD, Unfiltered::Not(error_type::OTHER))];
const RPC_CLIENT: &[Filter] =
    &[filter("dependency", http_client::DEPENDENCY, Unfiltered::Any), filter("methods", rpc::METHOD, Unfiltered::Any)];
const DB: &[Filter] = &[
    filter("namespace", db::NAMESPACE, Unfiltered::Any),
    filter("role", db::ROLE, Unfiltered::Any),
    filter("operations", db::OPERATION, Unfiltered::Any),
];
const MESSAGING: &[Filter] = &[
    filter("destination", messaging::DESTINATION, Unfiltered::Any),
    filter("consumer_group", messaging::CONSUMER_GROUP, Unfiltered::Any),
];
const JOB: &[Filter] = &[filter("name", job::NAME, Unfiltered::Any)];
const CACHE: &[Filter] = &[
    filter("name", cache::NAME, Unfiltered::Any),
    filter("operations", cache::OPERATION, Unfiltered::Only(cache::GET)),
];

const fn outcome(key: &'static str, label: Label) -> Outcome {
    Outcome { key, label }
}

impl Family {
    /// Every family, in the order of the reference page.
    pub const ALL: &'static [Self] = &[
        Self::HttpServer,
        Self::HttpClient,
        Self::RpcServer,
        Self::RpcClient,
        Self::Db,
        Self::Messaging,
        Self::Job,
        Self::Cache,
    ];

    /// The key of the SLO file.
    pub const fn key(self) -> &'static str {
        match self {
            Self::HttpServer => "http_server",
            Self::HttpClient => "http_client",
            Self::RpcServer => "rpc_server",
            Self::RpcClient => "rpc_client",
            Self::Db => "db",
            Self::Messaging => "messaging",
            Self::Job => "job",
            Self::Cache => "cache",
        }
    }

    /// The histogram that counts each interaction once.
    pub const fn signal(self) -> Signal {
        match self {
            Self::HttpServer => http::SERVER_REQUEST_DURATION,
            Self::HttpClient => http_client::CLIENT_REQUEST_DURATION,
            Self::RpcServer => rpc::SERVER_CALL_DURATION,
            Self::RpcClient => rpc::CLIENT_CALL_DURATION,
            Self::Db => db::OPERATION_DURATION,
            Self::Messaging => messaging::PROCESS_DURATION,
            Self::Job => job::RUN_DURATION,
            Self::Cache => cache::OPERATION_DURATION,
        }
    }

    /// What narrows an SLI, in the order of the matchers.
    pub const fn filters(self) -> &'static [Filter] {
        match self {
            Self::HttpServer => HTTP_SERVER,
            Self::HttpClient => HTTP_CLIENT,
            Self::RpcServer => RPC_SERVER,
            Self::RpcClient => RPC_CLIENT,
            Self::Db => DB,
            Self::Messaging => MESSAGING,
            Self::Job => JOB,
            Self::Cache => CACHE,
        }
    }

    /// The labels that tell how an interaction ended; `bad` in the SLO file names their values.
    pub fn outcomes(self) -> Vec<Outcome> {
        let error_type = |label| outcome("error_types", label);
        match self {
            Self::HttpServer | Self::HttpClient => {
                vec![outcome("status_codes", http::STATUS), error_type(http::ERROR_TYPE)]
            }
            Self::RpcServer => vec![outcome("status_codes", rpc::STATUS), error_type(rpc::SERVER_ERROR_TYPE)],
            Self::RpcClient => vec![outcome("status_codes", rpc::STATUS), error_type(rpc::CLIENT_ERROR_TYPE)],
            Self::Db | Self::Messaging | Self::Job => vec![error_type(http::ERROR_TYPE)],
            Self::Cache => vec![outcome("outcomes", cache::OUTCOME)],
        }
    }

    /// The label that tells most about who suffers: routes, dependencies, operations.
    pub const fn main_label(self) -> Label {
        match self {
            Self::HttpServer => http::ROUTE,
            Self::HttpClient | Self::RpcClient => http_client::DEPENDENCY,
            Self::RpcServer => rpc::METHOD,
            Self::Db => db::OPERATION,
            Self::Messaging => messaging::DESTINATION,
            Self::Job => job::NAME,
            Self::Cache => cache::NAME,
        }
    }

    /// Whether it is calls to a dependency, which a breaker can reject before they are made.
    pub const fn calls_a_dependency(self) -> bool {
        matches!(self, Self::HttpClient | Self::RpcClient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_and_outcome_is_a_label_of_its_signal() {
        for family in Family::ALL {
            let signal = family.signal();
            let outcomes = family.outcomes();
            let labels = family.filters().iter().map(|it| it.label).chain(outcomes.iter().map(|it| it.label));
            for label in labels.chain([family.main_label()]) {
                assert_eq!(signal.label(label.key), Some(&label), "{} of {}", label.key, signal.name);
            }
            assert!(signal.family == family.key() || signal.family == "rpc", "{}", family.key());
        }
    }
}
