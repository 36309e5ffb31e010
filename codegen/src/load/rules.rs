//! Prometheus rule files among the paths that somebody names: told by their content, whatever they are called.

use std::path::{Path, PathBuf};

use super::find::{entries, slo_files_below};
use super::{LoadOptions, Reader, config_and_root};
use crate::load::Sources;
use crate::rulefile::{RuleFile, recognise};
use crate::yaml::{self, Node, Value};

/// The rule files, and the paths that are something else.
#[derive(Debug, Default)]
pub struct RuleFiles {
    /// Their texts.
    pub sources: Sources,
    /// Their documents.
    pub files: Vec<RuleFile>,
    /// Paths that hold SLO files, or nothing.
    pub others: Vec<PathBuf>,
    /// `scrape_interval` of the estate, as written.
    pub scrape_interval: Option<String>,
}

/// Reads the rule files among the paths of `options`, and below its folders.
pub fn rule_files(options: &LoadOptions) -> RuleFiles {
    let (config, root) = config_and_root(options, &[]);
    let mut reader = Reader::new(root);
    let mut found = RuleFiles::default();
    for path in &options.paths {
        let full = options.current.join(path);
        let (mut paths, mut slos) = (Vec::new(), Vec::new());
        if full.is_dir() {
            below(&full, &mut paths);
            slo_files_below(&full, &mut slos);
        } else {
            paths.push(full.clone());
        }
        let before = found.files.len();
        for it in paths {
            found.files.extend(read(&mut reader, &it, it == full));
        }
        if found.files.len() == before || !slos.is_empty() {
            found.others.push(path.clone());
        }
    }
    let config = config.and_then(|it| std::fs::read_to_string(it).ok()).and_then(|it| yaml::parse(&it).ok());
    found.scrape_interval = config.and_then(|it| match it.root.get("scrape_interval") {
        Some(Node { value: Value::Scalar { text, .. }, .. }) => Some(text.clone()),
        _ => None,
    });
    found.sources = reader.sources;
    found
}

/// The file, when it holds rules. `named` is whether it was named itself.
fn read(reader: &mut Reader, path: &Path, named: bool) -> Option<RuleFile> {
    // What cannot be read is told by whoever reads SLO files.
    let small = std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() <= yaml::MAX_BYTES as u64);
    let text = if small { std::fs::read_to_string(path).unwrap_or_default() } else { String::new() };
    let documents = recognise(text.trim_start_matches('\u{feff}'), named)?;
    let file = reader.add(path, text.trim_start_matches('\u{feff}').to_owned());
    Some(RuleFile { file, documents })
}

/// YAML files below a folder, hidden folders left out.
fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            below(&path, found);
        } else if path.extension().is_some_and(|it| ["yaml", "yml", "rules"].iter().any(|end| it == *end)) {
            found.push(path);
        }
    }
}
