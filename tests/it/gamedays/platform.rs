//! What is not ours: the shared platform, and the collector of telemetry.

use super::day::{Day, Expected, within};
use super::{LOAD, fleet, options};

const SHELTERED: &[Expected] = &[];
const BARE: &[Expected] = &[];
const COLLECTOR: &[Expected] = &[];

#[test]
fn the_platform_is_down_with_and_without_a_breaker_then_the_collector_is() {
    let (_folder, mut fleet) = fleet(&options());

    let mut day = Day::begin(&fleet, "platform-down", LOAD);
    day.cause(&[SHELTERED], || fleet.relays.set("platform", "cut"));
    std::thread::sleep(std::time::Duration::from_secs(20));
    fleet.relays.set("platform", "pass").expect("mended");
    day.mended(&[SHELTERED]);

    let mut day = Day::begin(&fleet, "collector-down", LOAD);
    day.cause(&[COLLECTOR], || fleet.relays.set("collector", "cut"));
    std::thread::sleep(std::time::Duration::from_secs(45));
    fleet.relays.set("collector", "pass").expect("mended");
    day.mended(&[COLLECTOR]);

    fleet.identity.deploy(&[("IDENTITY_BREAKER", "off"), ("IDENTITY_STALE", "off"), ("IDENTITY_FRESH", "1ms")]).expect("deployed");
    let mut day = Day::begin(&fleet, "platform-down-bare", LOAD);
    day.cause(&[BARE], || fleet.relays.set("platform", "cut"));
    std::thread::sleep(std::time::Duration::from_secs(12));
    fleet.relays.set("platform", "pass").expect("mended");
    day.mended(&[BARE]);
}
