//! The domain as meant: defaults applied, names checked, valid by construction.

mod decimal;
mod duration;
mod estate;
mod name;
mod slo;

pub use decimal::{Decimal, DecimalError, Objective};
pub use duration::{Duration, DurationError, TimeScale};
pub use estate::{Compat, Estate, Links, Service, Team};
pub use name::{Name, NameError};
pub use slo::{EventSide, NoData, Sli, Slo};
