//! The real programs, found on the PATH.

use std::path::PathBuf;

use anyhow::Context;

/// Where the program is; an error names the command that installs it. Debian's `prometheus-alertmanager` is accepted
/// for `alertmanager`, the name it has elsewhere.
pub fn require(name: &str) -> anyhow::Result<PathBuf> {
    let names: &[&str] = match name {
        "alertmanager" | "prometheus-alertmanager" => &["prometheus-alertmanager", "alertmanager"],
        _ => &[name],
    };
    find(names).with_context(|| format!("{name} is not installed; run: cargo xtask tools"))
}

/// Whether [`require`] would find it.
pub fn present(name: &str) -> bool {
    require(name).is_ok()
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Debian keeps some programs where only root looks, and each version of PostgreSQL in a folder of its own, whose
    // programs must not be mixed with those of another.
    let folders: Vec<PathBuf> =
        postgres().into_iter().chain(std::env::split_paths(&path)).chain([PathBuf::from("/usr/sbin")]).collect();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|it| it.is_file()))
}

/// The folder of the newest PostgreSQL's programs.
fn postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let newest = versions.filter_map(|it| it.file_name().to_str()?.parse::<u32>().ok()).max()?;
    Some(PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_missing_tool_names_the_command_that_installs_it() {
        let error = super::require("no-such-tool").unwrap_err().to_string();
        assert_eq!(error, "no-such-tool is not installed; run: cargo xtask tools");
        assert!(super::present("sh"));
    }
}
