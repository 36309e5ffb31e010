//! `cargo xtask pictures`: the dashboards as people see them, drawn by Grafana's own component packages and by
//! Perses in headless Chromium, over data that promtool fills into a Prometheus. The pages are in `xtask/pictures/`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{grafana, root, run as run_shown, tools};

/// What the page of Grafana is built of: versions that work together. `yaml` reads the generated rules.
const GRAFANA: &[&str] = &[
    "@grafana/ui@13.1.0",
    "@grafana/data@13.1.0",
    "@grafana/runtime@13.1.0",
    "@grafana/schema@13.1.0",
    "react@18",
    "react-dom@18",
    "react-router-dom@5.3",
    "vite@6",
    "@vitejs/plugin-react@4",
    "yaml@2",
];

/// The same for Perses.
const PERSES: &[&str] = &[
    "@perses-dev/components@0.52.0",
    "@perses-dev/core@0.52.0",
    "@perses-dev/dashboards@0.52.0",
    "@perses-dev/explore@0.52.0",
    "@perses-dev/plugin-system@0.52.0",
    "@perses-dev/prometheus-plugin@0.53.4",
    "@perses-dev/timeseries-chart-plugin@0.10.2",
    "@perses-dev/stat-chart-plugin@0.10.0",
    "@perses-dev/status-history-chart-plugin@0.9.1",
    "@perses-dev/table-plugin@0.8.1",
    "@emotion/react@11",
    "@emotion/styled@11",
    "@hookform/resolvers@3",
    "@mui/material@6",
    "@tanstack/react-query@4",
    "date-fns@4",
    "date-fns-tz@3",
    "echarts@5.5.0",
    "immer@10",
    "lodash@4",
    "react@18",
    "react-dom@18",
    "react-hook-form@7",
    "react-router-dom@6",
    "use-resize-observer@9",
    "vite@6",
    "@vitejs/plugin-react@4",
];

/// Builds the pages, fills the data, and takes every picture.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("tools: {}", tools::install()?);
    let (own, target) = (root().join("xtask/pictures"), root().join("target/pictures"));
    for (name, packages) in [("grafana", GRAFANA), ("perses", PERSES)] {
        let page = target.join(name);
        grafana::install(&page, packages)?;
        copy(&own.join(name), &page)?;
        let mut build = Command::new("npx");
        build.args(["vite", "build", "--logLevel", "warn"]).current_dir(&page);
        run_shown(build)?;
    }
    fs::create_dir_all(root().join("docs/pictures"))?;
    let mut take = Command::new("node");
    take.arg(own.join("run.mjs")).arg(root());
    run_shown(take)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)?.flatten() {
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
