//! The generator, from outside: its library, its command, and the real tools on what it writes.

mod cli;
mod rules;
mod support;
