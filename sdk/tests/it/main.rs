//! The SDK from outside.
