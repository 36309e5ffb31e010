//! From the two names in a URL to a folder, and never out of the folder of repositories.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The folder that holds `<workspace>/<repository>`.
#[derive(Debug)]
pub(crate) struct Repositories {
    root: PathBuf,
}

impl Repositories {
    /// The folder must exist.
    pub(crate) fn new(root: &Path) -> anyhow::Result<Self> {
        let root = root.canonicalize().with_context(|| format!("no folder {}", root.display()))?;
        Ok(Self { root })
    }

    /// The repository's folder; `None` when there is none, whatever the names try. A name may leave `.git` out.
    pub(crate) fn find(&self, workspace: &str, repo: &str) -> Option<PathBuf> {
        if !plain(workspace) || !plain(repo) {
            return None;
        }
        let workspace = self.root.join(workspace);
        let names = [repo.to_owned(), format!("{repo}.git")];
        names.iter().find_map(|name| {
            // Canonical, because a link may lead anywhere.
            let folder = workspace.join(name).canonicalize().ok()?;
            let inside = folder.starts_with(&self.root);
            (inside && (folder.join("HEAD").is_file() || folder.join(".git").exists())).then_some(folder)
        })
    }
}

/// A name that is only a name: no separator, no parent folder, nothing hidden, no option of a program.
fn plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars().all(allowed) && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::Repositories;

    #[test]
    fn finds_repositories_and_nothing_outside() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repositories");
        for repository in ["repositories/acme/site.git", "secret/site.git"] {
            fs::create_dir_all(folder.path().join(repository)).unwrap();
            fs::write(folder.path().join(repository).join("HEAD"), "").unwrap();
        }
        fs::create_dir_all(root.join("acme/empty")).unwrap();
        symlink(folder.path().join("secret"), root.join("linked")).unwrap();
        let repositories = Repositories::new(&root).unwrap();
        for (workspace, repo, found) in [
            ("acme", "site.git", true),
            ("acme", "site", true),
            ("acme", "empty", false),
            ("acme", "none", false),
            ("acme", "", false),
            ("acme", ".", false),
            ("..", "secret", false),
            ("acme", "../../secret/site.git", false),
            ("../secret", "site.git", false),
            ("linked", "site.git", false),
            ("acme", "--help", false),
            ("acme", "site\0", false),
        ] {
            assert_eq!(repositories.find(workspace, repo).is_some(), found, "{workspace}/{repo}");
        }
    }
}
