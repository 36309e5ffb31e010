//! `cargo xtask demo`: one service, one SLO file, one page delivered, told as it happens.

pub(crate) mod fleet;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use kilter_harness::{Loop, LoopOptions, Received, ReceivedAlert, Traffic};

use crate::picture::{Curve, Event, svg};
use crate::{cargo, programs, root, run as run_shown, tools};

/// The cause that is switched on: the program that makes packs is gone, so every clone fails.
const FAULT: &str = "upload-pack-missing";

/// The SLO that must page.
const SLO: &str = "clone-availability";

/// Healthy traffic before the fault; nothing may fire meanwhile.
const HEALTHY: Duration = Duration::from_secs(60);

/// Until the page must have arrived; by the rules it takes about six seconds at this time scale.
const PAGED: Duration = Duration::from_secs(60);

/// Until it must have resolved: the half-hour window must forget the fault, which is 90 s at this time scale.
const RESOLVED: Duration = Duration::from_secs(180);

/// Runs the demo; an error when the page did not arrive, did not resolve, or anything fired without a fault.
pub(crate) fn run(keep: bool) -> anyhow::Result<()> {
    step("tools", "Prometheus, Alertmanager, git", || tools::install().map(str::to_owned))?;
    step("build", "kilter and git-https", build)?;
    let folder = fresh_folder()?;
    let mut stack = None;
    step("start", "kilter generate; git-https, Prometheus, Alertmanager, a webhook", || {
        stack = Some(Loop::start(&folder, LoopOptions::default())?);
        Ok("all ready".to_owned())
    })?;
    let stack = stack.context("the stack did not start")?;
    addresses(&stack);
    let divisor = LoopOptions::default().time_divisor;
    println!("\nThe rules are the generator's own, from examples/git-https/slo.yaml, at time scale 1/{divisor}:");
    println!(
        "every window and interval is divided by {divisor}, so what the page calls 1h lasts {} s here.",
        3600 / divisor
    );
    let traffic = Traffic::start(&stack.service.clone_url(), &folder, 3, Duration::from_millis(500))?;

    let told = story(&stack, &traffic);
    println!("\nEverything is in {}: the generated files (estate/), the logs, the metrics.", folder.display());
    if told.is_ok() {
        println!("Next: look at rules/git-https.rules.yaml, or change examples/git-https/slo.yaml and run this again.");
    }
    if keep {
        addresses(&stack);
        println!("\nIt stays up, and git clients go on cloning, until you press Ctrl-C.");
        told?;
        loop {
            sleep(Duration::from_secs(3600));
        }
    }
    told
}

/// The timeline; its zero is the fault.
fn story(stack: &Loop, traffic: &Traffic) -> anyhow::Result<()> {
    println!("\n{} s of healthy traffic, in which nothing may fire:", HEALTHY.as_secs());
    let start = Instant::now();
    let mut next = Duration::from_secs(10);
    while start.elapsed() < HEALTHY {
        sleep(Duration::from_millis(250));
        silent(stack)?;
        if start.elapsed() >= next {
            next += Duration::from_secs(10);
            let (succeeded, failed) = traffic.counts();
            ensure!(failed == 0, "{failed} clones failed without a fault; see {}", stack.folder().display());
            println!("  {:>3.0} s  {succeeded} clones, none failed, no alert", start.elapsed().as_secs_f64());
        }
    }

    println!("\nA full outage, injected at its cause:");
    let mut timeline = Timeline::new();
    stack.service.fault(FAULT, true)?;
    timeline.say("fault", "the program that makes packs is gone: every clone fails");
    wait(PAGED, "no alert fires in Prometheus", || {
        timeline.others(stack);
        let alerts = stack.prometheus.alerts()?;
        Ok(alerts.iter().any(|it| it.state == "firing" && is_burn(|key| it.label(key))))
    })?;
    timeline.say("firing", &format!("ErrorBudgetBurn (page) of {SLO}, in Prometheus"));
    wait(PAGED, "no page arrives", || {
        timeline.others(stack);
        Ok(page(stack, "firing").is_some())
    })?;
    let (notification, alert) = page(stack, "firing").context("the page is gone")?;
    timeline.say("page", &format!("received by the webhook {}", notification.path));
    text_of(&alert);

    stack.service.fault(FAULT, false)?;
    timeline.say("mended", "the program is back: clones succeed again");
    wait(RESOLVED, "the page does not resolve", || {
        timeline.others(stack);
        Ok(page(stack, "resolved").is_some())
    })?;
    timeline.say("resolved", "received by the webhook /page");
    let pages = stack.webhook.of("page").iter().filter(|it| it.alerts.iter().any(|it| it.status == "firing")).count();
    let (succeeded, failed) = traffic.counts();
    println!("\nOne outage, {pages} page notification; {succeeded} clones succeeded, {failed} failed.");
    let picture = stack.folder().join("timeline.svg");
    fs::write(&picture, draw(stack, &timeline)?).with_context(|| format!("could not write {}", picture.display()))?;
    println!("A picture of it: {}", picture.display());
    Ok(())
}

/// The burn rates that Prometheus recorded, with the events of the timeline.
fn draw(stack: &Loop, timeline: &Timeline) -> anyhow::Result<String> {
    let back = timeline.zero.elapsed() + HEALTHY;
    let mut curves = Vec::new();
    for (window, color, dash) in
        [("5m", "#d55e00", "none"), ("30m", "#0072b2", "7 3"), ("1h", "#009e73", "3 3"), ("6h", "#cc79a7", "12 4 2 4")]
    {
        let expr = format!("slo:burn_rate:{window}{{slo=\"{SLO}\"}}");
        let series = stack.prometheus.query_range(&expr, back, Duration::from_secs(1))?;
        let points = series.into_iter().flat_map(|it| it.points).map(|(at, burn)| (at - timeline.zero_at, burn));
        curves.push(Curve { name: format!("slo:burn_rate:{window}"), color, dash, points: points.collect() });
    }
    let title = format!(
        "One outage of git clone, one page: cargo xtask demo, time scale 1/{}",
        LoopOptions::default().time_divisor
    );
    let thresholds = [(14.4, "1h and 5m above 14.4 page"), (6.0, "6h and 30m above 6 page")];
    Ok(svg(&title, &thresholds, &curves, &timeline.events))
}

/// Fails when anything but the dead-man's switch fires or has been delivered.
fn silent(stack: &Loop) -> anyhow::Result<()> {
    for alert in stack.prometheus.alerts()? {
        let silent = alert.state != "firing" || alert.label("alertname") == "Watchdog";
        ensure!(silent, "{} fires without a fault: {:?}", alert.label("alertname"), alert.labels);
    }
    let noise = stack.webhook.received().into_iter().find(|it| it.path != "/watchdog");
    ensure!(noise.is_none(), "a notification without a fault:{}", stack.webhook.summary());
    Ok(())
}

fn is_burn<'a>(label: impl Fn(&str) -> &'a str) -> bool {
    label("alertname") == "ErrorBudgetBurn" && label("severity") == "page" && label("slo") == SLO
}

/// The first notification of our page with this status, and the alert in it.
fn page(stack: &Loop, status: &str) -> Option<(Received, ReceivedAlert)> {
    let wanted = |alert: &&ReceivedAlert| alert.status == status && is_burn(|key| alert.label(key));
    let mut notifications = stack.webhook.of("page").into_iter();
    notifications.find_map(|it| it.alerts.iter().find(wanted).cloned().map(|alert| (it, alert)))
}

/// Every word comes from the body that the webhook received.
fn text_of(alert: &ReceivedAlert) {
    println!();
    for (name, text) in &alert.annotations {
        let mut lines = text.lines();
        println!("    {name:<14} {}", lines.next().unwrap_or_default());
        lines.for_each(|line| println!("    {:<14} {line}", ""));
    }
    let labels: Vec<String> = alert.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    println!("    {:<14} {}\n", "labels", labels.join(" "));
}

/// Events with their time since the fault.
struct Timeline {
    zero: Instant,
    /// The same in Unix seconds.
    zero_at: f64,
    /// What was said, for the picture.
    events: Vec<Event>,
    /// Notifications that were told already, by their number.
    told: BTreeSet<usize>,
}

impl Timeline {
    /// It begins now.
    fn new() -> Self {
        let zero_at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |it| it.as_secs_f64());
        Self { zero: Instant::now(), zero_at, events: Vec::new(), told: BTreeSet::new() }
    }

    fn say(&mut self, what: &str, text: &str) {
        let at = self.zero.elapsed().as_secs_f64();
        println!("  {at:>+7.1} s  {what:<9} {text}");
        if what != "also" {
            self.events.push(Event { at, text: format!("{what} at {at:.1} s") });
        }
    }

    /// Tells of what else arrived, so that nothing is hidden.
    fn others(&mut self, stack: &Loop) {
        for (number, notification) in stack.webhook.received().iter().enumerate() {
            if notification.path == "/watchdog" || !self.told.insert(number) {
                continue;
            }
            for alert in notification.alerts.iter().filter(|it| !is_burn(|key| it.label(key))) {
                let text = format!(
                    "{} {} ({}) of {} at the receiver {}",
                    alert.label("alertname"),
                    alert.status,
                    alert.label("severity"),
                    alert.label("slo"),
                    notification.path
                );
                self.say("also", &text);
            }
        }
    }
}

/// Looks four times a second until it is so.
fn wait(deadline: Duration, otherwise: &str, mut look: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let start = Instant::now();
    while !look()? {
        ensure!(start.elapsed() < deadline, "{otherwise} within {} s", deadline.as_secs());
        sleep(Duration::from_millis(250));
    }
    Ok(())
}

/// Says what is being done before it is, and how it went after.
fn step(name: &str, what: &str, work: impl FnOnce() -> anyhow::Result<String>) -> anyhow::Result<()> {
    println!("{name:<6} {what}");
    let start = Instant::now();
    let result = work()?;
    println!("       {result} ({:.1} s)", start.elapsed().as_secs_f64());
    Ok(())
}

fn addresses(stack: &Loop) {
    println!();
    for (name, url) in [
        ("git", stack.service.clone_url()),
        ("metrics", format!("http://{}/metrics", stack.service.admin_address())),
        ("Prometheus", stack.prometheus.url()),
        ("Alertmanager", stack.alertmanager.url()),
        ("faults", format!("curl -X POST {}   (and -X DELETE)", stack.service.fault_url(FAULT))),
    ] {
        println!("  {name:<13} {url}");
    }
}

/// Builds the two programs together, so that they share what they depend on, and tells the harness where they are.
fn build() -> anyhow::Result<String> {
    run_shown(cargo(&["build", "--locked", "-p", "kilter", "-p", "git-https"]))?;
    let folder = programs()?;
    let version = Command::new(folder.join("kilter")).arg("--version").output().context("could not run kilter")?;
    kilter_harness::use_built(folder);
    Ok(String::from_utf8_lossy(&version.stdout).trim().to_owned())
}

/// `target/demo`, emptied: what an earlier run left is of no use to this one.
fn fresh_folder() -> anyhow::Result<PathBuf> {
    let folder = root().join("target/demo");
    match fs::remove_dir_all(&folder) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => bail!("could not empty {}: {error}", folder.display()),
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
