//! What only a package that sees both halves can show.

mod adhoc;
mod alertmanager;
mod births;
mod bounds;
mod breakers;
mod compose;
mod conformance;
mod cost;
mod databases;
mod end_to_end;
mod exemplars;
mod fleet;
mod formats;
mod freshness;
mod gamedays;
mod git;
mod identity;
mod init;
mod queries;
mod replicas;
mod repositories;
mod rules_read;
mod supply;
mod tidy;
