//! Which files there are: below folders, and by globs.

use std::fs;
use std::path::{Path, PathBuf};

/// Files named `slo.yaml` or `*.slo.yaml` below a folder, hidden folders left out.
pub(super) fn slo_files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            slo_files_below(&path, found);
        } else if ["slo.yaml", "slo.yml"].iter().any(|end| name == *end || name.ends_with(&format!(".{end}"))) {
            found.push(path);
        }
    }
}

pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path()).collect();
    all.sort();
    all
}

/// Files below `root` that match a glob: `*` within a segment, `**` for any number of folders.
pub(super) fn matching(root: &Path, glob: &str, found: &mut Vec<PathBuf>) {
    fn walk(folder: &Path, segments: &[&str], found: &mut Vec<PathBuf>) {
        let Some((first, rest)) = segments.split_first() else { return };
        if *first == "**" {
            walk(folder, rest, found);
        }
        for path in entries(folder) {
            let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
            if *first == "**" && path.is_dir() && !name.starts_with('.') {
                walk(&path, segments, found);
            } else if segment(first, &name) {
                if rest.is_empty() && path.is_file() {
                    found.push(path);
                } else if path.is_dir() {
                    walk(&path, rest, found);
                }
            }
        }
    }
    let segments: Vec<&str> = glob.split('/').filter(|it| !it.is_empty() && *it != ".").collect();
    walk(root, &segments, found);
}

/// Whether a name matches a pattern with `*`.
fn segment(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| segment(rest, &name[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_segments() {
        for (pattern, name, is) in
            [("*", "a", true), ("*.yaml", "slo.yaml", true), ("slo*", "slo", true), ("a*c", "abd", false)]
        {
            assert_eq!(segment(pattern, name), is, "{pattern} {name}");
        }
    }
}
