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
mod rules;
mod runbooks;
mod scenarios;
mod support;
mod targets;
mod test_command;
mod tiers;
mod truth;
