//! What only a package that sees both halves can show.

mod conformance;
mod git;
mod queries;
mod supply;
mod tidy;
