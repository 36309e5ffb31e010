//! `cargo xtask demo --fleet`: every service under load, everything that watches them, and faults to switch on by hand.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use kilter_harness::{Fleet, FleetOptions, Load, Watch, use_built};

use super::{fresh_folder, step};
use crate::{cargo, programs, run as run_shown, tools};

/// An hour is three minutes.
const DIVISOR: u32 = 20;

/// What is built, so that what the programs share is built once.
const PACKAGES: [&str; 7] =
    ["kilter", "git-https", "identity", "repositories", "pipelines", "fleet-faults", "fleet-load"];

/// Runs until Enter is pressed.
pub(crate) fn run() -> anyhow::Result<()> {
    step("tools", "Prometheus, Alertmanager, PostgreSQL, git", || tools::install().map(str::to_owned))?;
    step("build", "kilter and the fleet", || {
        let packages: Vec<&str> = PACKAGES.iter().flat_map(|it| ["-p", it]).collect();
        run_shown(cargo(&[&["build", "--locked"], packages.as_slice()].concat()))?;
        use_built(programs()?);
        Ok("built".to_owned())
    })?;
    let folder = fresh_folder()?;
    let mut parts = None;
    step(
        "start",
        "PostgreSQL with two replicas, the fleet, its load; kilter generate; Prometheus, Alertmanager",
        || {
            // A pool that is large enough while replicas take the reads.
            let repositories = vec![("REPOSITORIES_POOL".to_owned(), "2".to_owned())];
            let fleet = Fleet::start(&folder, &FleetOptions { time_divisor: DIVISOR, repositories })?;
            let watch = Watch::start(&fleet, &folder.join("watch"), DIVISOR)?;
            let load = Load::start(&fleet, "load", &[])?;
            parts = Some((load, watch, fleet));
            Ok("all ready".to_owned())
        },
    )?;
    let Some((load, watch, fleet)) = parts else { anyhow::bail!("the fleet did not start") };
    addresses(&fleet, &watch);
    menu(&fleet);
    println!(
        "\nAn hour of the rules lasts {} s here. Notifications, as they arrive; Enter ends everything:",
        3600 / DIVISOR
    );
    follow(&watch, &load);
    println!("ending; files and logs stay in {}", folder.display());
    Ok(())
}

fn addresses(fleet: &Fleet, watch: &Watch) {
    println!();
    for (name, url) in [
        ("Prometheus", watch.prometheus.url()),
        ("Alertmanager", watch.alertmanager.url()),
        ("git", format!("git clone {}/acme/site.git", fleet.git_https.url())),
        ("repositories", format!("{}/repositories/acme/site", fleet.repositories.url())),
        ("identity", format!("{}/tokens/anonymous", fleet.identity.url())),
        ("pipelines", format!("{}/builds/1", fleet.pipelines.url())),
        ("dashboards", format!("{}", watch.folder().join("dashboards").display())),
        ("runbooks", format!("{}", watch.folder().join("rules/runbooks").display())),
    ] {
        println!("  {name:<13} {url}");
    }
}

/// Each fault with the command that brings it about, and the one that mends it.
fn menu(fleet: &Fleet) {
    let relay = |name: &str, mode: &str| format!("curl -X POST {}", fleet.relays.url(name, mode));
    let switch = |url: String| (format!("curl -X POST {url}"), format!("curl -X DELETE {url}"));
    let (clones, mended) = switch(fleet.git_https.fault_url("upload-pack-missing"));
    let (builds, unlocked) = switch(fleet.pipelines.fault_url("stale-lock"));
    let all = |mode: &str, slow: &str| {
        [relay("replica-1", mode), relay("replica-2", mode), relay("primary", slow)].join("; ")
    };
    println!("\nFaults, each at its cause:");
    for (what, on, off) in [
        ("clones fail", clones, mended),
        ("builds wait, although every request succeeds", builds, unlocked),
        ("the platform is down, its breaker does its work", relay("platform", "cut"), relay("platform", "pass")),
        ("replicas go unused, and the primary is slow", all("cut", "delay=60ms"), all("pass", "pass")),
        ("spans are lost", relay("collector", "cut"), relay("collector", "pass")),
        (
            "scheduled jobs die silently",
            format!("kill -9 {}", fleet.maintenance.id()),
            "start the demo again".to_owned(),
        ),
        ("git-https dies", format!("kill -9 {}", fleet.git_https.id()), "start the demo again".to_owned()),
    ] {
        println!("  {what}\n    {on}\n    mend: {off}");
    }
}

/// A line for each alert in each notification, until somebody presses Enter.
fn follow(watch: &Watch, load: &Load) {
    let (pressed, enter) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        // At the end of the input nobody can press anything: then it runs until it is interrupted.
        if std::io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {
            let _ = pressed.send(());
        } else {
            thread::sleep(Duration::MAX);
        }
    });
    let (zero, mut told) = (Instant::now(), 0);
    while enter.recv_timeout(Duration::from_millis(500)) == Err(RecvTimeoutError::Timeout) {
        let lines = watch.told(zero);
        lines.iter().skip(told).for_each(|line| println!("  {line}"));
        told = lines.len();
    }
    println!("users: {}", load.said());
}
