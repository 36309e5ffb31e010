//! Variables that are probably meant for Kilter but misspelt: without a word they would count for nothing.

use super::VARIABLES;

/// Names that no variable has, each with the one that it is two letters or less away from. Others are left alone:
/// orchestrators set a variable with its port for a service that is called so.
pub(crate) fn misspelt(names: impl Iterator<Item = String>) -> Vec<(String, &'static str)> {
    let ours = |name: &String| VARIABLES.iter().any(|it| it.name == name);
    let near = |name: &str| VARIABLES.iter().find(|it| distance(name, it.name) <= 2).map(|it| it.name);
    let prefixed = |name: &String| ["KILTER", "OTEL"].iter().any(|it| name.starts_with(it));
    let strange = names.filter(|name| prefixed(name) && !ours(name));
    let mut found: Vec<_> = strange.filter_map(|name| near(&name).map(|meant| (name, meant))).collect();
    found.sort();
    found
}

/// Letters to insert, remove or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::misspelt;

    #[test]
    fn only_what_is_close_is_told() {
        let set = ["KILTER_DRIAN", "KILTER_ADMIN_ADR", "KILTER_PORT", "KILTER_DRAIN", "OTEL_SERVICENAME", "PATH"];
        let found = misspelt(set.into_iter().map(str::to_owned));
        let found: Vec<(&str, &str)> = found.iter().map(|(name, meant)| (name.as_str(), *meant)).collect();
        assert_eq!(
            found,
            [
                ("KILTER_ADMIN_ADR", "KILTER_ADMIN_ADDR"),
                ("KILTER_DRIAN", "KILTER_DRAIN"),
                ("OTEL_SERVICENAME", "OTEL_SERVICE_NAME")
            ]
        );
    }
}
