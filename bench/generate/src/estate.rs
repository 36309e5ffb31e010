//! An estate in Sloth's format, which both programs read: a file for each service, ten SLOs in each.

use std::fs;
use std::path::Path;

/// SLOs of a service.
pub(crate) const SLOS: usize = 10;
const TEAMS: usize = 20;
const OBJECTIVES: [&str; 5] = ["99.9", "99.5", "99", "99.95", "99.99"];

/// Writes the files below `folder/specs`, and the `kilter.yaml` that finds them.
pub(crate) fn write(folder: &Path, services: usize) -> anyhow::Result<()> {
    let specs = folder.join("specs");
    fs::create_dir_all(&specs)?;
    for service in 0..services {
        fs::write(specs.join(format!("service-{service:04}.yaml")), spec(service))?;
    }
    let mut config = CONFIG.to_owned();
    for team in 0..TEAMS {
        config.push_str(&format!(
            "  team-{team}: {{page: pager-{team}, ticket: tickets-{team}, escalation: leads-{team}}}\n"
        ));
    }
    fs::write(folder.join("kilter.yaml"), config)?;
    Ok(())
}

/// The same estate with a query that no Prometheus can read: does anyone notice?
pub(crate) fn write_broken(folder: &Path) -> anyhow::Result<()> {
    write(folder, 1)?;
    let path = folder.join("specs/service-0000.yaml");
    let text = fs::read_to_string(&path)?;
    fs::write(path, text.replacen("}[{{.window}}]))", "}[[{{.window}}]))", 1))?;
    Ok(())
}

const CONFIG: &str = r#"version: 0.1
services: ["specs/*.yaml"]
selector: 'job="{{service}}"'
target: prometheus=2.42
links: {grafana: "https://grafana.example", runbooks: "https://runbooks.example", prometheus: "https://prometheus.example"}
teams:
"#;

/// Availability of ten operations, counted by one metric, as most Sloth files do it.
fn spec(service: usize) -> String {
    let mut text = format!(
        "version: prometheus/v1\nservice: service-{service:04}\nlabels:\n  owner: team-{}\n  tier: \"2\"\nslos:\n",
        service % TEAMS
    );
    for slo in 0..SLOS {
        let series = format!("http_requests_total{{job=\"service-{service:04}\",operation=\"op-{slo}\"");
        text.push_str(&format!(
            "  - name: requests-{slo}\n    objective: {objective}\n    description: Requests of operation {slo} are \
             answered without a server error.\n    sli:\n      events:\n        error_query: \
             sum(rate({series},code=~\"(5..|429)\"}}[{{{{.window}}}}]))\n        total_query: \
             sum(rate({series}}}[{{{{.window}}}}]))\n",
            objective = OBJECTIVES[slo % OBJECTIVES.len()],
        ));
    }
    text
}
