//! Who is told, when, and what silences what.

use super::Name;

/// What the Alertmanager tree is built on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alertmanager {
    /// Text of the file that holds receivers and their secrets, and perhaps routes of others.
    pub base: Option<String>,
    /// Receiver of alerts that belong to no team.
    pub default: String,
    /// Receiver of the dead-man's switch.
    pub deadmans_switch: String,
}

impl Default for Alertmanager {
    fn default() -> Self {
        Self { base: None, default: "default".to_owned(), deadmans_switch: "watchdog".to_owned() }
    }
}

/// When tickets are delivered; one that comes at another time waits until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficeHours {
    /// Days, each by its name in lower case, monday first.
    pub days: Vec<String>,
    /// Start of the day, `09:00`.
    pub from: String,
    /// End of the day, `17:00`.
    pub to: String,
    /// Name of a time zone in the IANA database.
    pub location: String,
}

/// Another service that this one cannot work without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The other service.
    pub service: Name,
    /// What an outage of it silences here.
    pub silences: Silences,
}

/// What an outage of a dependency silences in its consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silences {
    /// Tickets of burning budgets.
    Tickets,
    /// Tickets and pages of burning budgets.
    Pages,
}
