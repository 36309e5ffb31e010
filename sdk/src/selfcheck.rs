//! What a service would only notice by what is missing: two versions of a crate whose types or globals must be shared, and
//! OpenTelemetry without a propagator.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Crates that hand something over by a type or a global of theirs: with two versions, one half speaks to nobody.
const SHARED: &[&str] = &[
    "axum",
    "axum-core",
    "kilter-sdk",
    "metrics",
    "opentelemetry",
    "opentelemetry_sdk",
    "tracing",
    "tracing-core",
    "tracing-opentelemetry",
    "tracing-subscriber",
];

/// Whether nobody has told OpenTelemetry how contexts travel.
pub(crate) fn propagator_missing() -> bool {
    opentelemetry::global::get_text_map_propagator(|it| it.fields().next().is_none())
}

/// The lock file of what `cargo run` or `cargo test` has started; `None` for what runs in production.
///
/// A binary does not know which crates it holds, and a macro cannot read a file that may be in any folder above.
pub(crate) fn lock_of_cargo() -> Option<String> {
    nearest_lock(Path::new(&std::env::var_os("CARGO_MANIFEST_DIR")?))
}

/// The lock file of this folder, or of the nearest one above: a workspace has one for all its packages.
pub(crate) fn nearest_lock(folder: &Path) -> Option<String> {
    folder.ancestors().find_map(|it| std::fs::read_to_string(it.join("Cargo.lock")).ok())
}

/// Each shared crate of which the lock file has several versions, with what to do.
pub(crate) fn duplicates(lock: &str) -> Vec<String> {
    let value =
        |line: &str, key: &str| Some(line.strip_prefix(key)?.strip_prefix(" = \"")?.trim_end_matches('"').to_owned());
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut name = None;
    for line in lock.lines() {
        if let Some(found) = value(line, "name") {
            name = Some(found);
        } else if let (Some(version), Some(name)) = (value(line, "version"), name.take()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    versions.retain(|name, versions| SHARED.contains(&name.as_str()) && versions.len() > 1);
    let told = |(name, versions): (&String, &BTreeSet<String>)| {
        let all: Vec<&str> = versions.iter().map(String::as_str).collect();
        let (all, first) = (all.join(" and "), all[0]);
        format!(
            "Cargo.lock has {name} {all}: what one of them records, the other does not see\n  next: use kilter's \
             re-exports, and see who brings them: cargo tree --invert {name}@{first}"
        )
    };
    versions.iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_versions_of_a_shared_crate_are_told_and_others_are_not() {
        let package =
            |name: &str, version: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\n");
        let lock = [
            "version = 4\n\n".to_owned(),
            package("opentelemetry", "0.32.0"),
            package("opentelemetry", "0.33.1"),
            package("metrics", "0.24.6"),
            package("syn", "1.0.0"),
            package("syn", "2.0.0"),
        ];
        let told = duplicates(&lock.concat());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("Cargo.lock has opentelemetry 0.32.0 and 0.33.1:"), "{told:?}");
        assert!(told[0].ends_with("cargo tree --invert opentelemetry@0.32.0"), "{told:?}");
    }

    #[test]
    fn a_package_of_a_workspace_finds_the_lock_file_above() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("services/shop");
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(folder.path().join("Cargo.lock"), "version = 4\n").unwrap();
        assert_eq!(nearest_lock(&package).as_deref(), Some("version = 4\n"));
    }

    /// This workspace itself.
    #[test]
    fn our_own_lock_file_has_one_version_of_each() {
        let lock = nearest_lock(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the workspace's lock file");
        assert!(lock.contains("name = \"opentelemetry\"") && duplicates(&lock).is_empty(), "{:?}", duplicates(&lock));
    }
}
