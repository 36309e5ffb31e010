//! How many threads there are changes nothing that anyone can see, nor does what else is asked for.

use std::fs;
use std::path::Path;

use kilter_codegen::load::LoadOptions;
use kilter_codegen::pipeline::{self, Made, Options};
use kilter_codegen::render::{Artifact, Kind};

const SERVICES: usize = 40;

/// Services in the format of Sloth and in ours, with warnings in each; some of the files share a service.
fn estate(folder: &Path, broken: bool) {
    fs::write(folder.join("kilter.yaml"), "version: 0.1\nservices: [\"*.slo.yaml\"]\n").expect("a file");
    for number in 0..SERVICES {
        let query = |code: &str| format!("sum(rate(requests_total{{shard=\"{number}\"{code}}}[{{{{.window}}}}]))");
        // Every third file has a mistake of its own.
        let bracket = if broken && number % 3 == 0 { "(" } else { "" };
        let sloth = format!(
            "version: prometheus/v1\nservice: shop-{}\nslos:\n  - name: buys-{number}\n    objective: 99.9\n    sli:\n      \
             events:\n        error_query: {bracket}{}\n        total_query: {}\n",
            number / 2,
            query(",code=~\"5..\""),
            query("")
        );
        let ours = format!(
            "apiVersion: kilter/v1\nservice: desk-{number}\nteam: desk\nslos:\n  - name: asks\n    description: Asks.\n    \
             objective: 99%\n    sli:\n      events: {{errors: 'rate(fails_total{{shard=\"{number}\"}}[$window]{bracket})', total: \
             'rate(asks_total[$window])'}}\n"
        );
        fs::write(folder.join(format!("shop-{number:02}.slo.yaml")), sloth).expect("a file");
        fs::write(folder.join(format!("desk-{number:02}.slo.yaml")), ours).expect("a file");
    }
}

fn run(folder: &Path, threads: usize, only: &[Kind]) -> Made {
    let options = LoadOptions { paths: Vec::new(), config: None, current: folder.to_path_buf() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| pipeline::run_with(&options, &Options { only, ..Options::default() })).expect("the generator runs")
}

fn artifacts(made: Made) -> Vec<Artifact> {
    made.output.expect("nothing is an error").2
}

#[test]
fn one_thread_and_several_say_and_write_the_same() {
    for broken in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        estate(folder.path(), broken);
        let (one, several) = (run(folder.path(), 1, &[]), run(folder.path(), 4, &[]));
        assert!(one.diagnostics.len() > SERVICES, "{} findings", one.diagnostics.len());
        assert_eq!(one.diagnostics, several.diagnostics);
        assert_eq!(one.output.is_none(), broken);
        if !broken {
            assert_eq!(artifacts(one), artifacts(several));
        }
    }
}

#[test]
fn what_is_asked_for_is_as_it_is_among_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    estate(folder.path(), false);
    let all = artifacts(run(folder.path(), 2, &[]));
    for kind in [Kind::Rules, Kind::Tests, Kind::Alertmanager, Kind::Runbooks, Kind::Dashboards] {
        let wanted: Vec<&Artifact> = all.iter().filter(|it| it.kind == kind).collect();
        let only = artifacts(run(folder.path(), 2, &[kind]));
        assert!(!only.is_empty() && only.iter().eq(wanted), "{kind:?}");
    }
}
