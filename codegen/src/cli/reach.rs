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
            headers: self.headers.iter().map(|(name, value)| (name.clone(), Secret::new(value))).collect(),
            credentials: self.credentials()?,
            roots: self.ca.as_deref().map(read).transpose()?,
            timeout: std::time::Duration::from_millis(self.timeout.millis()),
        };
        Client::new(&access).map_err(|error| error.to_string())
    }

    /// What the arguments name goes before what the variables hold.
    fn credentials(&self) -> Result<Option<Credentials>, String> {
        let secret = |path: &Path| read(path).map(|it| Secret::new(&String::from_utf8_lossy(&it)));
        let variable = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
        if let Some(path) = &self.token_file {
            return Ok(Some(Credentials::Token(secret(path)?)));
        }
        if let Some(user) = &self.user {
            let password = match &self.password_file {
                Some(path) => secret(path)?,
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

/// `Name: value`.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written as 'X-Scope-OrgID: shop'")?;
    let (name, value) = (name.trim(), value.trim());
    if name.eq_ignore_ascii_case("authorization") {
        return Err("who asks is named by --prometheus-token-file or --prometheus-user, so that no secret is in the list of processes".to_owned());
    }
    if name.is_empty() || value.is_empty() {
        return Err("a header is written as 'X-Scope-OrgID: shop'".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}
