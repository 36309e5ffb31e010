//! What the tests share: estates made of values, and the real promtool.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use kilter_codegen::model::{
    Alertmanager, Board, Datasources, Duration, Estate, EstatePolicy, EventSide, Extra, Family, Links, NoData,
    Objective, Policy, Red, Service, Settings, Sli, Slo, Target, TimeScale,
};
use kilter_codegen::plan::{self, Plan};
use kilter_codegen::render::engine::Templates;
use kilter_codegen::render::{self, Artifact};

/// An estate of one service `shop` of the team `store`, found by `job="shop"`.
pub(crate) fn estate(slos: Vec<Slo>) -> Estate {
    Estate {
        source: "kilter.yaml".to_owned(),
        selector: "job=\"{{service}}\"".to_owned(),
        identity: BTreeMap::new(),
        links: Links { grafana: Some("https://grafana.example".into()), ..Links::default() },
        teams: BTreeMap::new(),
        leadership: None,
        alertmanager: Alertmanager::default(),
        services: vec![Service {
            name: "shop".parse().expect("a name"),
            team: "store".parse().expect("a name"),
            source: "shop/slo.yaml".to_owned(),
            mitigations: None,
            depends_on: Vec::new(),
            slos,
            extra: Extra::default(),
            resources: Vec::new(),
            bounds: BTreeMap::new(),
            signals: std::collections::BTreeSet::new(),
        }],
        time_scale: TimeScale::REAL,
        policy: EstatePolicy::default(),
        compat: std::collections::BTreeSet::new(),
        boards: std::collections::BTreeSet::from([Board::Grafana, Board::Perses]),
        datasources: Datasources::default(),
        target: Target::default(),
        settings: Settings::default(),
    }
}

pub(crate) fn slo(name: &str, objective: &str, sli: Sli) -> Slo {
    Slo {
        impact: None,
        mitigations: None,
        name: name.parse().expect("a name"),
        description: format!("{name} works."),
        objective: Objective::new(objective.parse().expect("a decimal")).expect("an objective"),
        window: Duration::from_mins(30 * 24 * 60),
        sli,
        by: Vec::new(),
        min_errors: 5,
        no_data: NoData::Page,
        policy: Policy::default(),
    }
}

pub(crate) fn availability(route: &str) -> Sli {
    served(&[route], &[], None)
}

pub(crate) fn latency(route: &str, nanos: u64) -> Sli {
    served(&[route], &[], Some(nanos))
}

/// Requests that the service serves.
pub(crate) fn served(routes: &[&str], methods: &[&str], slower_than_nanos: Option<u64>) -> Sli {
    let only = [("http_route", routes), ("http_request_method", methods)];
    Sli::Red(Red { slower_than_nanos, ..red(Family::HttpServer, &only) })
}

/// Interactions of a family with these values of their labels.
pub(crate) fn red(family: Family, only: &[(&'static str, &[&str])]) -> Red {
    let owned = |values: &[&str]| values.iter().map(|it| (*it).to_owned()).collect();
    let only = only.iter().filter(|(_, values)| !values.is_empty()).map(|(key, values)| (*key, owned(values)));
    Red { only: only.collect(), ..Red::of(family) }
}

pub(crate) fn events(errors: &str, total: &str) -> Sli {
    Sli::Events { side: EventSide::Errors(errors.to_owned()), total: total.to_owned() }
}

pub(crate) fn planned(estate: &Estate) -> Plan {
    plan::plan(estate, &Templates::new()).expect("our templates render")
}

pub(crate) fn artifacts(estate: &Estate) -> Vec<Artifact> {
    render::render(estate, &planned(estate)).expect("our plan renders")
}

/// Runs a tool in a folder; both outputs and whether it succeeded. A missing tool fails the test.
pub(crate) fn tool(name: &str, args: &[&str], folder: &Path) -> (bool, String) {
    let out = Command::new(name)
        .args(args)
        .current_dir(folder)
        // As `kilter test` runs them.
        .envs([("GOGC", "400"), ("GOMAXPROCS", "1")])
        .output()
        .unwrap_or_else(|error| panic!("{name} does not start ({error}); install it with: cargo xtask tools"));
    (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr))
}

/// Runs all proofs of a service in a folder of rules: one file for each pace of evaluations.
pub(crate) fn prove(rules: &Path, service: &str) -> (bool, String) {
    let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut files: Vec<String> =
        std::fs::read_dir(rules).expect("rules").map(|entry| name(entry.expect("an entry"))).collect();
    files.retain(|it| it.starts_with(&format!("{service}.")) && it.ends_with(".rules.test.yaml"));
    assert!(!files.is_empty(), "no proofs of {service}");
    let args: Vec<&str> = ["test", "rules"].into_iter().chain(files.iter().map(String::as_str)).collect();
    tool("promtool", &args, rules)
}

/// Writes every artifact below a fresh folder.
pub(crate) fn written(artifacts: &[Artifact]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for artifact in artifacts {
        let path = folder.path().join(&artifact.path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, &artifact.text).expect("a file");
    }
    folder
}
