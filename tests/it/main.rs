//! What only a package that sees both halves can show.

mod queries;
mod supply;
mod tidy;
