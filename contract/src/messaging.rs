//! Messaging signals (RED): messages that the service processes.
//!
//! Left out on purpose: `server.address` and the partition, whose values nobody bounds.

use crate::http::{DURATION_BUCKETS, ERROR_TYPE};
use crate::{Label, Values, signals};

/// Messaging system.
pub const SYSTEM: Label = Label::new(
    "messaging_system",
    "messaging.system",
    Values::Configured,
    false,
    "The messaging system, such as kafka or nats.",
);
/// Destination.
pub const DESTINATION: Label = Label::new(
    "messaging_destination_name",
    "messaging.destination.name",
    Values::Configured,
    false,
    "Configured name of the queue or topic.",
);
/// Consumer group.
pub const CONSUMER_GROUP: Label = Label::new(
    "messaging_consumer_group_name",
    "messaging.consumer.group.name",
    Values::Configured,
    true,
    "Configured name of the consumer group; absent where the system has none.",
);

signals! {
    family "messaging";
    /// Each message is counted once per attempt, when it is settled.
    PROCESS_DURATION = histogram(DURATION_BUCKETS) "messaging_process_duration_seconds",
        otel "messaging.process.duration", unit Seconds, help "Duration of processing messages.",
        labels [SYSTEM, DESTINATION, CONSUMER_GROUP, ERROR_TYPE];
}
