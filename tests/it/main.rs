//! What only a package that sees both halves can show.

mod conformance;
mod supply;
mod tidy;
