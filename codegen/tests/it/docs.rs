//! What the documentation shows is what the generator takes: every YAML block of a page runs through it.
//!
//! A block says its file after the language: ```` ```yaml kilter.yaml ````, ```` ```json patches/quiet.json ````. Files stay
//! for the later blocks of their page, so an estate can name a template that stands before it.

use std::fs;
use std::path::{Path, PathBuf};

use kilter_codegen::diagnostic::{any_error, report};
use kilter_codegen::load::LoadOptions;
use kilter_codegen::model::TimeScale;
use kilter_codegen::pipeline;
use kilter_codegen::yaml::{Node, Value};

/// For pages that show an estate without its services.
const SERVICE: &str = "apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n  - name: checkout\n    description: Orders can be paid.\n    objective: 99.9%\n    sli: {http_server: {routes: [\"/checkout\"]}}\n";

/// A fenced block: language, file, text, and the line on which it begins.
struct Block {
    language: String,
    file: String,
    text: String,
    line: usize,
}

fn blocks(page: &str) -> Vec<Block> {
    let (mut all, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (line, text) in page.lines().enumerate() {
        match (text.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => all.push(block),
            (Some(info), None) => {
                let (language, file) = info.split_once(' ').unwrap_or((info, ""));
                let (language, file) = (language.to_owned(), file.trim().to_owned());
                open = Some(Block { language, file, text: String::new(), line: line + 1 });
            }
            (None, Some(mut block)) => {
                block.text.push_str(text);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    all
}

/// Pages by hand: what is generated is checked where it is made.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the documentation").flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("reference") {
            pages(&path, found);
        } else if path.extension().is_some_and(|it| it == "md") {
            found.push(path);
        }
    }
}

/// The file of a block that does not name it; `None` when it is no file of Kilter's.
fn named(block: &Block) -> Option<String> {
    let begins = |key: &str| block.text.lines().any(|it| it.starts_with(key));
    match block.file.as_str() {
        "" if begins("apiVersion: kilter/v1") => Some("slo.yaml".to_owned()),
        "" if begins("services:") => Some("kilter.yaml".to_owned()),
        "" => None,
        file => Some(file.to_owned()),
    }
}

/// What an estate names and its page does not show: the page's last service, and an Alertmanager file.
fn what_it_names(folder: &Path, estate: &str) {
    let tree = kilter_codegen::yaml::parse(estate).expect("YAML").root;
    let service = fs::read_to_string(folder.join("slo.yaml")).unwrap_or_else(|_| SERVICE.to_owned());
    // The service is one of the teams that this estate has.
    let service = match tree.get("teams").map(|it| &it.value) {
        Some(Value::Map(teams)) => {
            let line = |it: &str| {
                if it.starts_with("team:") { format!("team: {}\n", teams[0].0.text) } else { format!("{it}\n") }
            };
            service.lines().map(line).collect()
        }
        _ => service,
    };
    let text = |node: &Node| match &node.value {
        Value::Scalar { text, .. } => text.clone(),
        _ => String::new(),
    };
    let Some(Value::List(globs)) = tree.get("services").map(|it| &it.value) else { panic!("services are a list") };
    for glob in globs {
        let path = folder.join(text(glob).replace("**", "shop").replace('*', "shop"));
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, &service).expect("a file");
    }
    if let Some(base) = tree.get("alertmanager").and_then(|it| it.get("base")) {
        fs::write(folder.join(text(base)), "receivers: []\n").expect("a file");
    }
}

fn generates(folder: &Path, place: &str) {
    let paths = if folder.join("kilter.yaml").exists() { vec![] } else { vec![PathBuf::from("slo.yaml")] };
    let options = LoadOptions { paths, config: None, current: folder.to_path_buf() };
    let made = pipeline::run(&options, TimeScale::REAL).expect("the generator runs");
    let said = report::human(&made.diagnostics, &made.sources, false);
    assert!(!any_error(&made.diagnostics) && made.output.is_some(), "{place}: {said}");
}

#[test]
fn every_yaml_block_of_the_documentation_is_accepted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut all = Vec::new();
    pages(&root.join("docs"), &mut all);
    all.push(root.join("README.md"));
    all.sort();
    let mut run = 0;
    for page in all {
        let text = fs::read_to_string(&page).expect("a page");
        let folder = tempfile::tempdir().expect("a folder");
        for block in blocks(&text) {
            let place = format!("{}:{}", page.display(), block.line);
            let Some(file) = named(&block) else {
                let parsed = kilter_codegen::yaml::parse(&block.text);
                assert!(block.language != "yaml" || parsed.is_ok(), "{place}: {parsed:?}");
                continue;
            };
            let path = folder.path().join(&file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(&path, &block.text).expect("a file");
            if block.language != "yaml" {
                continue;
            }
            if file == "kilter.yaml" {
                what_it_names(folder.path(), &block.text);
            }
            // An SLO file stands for itself, unless it uses what the estate before it defines.
            let alone = file != "kilter.yaml" && !block.text.contains("tier: payments");
            let estate = folder.path().join("kilter.yaml");
            if alone && estate.exists() {
                fs::remove_file(estate).expect("a file");
            }
            generates(folder.path(), &place);
            run += 1;
        }
    }
    assert!(run >= 6, "only {run} blocks ran");
}
