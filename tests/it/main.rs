//! What only a package that sees both halves can show.

mod conformance;
mod queries;
mod supply;
mod tidy;
