//! `kilter init`: a first SLO file, and `kilter.yaml` when there is none. Nothing that exists is ever overwritten.

use std::fs;
use std::path::{Path, PathBuf};

use super::Status;
use super::args::Init;
use super::generate::{color, counted, current, plural};
use crate::diagnostic::{Diagnostic, any_error, report};
use crate::exposition::{self, Page};
use crate::load::{LoadOptions, Sources};
use crate::model::{Family, Name, TimeScale};
use crate::pipeline::Options;
use crate::resolve::suggestion;
use crate::scaffold::{self, Draft, Interaction, Names};
use crate::yaml::{Node, Value};
use crate::{fetch, load, output, pipeline, yaml};

pub(super) fn init(args: &Init) -> Result<Status, String> {
    let current = current();
    let to_stdout = args.out.as_os_str() == "-";
    let path = if to_stdout { PathBuf::from("slo.yaml") } else { args.out.clone() };
    if !to_stdout && current.join(&path).exists() {
        let shown = path.display();
        return Err(format!(
            "{shown} is already here, and kilter init never overwrites\n  next: kilter lint {shown}, or kilter init --out new.slo.yaml, or --out - to look first"
        ));
    }
    let estate = Estate::find(&current);
    let page = args.from.as_deref().map(|from| fetch::page(from, &current)).transpose().map_err(|it| it.to_string())?;
    let page = page.map(|text| exposition::parse(&text));
    let Some(draft) = draft(args, page.as_ref(), &estate, &current)? else { return Ok(Status::Findings) };
    let text = scaffold::slo_file(&draft)?;
    let mut drafts = vec![(path.clone(), text)];
    if estate.path.is_none() {
        drafts.push((PathBuf::from("kilter.yaml"), scaffold::estate(&glob(&path), &draft.team)?));
    }
    // What is about to be written goes through everything that `lint` and `generate` do.
    let config = estate.path.clone();
    let options = LoadOptions { paths: vec![path.clone()], config, current: current.clone() };
    let made = pipeline::run_drafts(&options, &drafts, &Options::default()).map_err(|error| error.to_string())?;
    let file = load::shown(&current.join(&path), &made.sources.root);
    // What was wrong before is told by `lint`; all else is due to the draft, such as a service that is there already.
    let all = any_error(&made.diagnostics) && !estate.path.as_ref().is_some_and(|it| is_broken(it));
    let ours = |it: &&Diagnostic| all || made.sources.files[it.span.file].path == file;
    let found: Vec<_> = made.diagnostics.iter().filter(ours).cloned().collect();
    eprint!("{}", report::human(&found, &made.sources, color()));
    if any_error(&found) {
        eprintln!("{}; nothing was written", counted(&found));
        return Ok(Status::Findings);
    }
    if to_stdout {
        print!("{}", drafts[0].1);
        return Ok(Status::Fine);
    }
    for (path, text) in &drafts {
        output::create(&current.join(path), text).map_err(|error| error.to_string())?;
        eprintln!("wrote {}", path.display());
    }
    draft.notes.iter().for_each(|it| eprintln!("note: {it}"));
    let slos = draft.slos.len();
    eprintln!("{slos} SLO{} of {} for the team {}", plural(slos), draft.service, draft.team);
    eprintln!("  next: read {}, then kilter generate, then kilter test", path.display());
    if let Some(estate) = estate.path.filter(|_| !in_estate(&made.sources, &current.join(&path))) {
        eprintln!("  next: add {file} to `services` in {}, which does not name it yet", estate.display());
    }
    Ok(Status::Fine)
}

/// The draft; `None` when a page shows nothing that an SLO could be about.
fn draft(args: &Init, page: Option<&Page>, estate: &Estate, current: &Path) -> Result<Option<Draft>, String> {
    let service = match &args.service {
        Some(name) => name.clone(),
        None => service(page, current)?,
    };
    let team = args.team.clone().or_else(|| estate.teams.first().cloned()).unwrap_or_else(|| service.clone());
    let (mut notes, mut names) = (Vec::new(), Names::default());
    let mut known = named(args);
    if let Some(page) = page {
        if let Some(unread) = page.unread {
            let more = if unread.count == 1 { String::new() } else { format!(", and {} more", unread.count - 1) };
            notes.push(format!("line {} of the page is no metric{more}: left out", unread.line));
        }
        known.extend(scaffold::contract::interactions(page, &mut notes));
    } else if known.is_empty() {
        known.push(Interaction { family: Family::HttpServer, only: std::collections::BTreeMap::new(), seen: None });
    }
    let mut slos = scaffold::proposals(&known, &mut names);
    if let Some(page) = page {
        slos.extend(scaffold::foreign::proposals(page, &estate.matchers(&service), &mut names, &mut notes));
    }
    if slos.is_empty() {
        eprintln!("nothing on this page counts events or their durations in a way that an SLO could use");
        eprintln!(
            "  next: name what the service does, as in kilter init --route /orders, or write `events` by hand: docs/slo-file.md"
        );
        return Ok(None);
    }
    Ok(Some(Draft { service, team, page: args.from.clone(), notes, slos }))
}

/// What the user named.
fn named(args: &Init) -> Vec<Interaction> {
    let all = |family, key, values: &[String]| -> Vec<Interaction> {
        values.iter().map(|it| Interaction::named(family, key, it)).collect()
    };
    [
        all(Family::HttpServer, "routes", &args.route),
        all(Family::HttpClient, "dependency", &args.dependency),
        all(Family::Db, "namespace", &args.database),
        all(Family::Job, "name", &args.job),
        all(Family::Cache, "name", &args.cache),
    ]
    .concat()
}

/// The service's name: from its page, its package, its folder.
fn service(page: Option<&Page>, current: &Path) -> Result<Name, String> {
    let folder = || current.file_name().map(|it| it.to_string_lossy().into_owned());
    let said = page.and_then(scaffold::contract::service).map(str::to_owned);
    let guesses = [said, package(current), folder()].into_iter().flatten();
    let mut names = guesses.filter_map(|it| suggestion(&it)?.parse().ok());
    names.next().ok_or_else(|| {
        "neither a page nor a package nor this folder names the service\n  next: add --service NAME".to_owned()
    })
}

/// The package of `Cargo.toml` in this folder.
fn package(current: &Path) -> Option<String> {
    let text = fs::read_to_string(current.join("Cargo.toml")).ok()?;
    let mut lines = text.lines().map(str::trim).skip_while(|it| *it != "[package]").skip(1);
    let line = lines
        .by_ref()
        .take_while(|it| !it.starts_with('['))
        .find(|it| it.split('=').next().is_some_and(|it| it.trim() == "name"))?;
    Some(line.split('"').nth(1)?.to_owned())
}

/// What matches this file, and those that will stand beside it.
fn glob(path: &Path) -> String {
    let mut parts: Vec<String> =
        path.components().map(|it| it.as_os_str().to_string_lossy().into_owned()).filter(|it| it != ".").collect();
    let folder = parts.len().saturating_sub(2);
    if parts.len() > 2 {
        "*".clone_into(&mut parts[folder]);
    }
    parts.join("/")
}

/// Whether an estate has errors already.
fn is_broken(config: &Path) -> bool {
    let current = config.parent().unwrap_or(Path::new(".")).to_path_buf();
    let options = LoadOptions { paths: Vec::new(), config: Some(config.to_path_buf()), current };
    pipeline::run(&options, TimeScale::REAL).is_ok_and(|made| any_error(&made.diagnostics))
}

/// Whether the estate names this file by itself.
fn in_estate(sources: &Sources, path: &Path) -> bool {
    let config = sources.root.join("kilter.yaml");
    let options = LoadOptions { paths: Vec::new(), config: Some(config), current: sources.root.clone() };
    let shown = load::shown(path, &sources.root);
    load::sources(&options).is_ok_and(|(all, _)| all.files.iter().any(|it| it.path == shown))
}

/// The `kilter.yaml` that a service in this folder belongs to.
#[derive(Debug, Default)]
struct Estate {
    path: Option<PathBuf>,
    teams: Vec<Name>,
    selector: Option<String>,
    identity: Vec<(String, String)>,
}

impl Estate {
    /// The one in this folder, or in one above it within the same repository.
    fn find(current: &Path) -> Self {
        let inside = current.ancestors().scan(false, |left, folder| {
            let stop = std::mem::replace(left, folder.join(".git").exists());
            (!stop).then_some(folder)
        });
        // Without a repository nothing says where a project ends.
        let within = current.ancestors().any(|it| it.join(".git").exists());
        let folders: Vec<&Path> = if within { inside.collect() } else { vec![current] };
        let Some(path) = folders.iter().map(|it| it.join("kilter.yaml")).find(|it| it.is_file()) else {
            return Self::default();
        };
        let tree = fs::read_to_string(&path).ok().and_then(|text| yaml::parse(&text).ok());
        let get = |key: &str| tree.as_ref().and_then(|it| it.root.get(key));
        let entries = |key: &str| match get(key).map(|it| &it.value) {
            Some(Value::Map(entries)) => entries.clone(),
            _ => Vec::new(),
        };
        let text = |node: &Node| match &node.value {
            Value::Scalar { text, .. } => Some(text.clone()),
            _ => None,
        };
        Self {
            teams: entries("teams").iter().filter_map(|(key, _)| key.text.parse().ok()).collect(),
            selector: get("selector").and_then(text),
            identity: entries("identity")
                .iter()
                .filter_map(|(key, node)| Some((key.text.clone(), text(node)?)))
                .collect(),
            path: Some(path),
        }
    }

    /// What finds the series of a service, as the rules of contract SLIs have it.
    fn matchers(&self, service: &Name) -> String {
        let selector =
            self.selector.as_deref().unwrap_or("job=\"{{service}}\"").replace("{{service}}", service.as_str());
        let identity = self.identity.iter().map(|(key, value)| crate::plan::expr::equal(key, value));
        std::iter::once(selector).chain(identity).collect::<Vec<_>>().join(",")
    }
}
