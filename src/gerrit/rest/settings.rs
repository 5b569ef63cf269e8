//! The way to the server: proxy, certificates, times.

use std::path::PathBuf;
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy};

use super::{BaseUrl, Secret};

/// The settings of the way to a server.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// The URL of the proxy; `None` to connect directly. It may hold a password.
    pub proxy: Option<Secret>,
    /// A file of certificates to trust in place of the system's.
    pub certificates: Option<PathBuf>,
    /// False if the server's certificate is not checked, as the user's git is configured.
    pub is_verified: bool,
    /// The time that a request may take.
    pub timeout: Duration,
    /// The most bytes of an answer.
    pub largest: u64,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            proxy: None,
            certificates: None,
            is_verified: true,
            timeout: Duration::from_secs(60),
            largest: 64 << 20,
        }
    }
}

/// The time that it may take to be connected.
const CONNECTING: Duration = Duration::from_secs(20);

/// The most bytes of a file of certificates.
const LARGEST_BUNDLE: u64 = 16 << 20;

impl HttpSettings {
    /// Makes the agent of a server. Certificates are read for https only.
    pub(super) fn agent(&self, server: &BaseUrl) -> Result<Agent, String> {
        let proxy = self.proxy.as_ref().map(proxy).transpose()?;
        let mut tls = TlsConfig::builder().disable_verification(!self.is_verified);
        if server.is_https() && self.is_verified {
            tls = tls.root_certs(self.roots()?);
        }
        Ok(Agent::config_builder()
            .proxy(proxy)
            .tls_config(tls.build())
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(self.timeout))
            .timeout_connect(Some(CONNECTING))
            .user_agent(concat!("kata-ci/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent())
    }

    fn roots(&self) -> Result<RootCerts, String> {
        let certificates = match &self.certificates {
            Some(path) => {
                let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
                let pem = crate::fs::read(path, LARGEST_BUNDLE).map_err(|error| failed(&error))?;
                let items: Result<Vec<_>, _> = parse_pem(&pem).collect();
                let items = items.map_err(|error| failed(&error))?;
                let certificates = items.into_iter().filter_map(|item| match item {
                    PemItem::Certificate(certificate) => Some(certificate),
                    _ => None,
                });
                certificates.collect::<Vec<_>>()
            }
            None => {
                let found = rustls_native_certs::load_native_certs().certs;
                let owned = |one: &[u8]| Certificate::from_der(one).to_owned();
                found.iter().map(|one| owned(one)).collect()
            }
        };
        match certificates.is_empty() {
            true => Err("there is no certificate to trust (see git's http.sslCAInfo)".to_owned()),
            false => Ok(RootCerts::new_with_certs(&certificates)),
        }
    }
}

fn proxy(url: &Secret) -> Result<Proxy, String> {
    // Its error may hold the URL, and that a password.
    Proxy::new(url.reveal()).map_err(|_| "the URL of the proxy is no usable one".to_owned())
}
