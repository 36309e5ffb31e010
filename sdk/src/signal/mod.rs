//! Contract signals in atomics of our own: resolved once, written without a lock, read by the renderer.

pub(crate) mod birth;
pub(crate) mod clock;
pub(crate) mod families;
pub(crate) mod family;
pub(crate) mod health;
pub(crate) mod histogram;
pub(crate) mod http;
pub(crate) mod level;
pub(crate) mod named;
pub(crate) mod shard;
