//! What only a package that sees both halves can show.

mod adhoc;
mod alertmanager;
mod births;
mod bounds;
mod breakers;
mod conformance;
mod cost;
mod databases;
mod end_to_end;
mod exemplars;
mod formats;
mod freshness;
mod gamedays;
mod git;
mod init;
mod queries;
mod replicas;
mod rules_read;
mod supply;
mod tidy;
