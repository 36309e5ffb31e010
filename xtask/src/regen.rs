//! `cargo xtask regen`: every generated file that is committed, from its one source.

use std::fs;

use anyhow::Context;

use crate::{cargo, root, run as run_shown};

/// What the command prints, and the file that holds it.
const PAGES: &[(&[&str], &str)] = &[
    (&["contract", "--format", "markdown"], "docs/reference/contract.md"),
    (&["contract", "--format", "json"], "docs/reference/contract.json"),
    (&["explain", "--all"], "docs/reference/diagnostics.md"),
    (&["schema", "slo"], "codegen/schema/slo.v1.json"),
    (&["schema", "estate"], "codegen/schema/estate.v1.json"),
];

/// The services of the fleet, which have a contract and SLOs.
const SERVICES: &[&str] = &["git-https", "identity", "pipelines", "repositories"];

/// Rewrites them all.
pub(crate) fn run() -> anyhow::Result<()> {
    // What a service says of itself, before its SLOs are checked against that.
    let mut contract = cargo(&["test", "--quiet", "--locked"]);
    contract.args(SERVICES.iter().flat_map(|it| ["-p", it])).arg("the_contract_is_fresh");
    contract.env("KILTER_CONTRACT", "write");
    run_shown(contract)?;
    run_shown(cargo(&["run", "--quiet", "--locked", "-p", "kilter", "--", "generate"]))?;
    for (args, path) in PAGES {
        let mut full = vec!["run", "--quiet", "--locked", "-p", "kilter", "--"];
        full.extend(*args);
        let out = cargo(&full).output().with_context(|| format!("could not run kilter {}", args.join(" ")))?;
        anyhow::ensure!(out.status.success(), "kilter {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr));
        fs::write(root().join(path), out.stdout).with_context(|| format!("could not write {path}"))?;
        println!("wrote {path}");
    }
    // The SDK has no command of its own: the test that compares its page of settings writes it when asked to.
    let mut settings = cargo(&["test", "--quiet", "--locked", "-p", "kilter-sdk", "--lib", "env::"]);
    settings.env("KILTER_REGEN", "1");
    run_shown(settings)
}
