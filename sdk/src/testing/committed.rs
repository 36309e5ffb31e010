//! The contract file of a service: written by its own test, and held fresh by it.

use std::path::Path;

/// The variable that has the file written in place of compared.
pub(crate) const WRITE: &str = "KILTER_CONTRACT";

/// Compares the text with a file, or writes it there; what to say when it is not the same.
pub(super) fn compare(path: &Path, text: &str, write: Option<&str>) -> Result<(), String> {
    let shown = path.display();
    match write {
        Some("write") => {
            return std::fs::write(path, text).map_err(|error| format!("{shown} cannot be written: {error}"));
        }
        Some(other) if !other.is_empty() => {
            return Err(format!("{WRITE} is `{other}`: the one value it takes is `write`"));
        }
        _ => {}
    }
    let next = format!("next: {WRITE}=write cargo test, look at the difference and commit {shown}");
    let committed = std::fs::read_to_string(path).map_err(|error| format!("{shown}: {error}\n  {next}"))?;
    if committed == text {
        return Ok(());
    }
    let line = committed.lines().zip(text.lines()).position(|(old, new)| old != new);
    let line = line.unwrap_or_else(|| committed.lines().count().min(text.lines().count()));
    let at = |it: &str| it.lines().nth(line).unwrap_or("(the end)").trim().to_owned();
    Err(format!("{shown} is stale: line {} is `{}` and would be `{}`\n  {next}", line + 1, at(&committed), at(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_fails_with_the_line_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kilter.contract.json");
        assert!(compare(&path, "{}\n", None).unwrap_err().contains("KILTER_CONTRACT=write cargo test"));
        compare(&path, "{\n  1\n}\n", Some("write")).unwrap();
        compare(&path, "{\n  1\n}\n", None).unwrap();
        let told = compare(&path, "{\n  2\n}\n", Some("")).unwrap_err();
        assert!(told.contains("is stale: line 2 is `1` and would be `2`"), "{told}");
        assert!(compare(&path, "", Some("yes")).unwrap_err().contains("the one value it takes is `write`"));
    }
}
