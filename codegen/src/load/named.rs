//! Files that other files name: mitigations, contracts of services, the Alertmanager base, templates, patches.

use std::fs;
use std::path::{Path, PathBuf};

use super::find::entries;
use super::{Mitigations, Reader, SourceFile, shown};
use crate::diagnostic::{Code, Findings};
use crate::yaml::{self, Node, Range, Value};

const BESIDE_CONFIG: &str = "the path is relative to kilter.yaml";

impl Reader {
    /// The mitigations files that an SLO file names, relative to that file: for the service, and for SLOs of it.
    pub(super) fn read_mitigations(&mut self, index: usize, folder: &Path) {
        let Some(tree) = &self.sources.trees[index] else { return };
        let named = |it: &Node| it.get("runbook")?.get("mitigations").cloned();
        let slos = match tree.get("slos").map(|it| &it.value) {
            Some(Value::List(items)) => items.as_slice(),
            _ => &[],
        };
        let of_slos = slos.iter().enumerate().map(|(slo, node)| (Some(slo), named(node)));
        let all: Vec<(Option<usize>, Option<Node>)> = std::iter::once((None, named(tree))).chain(of_slos).collect();
        for (slo, node) in all {
            let Some(Node { value: Value::Scalar { text: name, .. }, range }) = node else { continue };
            let help = "the path is relative to this SLO file";
            if let Some(text) = self.read_plain(&folder.join(&name), (index, range), help) {
                self.sources.mitigations.push(Mitigations { file: index, slo, text });
            }
        }
    }

    /// The contract of the service that an SLO file names, relative to that file.
    pub(super) fn read_contract(&mut self, index: usize, folder: &Path) {
        let Some(node) = self.sources.trees[index].as_ref().and_then(|it| it.get("contract")) else { return };
        let Value::Scalar { text: name, string: true } = &node.value else { return };
        let (path, range) = (folder.join(name), node.range);
        let help = "the path is relative to this SLO file; the service's own test writes it: docs/services.md";
        if let Some(file) = self.read_plain(&path, (index, range), help) {
            self.sources.contracts.insert(index, file);
        }
    }

    pub(super) fn read_base(&mut self) {
        let Some(node) = self.sources.trees.first().and_then(|it| it.as_ref()?.get("alertmanager")?.get("base")) else {
            return;
        };
        if !self.sources.has_config {
            return;
        }
        let Value::Scalar { text: name, .. } = &node.value else { return };
        let (path, range) = (self.sources.root.join(name), node.range);
        match self.read(&path) {
            Ok(index) => self.sources.alertmanager_base = Some(index),
            Err(error) => {
                let message = format!("the Alertmanager base file cannot be read: {error}");
                Findings::new(0, &self.sources, &mut self.diagnostics).error(
                    Code::BadValue,
                    range,
                    message,
                    "the path is relative to kilter.yaml",
                );
            }
        }
    }
}

impl Reader {
    /// A key of `kilter.yaml`.
    fn config(&self, key: &str) -> Option<&Node> {
        self.sources.trees.first().filter(|_| self.sources.has_config)?.as_ref()?.get(key)
    }

    fn refused(&mut self, (file, range): (usize, Range), message: String, help: &str) {
        Findings::new(file, &self.sources, &mut self.diagnostics).error(Code::BadValue, range, message, help);
    }

    /// Every `*.hbs` below the folder of `templates`.
    pub(super) fn read_templates(&mut self) {
        let Some(Node { value: Value::Scalar { text: name, .. }, range }) = self.config("templates").cloned() else {
            return;
        };
        let folder = self.sources.root.join(&name);
        let mut found = Vec::new();
        below(&folder, "", &mut found);
        if found.is_empty() {
            let message = format!("the folder `{name}` holds no template *.hbs");
            return self.refused((0, range), message, BESIDE_CONFIG);
        }
        for (path, name) in found {
            if let Some(file) = self.read_plain(&path, (0, range), BESIDE_CONFIG) {
                self.sources.templates.push((file, name));
            }
        }
    }

    pub(super) fn read_patches(&mut self) {
        let Some(Value::List(entries)) = self.config("patches").map(|it| it.value.clone()) else { return };
        for (entry, node) in entries.iter().enumerate() {
            let Some(Node { value: Value::Scalar { text: name, .. }, range }) = node.get("patch") else { continue };
            if let Some(file) = self.read_plain(&self.sources.root.join(name), (0, *range), BESIDE_CONFIG) {
                self.sources.patches.push((entry, file));
            }
        }
    }

    /// A text that was read already; its index.
    pub(super) fn add(&mut self, path: &Path, text: String) -> usize {
        let path = shown(path, &self.sources.root);
        self.sources.files.push(SourceFile { path, text });
        self.sources.trees.push(None);
        self.sources.files.len() - 1
    }

    /// A text that is no YAML, named by another file; its index.
    fn read_plain(&mut self, path: &Path, named_at: (usize, Range), help: &str) -> Option<usize> {
        let bytes = match fs::metadata(path).and_then(|it| {
            if it.len() > yaml::MAX_BYTES as u64 { Err(std::io::Error::other("too large")) } else { fs::read(path) }
        }) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("{} cannot be read: {error}", shown(path, &self.sources.root));
                self.refused(named_at, message, help);
                return None;
            }
        };
        let Ok(text) = String::from_utf8(bytes) else {
            let message = format!("{} is no text in UTF-8", shown(path, &self.sources.root));
            self.refused(named_at, message, "save it as UTF-8");
            return None;
        };
        let path = shown(path, &self.sources.root);
        self.sources.files.push(SourceFile { path, text });
        Some(self.sources.files.len() - 1)
    }
}

/// Templates below a folder, by name.
fn below(folder: &Path, prefix: &str, found: &mut Vec<(PathBuf, String)>) {
    for path in entries(folder) {
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() && prefix.matches('/').count() < 3 && !name.starts_with('.') {
            below(&path, &format!("{prefix}{name}/"), found);
        } else if let Some(stem) = name.strip_suffix(".hbs") {
            found.push((path, format!("{prefix}{stem}")));
        }
    }
}
