//! The HTTP server layer: every request that reaches it is counted once, when its outcome is known.
//!
//! | file | holds |
//! |---|---|
//! | `layer` | the tower layer and service: thin |
//! | `future`, `body` | the futures and body that carry one request's account: thin |
//! | `account` | the handle of an account, whose drop closes it; and the memory of closed ones |
//! | `accounting` | the account of one request; its close is the only place that records |
//! | `tag` | names for mounted services and fallbacks |
//! | `timeout` | a deadline that counts as `timeout` |

mod account;
mod accounting;
mod body;
mod future;
mod layer;
#[cfg(test)]
mod stress;
mod tag;
mod timeout;

pub use body::AccountedBody;
pub use future::AccountedFuture;
pub use layer::{Accounted, HttpServer};
pub use tag::{RouteTag, Tagged, route};
pub use timeout::{Deadline, Timeout, TimeoutFuture, timeout};
