//! The outcome of checks in every format: for people as they come, for programs at the end.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::args::ReportFormat;
use crate::diagnostic::report::{Case, log, quoted_for_github, suite};

/// Checks and how they ended.
#[derive(Debug)]
pub(super) struct Checks {
    format: ReportFormat,
    /// Whether people hear of what passed.
    quiet: bool,
    /// Name, and what was complained about.
    all: Vec<(String, Result<(), String>)>,
    /// By name, what was found on the way, under its key.
    found: BTreeMap<String, Vec<(&'static str, Vec<Value>)>>,
}

impl Checks {
    pub(super) const fn new(format: ReportFormat, quiet: bool) -> Self {
        Self { format, quiet, all: Vec::new(), found: BTreeMap::new() }
    }

    /// Notes one. People see it at once.
    pub(super) fn tell(&mut self, name: String, outcome: Result<(), String>) {
        if self.format == ReportFormat::Human {
            match &outcome {
                Ok(()) if self.quiet => {}
                Ok(()) => println!("ok    {name}"),
                Err(why) => println!("FAIL  {name}\n{}", indented(why)),
            }
        }
        self.all.push((name, outcome));
    }

    /// Notes one with what was found on the way, for programs.
    pub(super) fn tell_with(
        &mut self,
        name: String,
        outcome: Result<(), String>,
        found: impl IntoIterator<Item = (&'static str, Vec<Value>)>,
    ) {
        let found = found.into_iter().filter(|(_, it)| !it.is_empty()).collect();
        self.found.insert(name.clone(), found);
        self.tell(name, outcome);
    }

    /// Passed, and failed.
    pub(super) fn counts(&self) -> (usize, usize) {
        let failed = self.failures().count();
        (self.all.len() - failed, failed)
    }

    fn failures(&self) -> impl Iterator<Item = (&String, &String)> {
        self.all.iter().filter_map(|(name, outcome)| Some((name, outcome.as_ref().err()?)))
    }

    /// Prints everything for programs.
    pub(super) fn print(&self) {
        match self.format {
            ReportFormat::Human => {}
            ReportFormat::Json => {
                let one = |(name, outcome): &(String, Result<(), String>)| {
                    let mut it = json!({"name": name, "passed": outcome.is_ok(), "said": outcome.as_ref().err()});
                    for (key, values) in self.found.get(name).into_iter().flatten() {
                        it[*key] = json!(values);
                    }
                    it
                };
                println!("{:#}", Value::Array(self.all.iter().map(one).collect()));
            }
            ReportFormat::Github => {
                for (name, why) in self.failures() {
                    println!("::error title=kilter test::{}", quoted_for_github(&format!("{name}\n{why}")));
                }
            }
            ReportFormat::Sarif => {
                let rule = json!({"id": "proof", "shortDescription": {"text": "a generated proof failed"}});
                let result = |(name, why): (&String, &String)| json!({"ruleId": "proof", "ruleIndex": 0, "level": "error", "message": {"text": format!("{name}\n{why}")}});
                println!("{:#}", log(&[rule], &self.failures().map(result).collect::<Vec<_>>()));
            }
            ReportFormat::Junit => {
                let case = |(name, outcome): &(String, Result<(), String>)| {
                    let failures =
                        outcome.as_ref().err().map(|why| ("proof".to_owned(), why.clone())).into_iter().collect();
                    Case { name: name.clone(), failures, output: String::new() }
                };
                print!("{}", suite("kilter test", &self.all.iter().map(case).collect::<Vec<_>>()));
            }
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("      {line}\n")).collect()
}
