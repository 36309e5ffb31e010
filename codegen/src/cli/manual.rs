//! `kilter completions` and `kilter man`, from the same table as `--help`.

use std::path::Path;

use clap::{Command, CommandFactory as _};

use super::Status;
use super::args::Args;
use crate::output;

/// A completion script.
pub(super) fn completions(shell: clap_complete::Shell) {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "kilter", &mut text);
    print!("{}", String::from_utf8_lossy(&text));
}

/// The page of the whole command on stdout, or a page for each command in a folder.
pub(super) fn man(out: Option<&Path>) -> Result<Status, String> {
    let mut command = Args::command();
    command.build();
    let Some(folder) = out else {
        print!("{}", page(&command)?);
        return Ok(Status::Fine);
    };
    let mut pages = vec![("kilter.1".to_owned(), page(&command)?)];
    for sub in command.get_subcommands().filter(|it| it.get_name() != "help") {
        pages.push((format!("kilter-{}.1", sub.get_name()), page(sub)?));
    }
    for (name, text) in pages {
        output::write(&folder.join(&name), &text).map_err(|error| format!("{name}: {error}"))?;
        eprintln!("wrote {}", folder.join(name).display());
    }
    Ok(Status::Fine)
}

fn page(command: &Command) -> Result<String, String> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut bytes).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}
