//! The generator, from outside: its library, its command, and the real tools on what it writes.

mod bad_input;
mod cli;
mod compat;
mod dashboards;
mod docs;
mod formats;
mod overrides;
mod proofs;
mod property;
mod routing;
mod rule_files;
mod rules;
mod runbooks;
mod scenarios;
mod support;
mod test_command;
mod tiers;
mod truth;
