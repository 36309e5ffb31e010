//! The one maker of HTTP agents. Certificates are checked as the system checks them, so that a company's own authority,
//! installed on the machine, is trusted here too; `SSL_CERT_FILE` names another list.

use std::sync::Arc;
use std::time::Duration;

use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::AgentScope;

/// An agent with this time for everything, from the name to the last byte. `roots` take the place of the system's
/// certificates.
pub(crate) fn agent(timeout: Duration, roots: Option<Vec<Certificate<'static>>>) -> ConfigBuilder<AgentScope> {
    let roots = roots.map_or(RootCerts::PlatformVerifier, |it| RootCerts::Specific(Arc::new(it)));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build();
    ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .tls_config(tls)
        .user_agent(concat!("kilter/", env!("CARGO_PKG_VERSION")))
}

/// The certificates of a PEM file; none when there are none in it.
pub(crate) fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let certificate = |item| match item {
        Ok(PemItem::Certificate(it)) => Some(it),
        _ => None,
    };
    parse_pem(pem).filter_map(certificate).collect()
}

/// What a failed connection says, in words without the library's own.
pub(crate) fn said(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(it) => rustls_error(it).map_or_else(|| it.to_string(), certificate),
        ureq::Error::Rustls(it) => certificate(it),
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::HostNotFound => "no host of this name".to_owned(),
        other => other.to_string(),
    }
}

/// Whether it is about TLS: the certificate, or no TLS at all on the other side.
pub(crate) fn is_tls(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::TlsRequired => true,
        ureq::Error::Io(it) => rustls_error(it).is_some(),
        _ => false,
    }
}

/// An address as it may be shown: without its credentials, and without what follows its path, which may be secret too.
/// A password may hold a slash that somebody forgot to escape, so all before the last `@` is taken for it.
pub(crate) fn shown(url: &str) -> String {
    let start = url.find("://").map_or(0, |it| it + 3);
    let (scheme, rest) = url.split_at(start);
    let (mask, rest) = rest.rfind('@').map_or(("", rest), |at| ("***", &rest[at..]));
    format!("{scheme}{mask}{}", &rest[..rest.find(['?', '#']).unwrap_or(rest.len())])
}

fn rustls_error(of: &std::io::Error) -> Option<&rustls::Error> {
    of.get_ref()?.downcast_ref::<rustls::Error>()
}

fn certificate(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidMessage(_) => "no TLS is spoken here".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_an_address_is_shown() {
        for (url, text) in [
            ("https://u:p@sso.example/login?token=x", "https://***@sso.example/login"),
            ("https://u:p/w@h/a", "https://***@h/a"),
            ("http://u:p?w@h", "http://***@h"),
            ("/login#x", "/login"),
            ("u:p@h", "***@h"),
            ("", ""),
        ] {
            assert_eq!(shown(url), text);
        }
    }
}
