//! The generator, from outside: its library, its command, and the real tools on what it writes.

mod bad_input;
mod ci;
mod cli;
mod compat;
mod dashboards;
mod diff;
mod docs;
mod formats;
mod init;
mod overrides;
mod proofs;
mod property;
mod routing;
mod rule_files;
mod rules;
mod runbooks;
mod safety;
mod scenarios;
mod schema;
mod status;
mod support;
mod targets;
mod test_command;
mod threads;
mod tiers;
mod truth;
