//! The only reader of disk: the configuration, the SLO files, and the files that they name.

mod beside;
mod find;
mod index;
mod named;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rayon::prelude::*;

use find::{entries, matching, slo_files_below};

use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::formats::{self, Foreign, Neighbour, Read, draft};
use crate::yaml::{self, Node, Range, Value};

pub use beside::add_text;
pub use rules::{RuleFiles, rule_files};

/// A file as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As shown: relative to the root, with forward slashes.
    pub path: String,
    /// Its text; empty when it could not be read as text.
    pub text: String,
}

/// Everything that was read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The files: the config first when there is one, then the SLO files in order of path.
    pub files: Vec<SourceFile>,
    /// Whether the first file is a `kilter.yaml`.
    pub has_config: bool,
    /// Folder of the config, or the current one: what paths are relative to, and where output goes.
    pub root: PathBuf,
    /// Indices of the SLO files that a PATH named; every one when none did.
    pub selected: Vec<usize>,
    /// Mitigations files that SLO files name.
    pub mitigations: Vec<Mitigations>,
    /// Templates of the estate's own: index of the file, and the name below `templates`, such as `alerts/burn.summary`.
    pub templates: Vec<(usize, String)>,
    /// Patches: index in the list `patches`, and of the file.
    pub patches: Vec<(usize, usize)>,
    /// Index of the Alertmanager base file: the last one that is YAML, and no SLO file.
    pub alertmanager_base: Option<usize>,
    /// Trees of the files that are YAML, by index; templates, patches and mitigations come after them.
    pub trees: Vec<Option<Node>>,
    /// Indices of the files of other tools, each with the index of the file that holds its text. Their trees are what ours
    /// would be. A file of several services has an index for each, one of them with the text; a file that only belongs to
    /// others has no tree.
    pub foreign: BTreeMap<usize, usize>,
    /// Contract files of services, by the index of the SLO file that names them.
    pub contracts: BTreeMap<usize, usize>,
    /// Texts of the bounds files `rules/<service>.bounds` that are there, by service.
    pub bounds: BTreeMap<String, String>,
    /// Indices of the trees by the service that they name, made when it is first asked for: trees do not change then.
    by_service: OnceLock<BTreeMap<String, Vec<usize>>>,
}

impl Sources {
    /// Nothing yet, in a folder.
    pub fn in_folder(root: PathBuf) -> Self {
        Self { root, ..Self::default() }
    }
}

/// A mitigations file (`runbook.mitigations`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mitigations {
    /// Index of the SLO file that names it.
    pub file: usize,
    /// Index of the SLO in that file; `None` for the whole service.
    pub slo: Option<usize>,
    /// Index of the file itself.
    pub text: usize,
}

impl Sources {
    /// The text of a file. A file of several services has one text under many indices.
    pub fn text(&self, file: usize) -> &str {
        let file = self.foreign.get(&file).copied().unwrap_or(file);
        self.files.get(file).map_or("", |it| it.text.as_str())
    }
}

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// SLO files, or folders of them.
    pub paths: Vec<PathBuf>,
    /// The configuration; else `kilter.yaml` in the current folder.
    pub config: Option<PathBuf>,
    /// The current folder.
    pub current: PathBuf,
}

/// The disk, or a path, failed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A path that was named does not exist or cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The path as named.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// There is nothing to read.
    #[error("{0}")]
    Nothing(String),
}

/// Files that are not on disk yet: path relative to the current folder, and text.
pub type Drafts = [(PathBuf, String)];

/// Reads everything. What cannot be read as a text or as YAML is a diagnostic; a path that does not exist is an error.
pub fn sources(options: &LoadOptions) -> Result<(Sources, Vec<Diagnostic>), LoadError> {
    sources_with(options, &[])
}

/// The folder of the configuration, or the current one: where output goes, and what paths are relative to.
pub fn root(options: &LoadOptions) -> PathBuf {
    config_and_root(options, &[]).1
}

/// The same, as if drafts were on disk.
pub fn sources_with(options: &LoadOptions, drafts: &Drafts) -> Result<(Sources, Vec<Diagnostic>), LoadError> {
    let (config, root) = config_and_root(options, drafts);
    if config.is_none() && options.paths.is_empty() {
        let next = if options.current.join("slo.yaml").is_file() {
            "there is a slo.yaml: name it, or write a kilter.yaml with services: [slo.yaml]"
        } else {
            "name one, such as path/to/slo.yaml, or write a kilter.yaml with services: [\"*/slo.yaml\"]"
        };
        let text = format!("no SLO file is named and there is no kilter.yaml here\n  next: {next}");
        return Err(LoadError::Nothing(text));
    }
    let mut reader = Reader::new(root);
    reader.drafts = drafts.iter().map(|(path, text)| (options.current.join(path), text.clone())).collect();
    let mut slo_files = Vec::new();
    if let Some(config) = &config {
        reader.read(config)?;
        reader.sources.has_config = true;
        let globs = strings(reader.sources.trees[0].as_ref(), "services");
        for glob in globs {
            matching(&reader.sources.root, &glob, &mut slo_files);
        }
    }
    let mut named = Vec::new();
    for path in &options.paths {
        let path = if is_stdin(path) { path.clone() } else { options.current.join(path) };
        let before = named.len();
        if path.is_dir() {
            slo_files_below(&path, &mut named);
        } else {
            named.push(path.clone());
        }
        if named.len() == before {
            return Err(LoadError::Nothing(format!("{}: no slo.yaml below this folder", path.display())));
        }
    }
    slo_files.extend(named.iter().cloned());
    slo_files.sort();
    slo_files.dedup();
    let real = real_paths(&slo_files);
    let mut seen = BTreeSet::new();
    let (slo_files, real): (Vec<PathBuf>, Vec<PathBuf>) =
        slo_files.into_iter().zip(real).filter(|(_, real)| seen.insert(real.clone())).unzip();
    if slo_files.is_empty() {
        return Err(LoadError::Nothing("kilter.yaml: `services` matches no file".to_owned()));
    }
    let wanted: BTreeSet<PathBuf> = real_paths(&named).into_iter().collect();
    let fetched: Vec<_> = slo_files.par_iter().map(|path| reader.fetch(path)).collect();
    let mut folders = Vec::new();
    for ((path, real), fetched) in slo_files.into_iter().zip(real).zip(fetched) {
        let index = reader.keep(&path, fetched?);
        folders.push((index, path.parent().unwrap_or(Path::new("")).to_path_buf()));
        if wanted.is_empty() || wanted.contains(&real) {
            reader.sources.selected.push(index);
        }
    }
    reader.import(drop);
    reader.read_base();
    reader.read_templates();
    reader.read_patches();
    folders.iter().for_each(|(index, folder)| reader.read_mitigations(*index, folder));
    folders.iter().for_each(|(index, folder)| reader.read_contract(*index, folder));
    Ok((reader.sources, reader.diagnostics))
}

/// The paths without links in them, each folder asked for once.
fn real_paths(paths: &[PathBuf]) -> Vec<PathBuf> {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folders: BTreeSet<&Path> = paths.iter().filter_map(|it| it.parent()).collect();
    let folders: BTreeMap<&Path, PathBuf> = folders.into_iter().map(|it| (it, real(it))).collect();
    let real = |path: &PathBuf| match (fs::symlink_metadata(path), path.parent(), path.file_name()) {
        (Ok(it), Some(folder), Some(name)) if it.is_file() => folders[folder].join(name),
        _ => real(path),
    };
    paths.par_iter().map(real).collect()
}

/// Reads the bounds files below a folder of generated files: services that are there embed them. One look at the folder
/// serves them all.
pub fn bounds(folder: &Path) -> BTreeMap<String, String> {
    let service = |path: &PathBuf| Some(path.file_name()?.to_str()?.strip_suffix(".bounds")?.to_owned());
    let found = entries(&folder.join("rules")).into_iter().filter_map(|path| Some((service(&path)?, path)));
    found.filter_map(|(service, path)| Some((service, fs::read_to_string(path).ok()?))).collect()
}

/// The configuration, and the folder that paths are relative to.
fn config_and_root(options: &LoadOptions, drafts: &Drafts) -> (Option<PathBuf>, PathBuf) {
    let default = options.current.join("kilter.yaml");
    let drafted = drafts.iter().any(|(path, _)| options.current.join(path) == default);
    let there = |it: PathBuf| (it.is_file() || drafted).then_some(it);
    let config = options.config.clone().map(|it| options.current.join(it)).or_else(|| there(default));
    let root = config.as_deref().and_then(Path::parent).unwrap_or(&options.current).to_path_buf();
    (config, root)
}

/// Files below a folder that the `services` of a kilter.yaml match.
pub fn named_by(sources: &Sources, root: &Path) -> Vec<PathBuf> {
    let config = sources.trees.first().filter(|_| sources.has_config).and_then(Option::as_ref);
    let mut found = Vec::new();
    strings(config, "services").iter().for_each(|glob| matching(root, glob, &mut found));
    found
}

/// Files below a folder whose name says that they are SLO files.
pub fn slo_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    slo_files_below(folder, &mut found);
    found
}

/// The services of other tools' files, by the index of the file.
pub type Services = Vec<(usize, Vec<draft::Service>)>;

/// Reads files of other tools, for `kilter import`; `-` is the standard input.
pub fn foreign(paths: &[PathBuf], current: &Path) -> Result<(Sources, Services, Vec<Diagnostic>), LoadError> {
    let mut reader = Reader::new(current.to_path_buf());
    for path in paths {
        let index = reader.read(&if is_stdin(path) { path.clone() } else { current.join(path) })?;
        reader.sources.selected.push(index);
        let Some(tree) = reader.sources.trees[index].take() else { continue };
        let known: Vec<&str> = formats::READERS.iter().map(|it| it.title).collect();
        let message = format!("this is a file of none of {}", known.join(", "));
        let range = Range { start: tree.range.start, end: tree.range.start };
        let help = "these are told by `version: prometheus/v1`, `apiVersion: openslo/...`, `pyrra.dev/...` or `sloth.slok.dev/...`";
        Findings::new(index, &reader.sources, &mut reader.diagnostics).error(
            Code::ForeignVersion,
            range,
            message,
            help,
        );
    }
    let drafts = reader.import(|it| it);
    Ok((reader.sources, drafts, reader.diagnostics))
}

/// A file that was read.
struct Fetched {
    file: SourceFile,
    /// What it is, or why it is no text.
    read: Result<Read, (String, Range)>,
}

struct Reader {
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
    /// What other tools wrote: index, path and documents.
    pending: Vec<(usize, PathBuf, Foreign)>,
    /// Texts that stand in place of files.
    drafts: BTreeMap<PathBuf, String>,
}

impl Reader {
    fn new(root: PathBuf) -> Self {
        let sources = Sources { root, ..Sources::default() };
        Self { sources, diagnostics: Vec::new(), pending: Vec::new(), drafts: BTreeMap::new() }
    }

    /// Turns the files of other tools into trees of ours, once all of them are known: they may refer to each other. `keep`
    /// is what becomes of the services.
    fn import<T: Send>(&mut self, keep: impl Fn(Vec<draft::Service>) -> T + Sync) -> Vec<(usize, T)> {
        let pending = std::mem::take(&mut self.pending);
        let neighbours = neighbours(&pending, &self.sources);
        let mut drafts = Vec::new();
        // Their own trees are given back as soon as they are read.
        let read = |(index, _, foreign): (usize, PathBuf, Foreign)| {
            let mut found = Vec::new();
            let services = foreign.services(&neighbours, &mut Findings::new(index, &self.sources, &mut found));
            // What has no SLO left is an error already.
            let carried = services.iter().filter(|it| it.slos.iter().any(|slo| slo.sli.exists()));
            let trees: Vec<Node> = carried.map(draft::Service::tree).collect();
            (index, keep(services), trees, found)
        };
        let read: Vec<_> = pending.into_par_iter().map(read).collect();
        for (index, kept, trees, found) in read {
            self.diagnostics.extend(found);
            for (number, tree) in trees.into_iter().enumerate() {
                let at = if number == 0 { index } else { self.twin(index) };
                self.sources.trees[at] = Some(tree);
            }
            drafts.push((index, kept));
        }
        let nothing = !drafts.is_empty()
            && self.sources.trees.iter().skip(usize::from(self.sources.has_config)).all(Option::is_none);
        if nothing && !crate::diagnostic::any_error(&self.diagnostics) {
            for (index, _) in &drafts {
                let help = "name the files that hold the SLOs too";
                let mut findings = Findings::new(*index, &self.sources, &mut self.diagnostics);
                findings.error(
                    Code::ForeignEmpty,
                    Range::default(),
                    "this file holds no SLO, it only belongs to others",
                    help,
                );
            }
        }
        drafts
    }

    /// Another index for the same file, without a second copy of its text.
    fn twin(&mut self, index: usize) -> usize {
        let twin = self.sources.files.len();
        let path = self.sources.files[index].path.clone();
        self.sources.files.push(SourceFile { path, text: String::new() });
        self.sources.trees.push(None);
        self.sources.foreign.insert(twin, index);
        if self.sources.selected.contains(&index) {
            self.sources.selected.push(twin);
        }
        twin
    }

    /// Reads and parses one file; its index.
    fn read(&mut self, path: &Path) -> Result<usize, LoadError> {
        let fetched = self.fetch(path)?;
        Ok(self.keep(path, fetched))
    }

    /// Reads and parses one file; several can be at it at once.
    fn fetch(&self, path: &Path) -> Result<Fetched, LoadError> {
        let shown = shown(path, &self.sources.root);
        let failed = |source| LoadError::Io { path: shown.clone(), source };
        // A file beyond the limit is not even read.
        let limit = yaml::MAX_BYTES as u64;
        let (size, bytes) = if let Some(text) = self.drafts.get(path) {
            (text.len() as u64, text.clone().into_bytes())
        } else if is_stdin(path) {
            let mut bytes = Vec::new();
            let size = std::io::stdin().take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
            (size as u64, bytes)
        } else {
            let size = fs::metadata(path).map_err(failed)?.len();
            (size, if size > limit { Vec::new() } else { fs::read(path).map_err(failed)? })
        };
        let (text, problem) = if size > limit {
            (String::new(), Some((format!("the file is larger than {} MiB", yaml::MAX_BYTES >> 20), Range::default())))
        } else {
            as_text(bytes)
        };
        let read = problem.map_or_else(|| Ok(formats::recognise(&text)), Err);
        Ok(Fetched { file: SourceFile { path: shown, text }, read })
    }

    /// Keeps a file and tells what is wrong with it; its index.
    fn keep(&mut self, path: &Path, Fetched { file, read }: Fetched) -> usize {
        let index = self.sources.files.len();
        let mut findings = Findings::new(index, &self.sources, &mut self.diagnostics);
        let mut tree = None;
        match read {
            Err((problem, range)) => {
                let help = "an SLO file is YAML in UTF-8 that begins with `apiVersion: kilter/v1`";
                findings.error(Code::Text, range, problem, help);
            }
            Ok(Read::Own(document)) => {
                tree = Some(document.root);
                for error in document.duplicates {
                    findings.error(Code::Yaml, error.range, error.message, error.help);
                }
            }
            Ok(Read::Foreign(foreign)) => {
                self.pending.push((index, path.to_path_buf(), foreign));
                self.sources.foreign.insert(index, index);
            }
            Ok(Read::Broken(error)) => findings.error(Code::Yaml, error.range, error.message, error.help),
        }
        self.sources.files.push(file);
        self.sources.trees.push(tree);
        index
    }
}

/// What files of other tools can refer to: documents of theirs without SLOs, and for OpenSLO those in the same folder.
fn neighbours(pending: &[(usize, PathBuf, Foreign)], sources: &Sources) -> Vec<Neighbour> {
    let mut all = Vec::new();
    let mut add = |path: &str, input: bool, foreign: &Foreign| {
        let support = foreign.roots().filter(|it| formats::is_support(it));
        all.extend(support.map(|it| Neighbour { path: path.to_owned(), input, root: it.clone() }));
    };
    pending.iter().for_each(|(index, _, foreign)| add(&sources.files[*index].path, true, foreign));
    let refers = |foreign: &Foreign| foreign.formats().iter().any(|it| it.refers);
    let folders: BTreeSet<&Path> =
        pending.iter().filter(|(.., foreign)| refers(foreign)).filter_map(|(_, path, _)| path.parent()).collect();
    for path in folders.into_iter().flat_map(entries) {
        let named = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
        let known = pending.iter().any(|(_, it, _)| *it == path);
        let small = fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() <= yaml::MAX_BYTES as u64);
        if named
            && !known
            && small
            && let Ok(text) = fs::read_to_string(&path)
            && text.contains("apiVersion")
            && let Read::Foreign(foreign) = formats::recognise(&text)
        {
            add(&shown(&path, &sources.root), false, &foreign);
        }
    }
    all
}

/// A file that is neither an SLO file nor of an estate, such as a scenario.
pub fn one(path: &Path) -> Result<SourceFile, LoadError> {
    let shown = shown(path, Path::new(""));
    let failed = |source| LoadError::Io { path: shown.clone(), source };
    let wrong = |why: String| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, why));
    if fs::metadata(path).map_err(failed)?.len() > yaml::MAX_BYTES as u64 {
        return Err(wrong(format!("the file is larger than {} MiB", yaml::MAX_BYTES >> 20)));
    }
    match as_text(fs::read(path).map_err(failed)?) {
        (text, None) => Ok(SourceFile { path: shown, text }),
        (_, Some((problem, _))) => Err(wrong(problem)),
    }
}

/// The text of a file, without a byte order mark, and what is wrong with it.
fn as_text(bytes: Vec<u8>) -> (String, Option<(String, Range)>) {
    let (text, problem) = match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => {
            (String::new(), Some(("this is a binary file".to_owned(), Range::default())))
        }
        Ok(text) => (text, None),
        Err(error) if error.as_bytes().contains(&0) => {
            (String::new(), Some(("this is a binary file".to_owned(), Range::default())))
        }
        Err(error) => {
            // Up to the first foreign byte the text stands as in the file, so its place is right.
            let start = error.utf8_error().valid_up_to();
            let message = format!("byte {:#04x} is not UTF-8", error.as_bytes()[start]);
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            (text, Some((message, Range { start, end: start + char::REPLACEMENT_CHARACTER.len_utf8() })))
        }
    };
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = text[mark..].to_owned();
    let problem = problem
        .map(|(said, at)| (said, Range { start: at.start.saturating_sub(mark), end: at.end.saturating_sub(mark) }));
    let nothing = text.lines().all(|it| it.trim().is_empty() || it.trim_start().starts_with('#'));
    let empty = nothing.then(|| ("the file is empty".to_owned(), Range::default()));
    (text, problem.or(empty))
}

fn strings(tree: Option<&Node>, key: &str) -> Vec<String> {
    let Some(Value::List(items)) = tree.and_then(|it| it.get(key)).map(|it| &it.value) else { return Vec::new() };
    let text = |node: &Node| match &node.value {
        Value::Scalar { text, .. } => Some(text.clone()),
        _ => None,
    };
    items.iter().filter_map(text).collect()
}

/// How the standard input is shown.
pub const STDIN: &str = "<stdin>";

/// Whether `-` stands for the standard input.
fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

pub(crate) fn shown(path: &Path, root: &Path) -> String {
    if is_stdin(path) {
        return STDIN.to_owned();
    }
    let relative = path.strip_prefix(root).unwrap_or(path);
    relative.components().map(|it| it.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/").replace("//", "/")
}
