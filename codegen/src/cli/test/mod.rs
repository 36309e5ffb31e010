//! `kilter test`: the real promtool and amtool on what was generated: one line per SLO, and a table of what was promised
//! and what was shown.

mod measured;
mod proofs;
mod told;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Status;
use super::args::{ReportFormat, Test};
use super::checks::Checks;
use super::generate::plural;
use super::progress::Progress;
use crate::plan::routing::UNROUTED;
use measured::Measured;
use told::Told;

/// `Err` is what a tool complained about.
type Outcome = Result<(), String>;

/// What was shown of one SLO, or of the estate as a whole.
#[derive(Default)]
struct Shown {
    proofs: usize,
    routes: usize,
    /// Of the routes, those that end at the default receiver because no team receives the alert.
    unrouted: usize,
    complaints: String,
}

pub(super) fn run(args: &Test) -> Result<Status, String> {
    if args.folder.is_file() {
        return Err(no_folder(&args.folder));
    }
    let below = args.folder.join("rules");
    // Who names the folder of the rules itself means the same.
    let itself = !below.is_dir() && !files(&args.folder, ".rules.yaml").unwrap_or_default().is_empty();
    let folder = if itself { args.folder.clone() } else { below };
    let rules = files(&folder, ".rules.yaml")?;
    let tests = files(&folder, ".rules.test.yaml")?;
    if rules.is_empty() {
        return Err(format!("{}: no *.rules.yaml here\n  next: kilter generate", folder.display()));
    }
    let mut checks = Checks::new(args.format, args.quiet);
    for path in &rules {
        let outcome = tool("promtool", &["check", "rules", &name(path)], &folder)?;
        checks.tell(format!("{}: promtool check rules", name(path)), outcome);
    }
    let mut slos: BTreeMap<String, Shown> = BTreeMap::new();
    let mut told = Told::default();
    let mut measured: Vec<Measured> = Vec::new();
    for proved in proofs::in_parallel(&tests, &folder, args.quiet)? {
        if let Err(why) = proofs::per_slo(&proved.path, proved.outcome, &mut slos)? {
            checks.tell(format!("{}: promtool test rules", name(&proved.path)), Err(why));
        }
        measured.extend(proved.measured);
    }
    let alertmanager = folder.join("alertmanager.yaml");
    if alertmanager.is_file() {
        let outcome = tool("amtool", &["check-config", "alertmanager.yaml"], &folder)?;
        checks.tell("alertmanager.yaml: amtool check-config".to_owned(), outcome);
        let progress = Progress::start("proving routes", args.quiet);
        routes(&alertmanager, &folder, &mut slos, &mut told, &progress)?;
    }
    let unrouted: Vec<String> =
        slos.iter().filter(|(_, it)| it.unrouted > 0).map(|(slo, it)| format!("{slo} ({})", it.unrouted)).collect();
    for (slo, shown) in slos {
        let count = |n: usize, what: &str| (n > 0).then(|| format!("{n} {what}{}", plural(n)));
        let counts: Vec<String> =
            [count(shown.proofs, "proof"), count(shown.routes, "route")].into_iter().flatten().collect();
        let outcome = if shown.complaints.is_empty() { Ok(()) } else { Err(shown.complaints) };
        let own: Vec<Value> = measured.iter().filter(|it| it.what.slo == slo).map(Measured::json).collect();
        let more = [("detections", own), ("told", told.json(&slo))];
        checks.tell_with(format!("{slo}: {}", counts.join(", ")), outcome, more);
    }
    if !unrouted.is_empty() {
        eprintln!("no team receives the alerts of {}: they fall to the default receiver", unrouted.join(", "));
        eprintln!("  next: name the teams and their receivers under `teams` in kilter.yaml");
    }
    if args.format == ReportFormat::Human && !args.quiet && !measured.is_empty() {
        println!(
            "\nWhen alerts come and go: promised at the latest (by the workbook, and one evaluation), and shown by promtool\n"
        );
        print!("{}", measured::table(&measured));
    }
    if args.format == ReportFormat::Human && !args.quiet && !told.is_empty() {
        println!("\nWho is told of what, as amtool finds it in alertmanager.yaml\n");
        print!("{}", told.table());
    }
    checks.print();
    let (passed, failed) = checks.counts();
    eprintln!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { Status::Fine } else { Status::Findings })
}

/// A file where a folder is expected: the nearest folder above it that was generated into is what was meant.
fn no_folder(file: &Path) -> String {
    let generated = file.ancestors().skip(1).find(|it| it.join("rules").is_dir());
    let next = match generated {
        Some(folder) if folder.as_os_str().is_empty() => "kilter test".to_owned(),
        Some(folder) => format!("kilter test {}", folder.display()),
        None => "kilter generate, then kilter test".to_owned(),
    };
    format!(
        "{} is a file; kilter test wants the folder that holds rules/, as kilter generate made it\n  next: {next}",
        file.display()
    )
}

/// Asks amtool for the receiver of each alert, and books the answer on its SLO.
fn routes(
    alertmanager: &Path,
    folder: &Path,
    slos: &mut BTreeMap<String, Shown>,
    told: &mut Told,
    progress: &Progress,
) -> Result<(), String> {
    let all = route_tests(alertmanager)?;
    let count = all.len();
    for (done, (labels, receiver, unrouted)) in all.into_iter().enumerate() {
        progress.say(|| format!("proving routes, {done} of {count}"));
        let verify = format!("--verify.receivers={receiver}");
        let mut args = vec!["config", "routes", "test", "--config.file", "alertmanager.yaml", verify.as_str()];
        args.extend(labels.iter().map(String::as_str));
        let label = |key: &str| labels.iter().find_map(|it| it.strip_prefix(key)?.strip_prefix('='));
        let slo = match (label("service"), label("slo")) {
            (Some(service), Some(slo)) => format!("{service}/{slo}"),
            (Some(service), None) => service.to_owned(),
            _ => "the estate".to_owned(),
        };
        let outcome = tool("amtool", &args, folder)?;
        if outcome.is_ok() {
            told.note(&slo, &receiver, &label);
        }
        let shown = slos.entry(slo).or_default();
        shown.routes += 1;
        shown.unrouted += usize::from(unrouted);
        if let Err(why) = outcome {
            shown.complaints.push_str(&format!("{{{}}} does not reach {receiver}: {why}", labels.join(", ")));
        }
    }
    Ok(())
}

fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, String> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("{}: {error}\n  next: kilter generate", folder.display()))?;
    let mut all: Vec<PathBuf> = entries.flatten().map(|it| it.path()).filter(|it| name(it).ends_with(ending)).collect();
    all.sort();
    Ok(all)
}

fn name(path: &Path) -> String {
    path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Outer `Err`: the tool is missing. Inner: what it complained about.
fn tool(program: &str, args: &[&str], folder: &Path) -> Result<Outcome, String> {
    let mut command = Command::new(program);
    // Short runs with little memory, which need not be collected as often; there is one on each core already.
    let told = |key: &(&str, &str)| std::env::var_os(key.0).is_some();
    command.envs([("GOGC", "400"), ("GOMAXPROCS", "1")].into_iter().filter(|it| !told(it)));
    let out = command.args(args).current_dir(folder).output().map_err(|error| {
        format!("{program} does not start: {error}\n  next: install Debian's packages prometheus and prometheus-alertmanager, or put {program} on the PATH")
    })?;
    if out.status.success() {
        return Ok(Ok(()));
    }
    Ok(Err(format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))))
}

/// The proofs of routing that the generator wrote into the file's comments: `# route: team=a severity=page -> x`, and
/// whether no team receives the alert.
fn route_tests(path: &Path) -> Result<Vec<(Vec<String>, String, bool)>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let proof = |line: &str| {
        let (labels, receiver) = line.strip_prefix("# route: ")?.split_once(" -> ")?;
        let (receiver, unrouted) = receiver.strip_suffix(UNROUTED).map_or((receiver, false), |it| (it, true));
        Some((labels.split(' ').map(str::to_owned).collect(), receiver.to_owned(), unrouted))
    };
    Ok(text.lines().filter_map(proof).collect())
}
