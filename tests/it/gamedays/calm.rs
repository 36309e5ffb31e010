//! What must stay silent.

use std::time::Duration;

use kilter_harness::Fleet;

use super::LOAD;
use super::day::Day;

pub(super) fn days(fleet: &mut Fleet) {
    // Paths, methods and hosts that nobody has used before: no promise counts them, no series is made of them.
    let day = Day::begin(fleet, "label-flood", &[LOAD, &["--strange=60"]].concat());
    day.nothing_for(Duration::from_secs(15));
    day.mended(&[]);

    // Every counter begins at zero again.
    let day = Day::begin(fleet, "rolling-deploy", LOAD);
    fleet.deploy().expect("deployed");
    day.nothing_for(Duration::from_secs(15));
    day.mended(&[]);
}
