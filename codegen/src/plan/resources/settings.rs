//! The thresholds of `codegen/windows/resources.yaml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::{Decimal, Duration, TimeScale};
use crate::yaml;

macro_rules! settings {
    (durations { $($(#[doc = $doc:literal])+ $name:ident),+ $(,)? } values { $($(#[doc = $value_doc:literal])+ $value:ident),+ $(,)? }) => {
        /// Thresholds, ranges and holds.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $name: Duration,)+
            $($(#[doc = $value_doc])+ pub $value: Decimal,)+
            /// The lag of a replica that is too long: a value, so that no time scale shortens it.
            pub lag: Duration,
            /// Restarts within `restarts_range` that are still none too many.
            pub restarts: u32,
        }

        #[derive(Deserialize)]
        struct File { $($name: String,)+ $($value: String,)+ lag: String, restarts: u32 }

        impl Settings {
            fn read(text: &str) -> Result<Self, String> {
                let file: File = yaml::from_str(text)?;
                let duration = |name: &str, text: &str| text.parse().map_err(|error| format!("{name}: {error}"));
                Ok(Self {
                    $($name: duration(stringify!($name), &file.$name)?,)+
                    $($value: file.$value.parse().map_err(|error| format!("{}: {error}", stringify!($value)))?,)+
                    lag: duration("lag", &file.lag)?,
                    restarts: file.restarts,
                })
            }

            /// Every range and hold divided by the scale.
            #[must_use]
            pub fn scaled(&self, scale: TimeScale) -> Self {
                Self { $($name: scale.apply(self.$name),)+ ..self.clone() }
            }
        }
    };
}

settings! {
    durations {
        /// Something waited at every scrape of this time.
        saturated_for,
        /// How long a resource is nearly used up.
        near_limit_hold,
        /// How long errors go on.
        erroring_hold,
        /// The past through which a line is drawn.
        filling_range,
        /// How far ahead the line is followed.
        fills_within,
        /// How long the line points at the limit.
        filling_hold,
        /// The time whose open share counts.
        breaker_range,
        /// How long the breaker is mostly open.
        breaker_hold,
        /// How long a replica lags.
        lag_hold,
        /// The time in which restarts are counted.
        restarts_range,
        /// How long the alert stays after the last restart counted.
        restarts_keep_firing,
        /// The time in which losses of telemetry are counted.
        telemetry_range,
        /// How long they go on.
        telemetry_hold,
    }
    values {
        /// Share of a limit.
        near_limit,
        /// Share of a limit below which nothing is predicted.
        filling_above,
        /// Share of the time that a breaker is open.
        breaker_open,
    }
}

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    Settings::read(include_str!("../../../windows/resources.yaml"))
        .unwrap_or_else(|error| unreachable!("resources.yaml of ours: {error}"))
});

/// The thresholds at real time.
pub fn settings() -> &'static Settings {
    &SETTINGS
}
