//! What generated rules read of a page: an SLO file goes through the real command, and the selectors of what it records
//! are put to the page of the SDK.

use std::collections::BTreeMap;
use std::process::Command;

use kilter_contract::{find_series, slo};
use kilter_harness::binary;
use serde_json::Value;

use crate::conformance::sample;
use crate::queries::selectors;

/// The recorded error and total expressions of each SLO.
pub(crate) struct RulesRead(BTreeMap<(String, String), String>);

impl RulesRead {
    /// The rules of SLOs, each given as its name and its `sli`.
    pub(crate) fn of(slis: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut text = "apiVersion: kilter/v1\nservice: conformance\nteam: platform\nslos:\n".to_owned();
        for (name, sli) in slis {
            text += &format!("  - {{name: {name}, description: It works., objective: 99%, window: 30d, sli: {sli}}}\n");
        }
        std::fs::write(folder.path().join("slo.yaml"), text).expect("an SLO file");
        let kilter = binary("kilter").expect("the command is built");
        let args = ["generate", "--only", "rules", "slo.yaml"];
        let out = Command::new(kilter).args(args).current_dir(folder.path()).output().expect("kilter starts");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let rules = std::fs::read_to_string(folder.path().join("rules/conformance.rules.yaml")).expect("the rules");
        let rules: Value = serde_saphyr::from_str(&rules).expect("YAML");
        let groups = rules["groups"].as_array().expect("groups").iter();
        let all = groups.flat_map(|it| it["rules"].as_array().expect("rules")).filter_map(|it| {
            let record = it["record"].as_str()?.to_owned();
            Some(((record, it["labels"]["slo"].as_str()?.to_owned()), it["expr"].as_str()?.to_owned()))
        });
        Self(all.collect())
    }

    /// Errors and total events of an SLO, as its rules select them from what the page has counted.
    pub(crate) fn counts(&self, name: &str, page: &str) -> (f64, f64) {
        let count = |record: &str| {
            let expr = self.0.get(&(record.to_owned(), name.to_owned())).expect("a recorded expression");
            selected(&promql_parser::parser::parse(expr).expect("PromQL"), page)
        };
        (count(slo::ERROR_RATE), count(slo::TOTAL_RATE))
    }
}

/// The sum of all samples that selectors of contract series select.
fn selected(expr: &promql_parser::parser::Expr, page: &str) -> f64 {
    let mut found = Vec::new();
    selectors(expr, &[], &mut found);
    let samples: Vec<_> = page.lines().filter(|it| !it.starts_with('#')).filter_map(sample).collect();
    let of_contract = found.into_iter().filter(|(it, _)| it.name.as_deref().and_then(find_series).is_some());
    let matching = of_contract.flat_map(|(selector, _)| {
        let own = selector.matchers.matchers.iter().filter(|it| it.name != "job");
        let own: Vec<_> = own.collect();
        let fits = samples.iter().filter(move |(name, labels, _)| {
            let value = |key: &str| labels.get(key).map_or("", String::as_str);
            selector.name.as_deref() == Some(name) && own.iter().all(|it| it.is_match(value(&it.name)))
        });
        fits.map(|(.., value)| *value).collect::<Vec<_>>()
    });
    matching.sum()
}
