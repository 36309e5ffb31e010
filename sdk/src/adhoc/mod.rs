//! Ad-hoc metrics: the `metrics` facade of a service and of the crates that it uses, on the same page.
//!
//! Contract signals never come from here: a name of the contract, in any of its forms, is refused.

mod recorder;
mod translate;

pub(crate) use recorder::AdHoc;
pub use recorder::AdHocRecorder;
pub(crate) use translate::translate;
