//! The domain as meant: defaults applied, names checked, valid by construction.

mod alertmanager;
mod decimal;
mod duration;
mod estate;
mod family;
mod name;
mod policy;
mod resource;
mod sli;
mod slo;
mod target;

pub use alertmanager::{Alertmanager, Dependency, OfficeHours, Silences};
pub use decimal::{Decimal, DecimalError, Objective};
pub use duration::{Duration, DurationError, TimeScale};
pub use estate::{Board, Compat, Datasources, Estate, Leadership, Links, Service, Team, TraceStore};
pub use family::{Family, Filter, Outcome, Unfiltered};
pub use name::{Name, NameError};
pub use policy::{EstatePolicy, Extra, Maintenance, Pair, Policy, Severity, SeverityNames, Weekly};
pub use resource::{Check, Resource, TYPES as RESOURCE_TYPES};
pub use sli::{EventSide, Histogram, Red, Sli};
pub use slo::{NoData, Slo};
pub use target::{ENGINES, Engine, Form, Health, Limits, Settings, Target, TargetError, Version};
