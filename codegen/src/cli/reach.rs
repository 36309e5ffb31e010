//! From arguments, files and variables to a Prometheus that can be asked.

use std::fs;
use std::path::Path;

use super::args::Reach;
use crate::prometheus::{Access, Client, Credentials, Secret};

const TOKEN: &str = "KILTER_PROMETHEUS_TOKEN";
const PASSWORD: &str = "KILTER_PROMETHEUS_PASSWORD";

impl Reach {
    /// Whether a Prometheus is named at all.
    pub(super) fn is_named(&self) -> bool {
        self.prometheus.as_deref().is_some_and(|it| !it.trim().is_empty())
    }

    /// A client; the text of an `Err` says what to do.
    pub(super) fn client(&self) -> Result<Client, String> {
        let url = self.prometheus.as_deref().filter(|_| self.is_named()).ok_or_else(|| {
            "no Prometheus is named\n  next: --prometheus http://localhost:9090, or the variable KILTER_PROMETHEUS"
                .to_owned()
        })?;
        let access = Access {
            url: url.to_owned(),
            headers: self.headers.iter().map(|it| header(it)).collect::<Result<_, _>>()?,
            credentials: self.credentials()?,
            roots: self.ca.as_deref().map(read).transpose()?,
            timeout: std::time::Duration::from_millis(self.timeout.millis()),
        };
        Client::new(&access).map_err(|error| error.to_string())
    }

    /// What the arguments name goes before what the variables hold.
    fn credentials(&self) -> Result<Option<Credentials>, String> {
        let variable = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
        if let Some(path) = &self.token_file {
            return Ok(Some(Credentials::Token(secret("--prometheus-token-file", path)?)));
        }
        if let Some(user) = &self.user {
            let password = match &self.password_file {
                Some(path) => secret("--prometheus-password-file", path)?,
                None => Secret::new(&variable(PASSWORD).ok_or_else(|| {
                    format!(
                        "no password for {user}\n  next: --prometheus-password-file FILE, or the variable {PASSWORD}"
                    )
                })?),
            };
            return Ok(Some(Credentials::Basic { user: user.clone(), password }));
        }
        Ok(variable(TOKEN).map(|it| Credentials::Token(Secret::new(&it))))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// What a file holds. Whoever gives the secret itself in its place does not find it in a log.
fn secret(option: &str, path: &Path) -> Result<Secret, String> {
    let held = fs::read(path).map_err(|error| {
        format!("{option}: {error}\n  next: name a file that can be read; what was given is not shown, as it may be the secret itself")
    })?;
    Ok(Secret::new(&String::from_utf8_lossy(&held)))
}

/// `Name: value`. What is wrong is told without the value.
fn header(text: &str) -> Result<(String, Secret), String> {
    const FORM: &str = "--prometheus-header: this is no header\n  next: write it as 'X-Scope-OrgID: shop'";
    let (name, value) = text.split_once(':').ok_or(FORM)?;
    let (name, value) = (name.trim(), value.trim());
    if name.eq_ignore_ascii_case("authorization") {
        return Err("--prometheus-header: it may not say who asks, as everybody sees it in the list of processes\n  next: --prometheus-token-file or --prometheus-user".to_owned());
    }
    if name.is_empty() || value.is_empty() {
        return Err(FORM.to_owned());
    }
    Ok((name.to_owned(), Secret::new(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_a_header_is_shown() {
        let (name, value) = header("X-Scope-OrgID: hunter2").unwrap();
        assert_eq!((name.as_str(), format!("{value:?}").as_str()), ("X-Scope-OrgID", "***"));
        for text in ["Authorization: Bearer hunter2", "hunter2", ": hunter2", "hunter2:", "authorization:hunter2"] {
            let error = header(text).unwrap_err();
            assert!(!error.contains("hunter2") && error.contains("\n  next: "), "{error}");
        }
        let error = secret("--prometheus-token-file", Path::new("/nowhere/hunter2")).unwrap_err();
        assert!(error.starts_with("--prometheus-token-file: ") && !error.contains("hunter2"), "{error}");
    }
}
