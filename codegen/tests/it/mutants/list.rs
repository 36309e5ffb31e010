//! The two committed lists: which case notices which mutant, and which mutants nothing can notice, with the reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use kilter_codegen::yaml;
use serde::Deserialize;

/// File, rule, change.
pub(super) type Key = (String, String, String);

const BANNER: &str = "\
# Every rule, broken in every way, and the case of the generated proofs that notices it. Written by the test that checks it:
#   KILTER_ACCEPT=1 KILTER_MUTANTS=all cargo test -p kilter --test it -- mutants
# What nothing can notice is in excused.yaml, with the reason.
";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mutants").join(name)
}

/// The case of each mutant: `<test>, query 2 at 65m`.
#[derive(Default)]
pub(super) struct Noticed(pub(super) BTreeMap<Key, String>);

impl Noticed {
    pub(super) fn read() -> Self {
        let text = fs::read_to_string(path("noticed.list")).unwrap_or_default();
        let (mut file, mut rule, mut change, mut all) = (String::new(), String::new(), String::new(), BTreeMap::new());
        for line in text.lines().filter(|it| !it.starts_with('#')) {
            let depth = line.len() - line.trim_start().len();
            let line = line.trim().to_owned();
            match depth {
                0 => file = line,
                2 => rule = line,
                4 => change = line,
                _ => drop(all.insert((file.clone(), rule.clone(), change.clone()), line)),
            }
        }
        Self(all)
    }

    pub(super) fn write(&self) {
        let mut text = BANNER.to_owned();
        let (mut file, mut rule) = ("", "");
        for ((of_file, of_rule, change), case) in &self.0 {
            if of_file != file {
                let _ = writeln!(text, "{of_file}");
                rule = "";
            }
            if of_rule != rule {
                let _ = writeln!(text, "  {of_rule}");
            }
            let _ = writeln!(text, "    {change}\n      {case}");
            (file, rule) = (of_file, of_rule);
        }
        fs::create_dir_all(path("")).expect("a folder");
        fs::write(path("noticed.list"), text).expect("a file");
    }
}

/// Mutants of which no proof can tell the difference.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Excuse {
    /// Rules, and for each its changes; `*` stands for anything in both.
    mutants: BTreeMap<String, Vec<String>>,
    /// Why it makes no difference, or what else shows it.
    why: Option<String>,
    /// What the proofs would have to show, and do not yet.
    pub(super) hole: Option<String>,
}

impl Excuse {
    pub(super) fn read() -> Vec<Self> {
        let text = fs::read_to_string(path("excused.yaml")).expect("the list of what cannot be noticed");
        let all: Vec<Self> = yaml::from_str(&text).unwrap_or_else(|error| panic!("excused.yaml: {error}"));
        let reasons = |it: &Self| it.why.iter().chain(&it.hole).map(String::len).collect::<Vec<_>>();
        assert!(
            all.iter().all(|it| matches!(reasons(it)[..], [length] if length > 20)),
            "every entry has one reason, why or hole"
        );
        all
    }

    /// Its lines: a rule and a change.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.mutants.iter().flat_map(|(rule, all)| all.iter().map(move |it| (rule.as_str(), it.as_str())))
    }
}

/// Whether a text is as a pattern says, in which `*` stands for anything.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(head) else { return false };
    (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| fits(tail, &rest[at..]))
}
