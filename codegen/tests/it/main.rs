//! The generator, from outside: its library, its command, and the real tools on what it writes.

mod bad_input;
mod cli;
mod dashboards;
mod proofs;
mod routing;
mod rules;
mod scenarios;
mod support;
mod test_command;
mod truth;
