//! What only a package that sees both halves can show.

mod supply;
mod tidy;
