//! The proxies of git and of programs that use curl: which URLs go by which, and if they answer.

use super::check::{Check, Checks, Purpose};
use super::git::{Settings, add_error};
use super::host::Host;
use crate::env::Environment;
use crate::git::without_credentials;

pub(super) const PURPOSES: &[Purpose] = &[
    Purpose::Build,
    Purpose::Check,
    Purpose::Test,
    Purpose::Push,
    Purpose::Review,
];

/// The work that talks to a server.
const TALKING: [Purpose; 2] = [Purpose::Push, Purpose::Review];

/// The port of curl for a proxy that gives none.
const CURLS_PORT: u16 = 1080;

/// The settings that name proxies.
#[derive(Debug, Default)]
struct Facts {
    settings: Settings,
    variables: Environment,
    /// True if a remote has an address of http or https.
    is_by_http: bool,
}

/// A proxy, and the place that it is set in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Proxy {
    /// The value, which may hold a password.
    value: String,
    /// The name of the setting or variable.
    set_by: String,
}

impl Facts {
    /// Returns the proxy for URLs of this scheme, as git chooses it.
    fn of(&self, scheme: &str) -> Option<Proxy> {
        let configured = self.settings.get("http.proxy");
        // An empty value means that there is none.
        if let Some(setting) = configured {
            return Proxy::new(&setting.value, "http.proxy");
        }
        // curl reads `HTTP_PROXY` in lower case only.
        let names: &[&str] = match scheme {
            "http" => &["http_proxy", "all_proxy", "ALL_PROXY"],
            _ => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        };
        (names.iter()).find_map(|name| Proxy::new(&self.variable(name)?, name))
    }

    fn variable(&self, name: &str) -> Option<String> {
        let value = self.variables.variable(name)?;
        Some(value.to_string_lossy().into_owned())
    }
}

impl Proxy {
    fn new(value: &str, set_by: &str) -> Option<Self> {
        (!value.trim().is_empty()).then(|| Self {
            value: value.trim().to_owned(),
            set_by: set_by.to_owned(),
        })
    }

    /// Returns `HOST:PORT`, as curl takes the value; `None` if it is no proxy.
    fn place(&self) -> Option<String> {
        let (scheme, rest) = self
            .value
            .split_once("://")
            .unwrap_or(("http", &self.value));
        let port = match scheme.to_lowercase().as_str() {
            "http" | "socks4" | "socks4a" | "socks5" | "socks5h" => CURLS_PORT,
            "https" => 443,
            _ => return None,
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
        let has_port = after.contains(':');
        let good = !host.is_empty()
            && !host.starts_with(':')
            && !host.contains(|letter: char| letter.is_whitespace() || letter.is_control())
            && (!has_port
                || after
                    .rsplit_once(':')
                    .is_some_and(|(_, port)| port.parse::<u16>().is_ok()));
        good.then(|| match has_port {
            true => host.to_owned(),
            false => format!("{host}:{port}"),
        })
    }

    /// Returns true if the value gives no port.
    fn has_curls_port(&self) -> bool {
        let place = self.place();
        place.is_some_and(|place| !self.value.contains(&place))
    }

    fn shown(&self) -> String {
        let url = match self.value.contains("://") {
            true => self.value.clone(),
            false => format!("http://{}", self.value),
        };
        without_credentials(&url)
    }
}

pub(super) fn examine(host: &Host<'_>) -> Vec<Check> {
    let mut checks = Checks::of("proxy", PURPOSES);
    let settings = match Settings::of(host) {
        Ok(settings) => settings,
        Err(error) => {
            checks.matter_for(&TALKING);
            add_error(&mut checks, "settings", &error);
            return checks.done();
        }
    };
    let is_http = |value: &str| value.starts_with("http://") || value.starts_with("https://");
    let is_by_http = (settings.like("remote.", "url")).any(|one| is_http(&one.value));
    let facts = Facts {
        is_by_http,
        settings,
        variables: host.environment.clone(),
    };
    judge(&facts, &mut checks);
    reach(host, &facts, &mut checks);
    checks.done()
}

fn judge(facts: &Facts, checks: &mut Checks) {
    no_such_setting(facts, checks);
    if facts.settings.get("http.proxy").is_none() {
        variables(facts, checks);
    }
}

/// Says that `https.proxy` is no setting of git.
fn no_such_setting(facts: &Facts, checks: &mut Checks) {
    let Some(setting) = facts.settings.get("https.proxy") else {
        return;
    };
    let (option, shown) = (setting.option(), without_credentials(&setting.value));
    let unset = format!("git config {option} --unset-all https.proxy");
    match facts.of("https") {
        Some(proxy) => checks.note(
            "https-proxy",
            format!(
                "https.proxy ({shown}) is no setting of git and does nothing: https goes by {} ({})",
                proxy.shown(),
                proxy.set_by
            ),
            unset,
        ),
        None => checks.note(
            "https-proxy",
            format!(
                "https.proxy ({shown}) is no setting of git and does nothing: https goes directly; http.proxy serves http and https"
            ),
            format!("git config {option} http.proxy \"$(git config https.proxy)\" && {unset}"),
        ),
    }
}

/// Judges the variables, which count only without `http.proxy`.
fn variables(facts: &Facts, checks: &mut Checks) {
    let (http, https) = (facts.of("http"), facts.of("https"));
    if http.is_none() && facts.variable("HTTP_PROXY").is_some() {
        checks.note(
            "upper-case",
            "HTTP_PROXY is set in upper case only, which git and curl do not read",
            "export http_proxy=\"$HTTP_PROXY\"",
        );
        return;
    }
    match (&http, &https) {
        (Some(proxy), None) => checks.note(
            "only-http",
            format!("{} is for http only: https goes directly", proxy.set_by),
            format!("export https_proxy=\"${}\"", proxy.set_by),
        ),
        (None, Some(proxy)) => checks.note(
            "only-https",
            format!("{} is for https only: http goes directly", proxy.set_by),
            format!("export http_proxy=\"${}\"", proxy.set_by),
        ),
        _ => {}
    }
}

/// Finds out if the proxies answer.
fn reach(host: &Host<'_>, facts: &Facts, checks: &mut Checks) {
    let mut proxies: Vec<(Proxy, Vec<&str>)> = Vec::new();
    for scheme in ["http", "https"] {
        let Some(proxy) = facts.of(scheme) else {
            continue;
        };
        match proxies
            .iter_mut()
            .find(|(known, _)| known.value == proxy.value)
        {
            Some((_, schemes)) => schemes.push(scheme),
            None => proxies.push((proxy, vec![scheme])),
        }
    }
    if proxies.is_empty() {
        checks.can(
            "direct",
            "http and https go directly: no proxy is set for git and curl",
        );
    }
    for (proxy, schemes) in proxies {
        let what = format!(
            "{} by {} ({})",
            schemes.join(" and "),
            proxy.shown(),
            proxy.set_by
        );
        let Some(place) = proxy.place() else {
            checks.matter_for(&TALKING);
            checks.cannot(
                "form",
                format!("{what}: this is no proxy"),
                unset(facts, &proxy),
            );
            continue;
        };
        let port = match proxy.has_curls_port() {
            true => format!(" (it gives no port, so curl takes {place})"),
            false => String::new(),
        };
        match host.ask.connect(&place) {
            Ok(None) => checks.can("reachable", format!("{what}, which answers{port}")),
            Ok(Some(reason)) if facts.is_by_http => {
                checks.matter_for(&TALKING);
                checks.cannot(
                    "reachable",
                    format!("{what}, which cannot be reached{port}: {reason}"),
                    unset(facts, &proxy),
                );
            }
            Ok(Some(reason)) => checks.note(
                "reachable",
                format!(
                    "{what}, which cannot be reached{port}: {reason}; no remote here goes by http"
                ),
                unset(facts, &proxy),
            ),
            Err(unasked) => {
                checks.matter_for(&TALKING);
                checks.unasked("reachable", format!("{what}: {}", unasked.0));
            }
        }
        checks.matter_for(PURPOSES);
    }
}

/// Returns the command that goes without the proxy.
fn unset(facts: &Facts, proxy: &Proxy) -> String {
    match facts.settings.get(&proxy.set_by) {
        Some(setting) => format!(
            "git config {} --unset-all {}",
            setting.option(),
            proxy.set_by
        ),
        None => format!("unset {}", proxy.set_by),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(value: &str) -> Option<String> {
        Proxy::new(value, "http.proxy")?.place()
    }

    #[test]
    fn a_proxy_is_read_as_curl_reads_it() {
        let places = [
            ("proxy.example.com:80", "proxy.example.com:80"),
            ("http://proxy.example.com:3128/", "proxy.example.com:3128"),
            (
                "http://ada:s3cret@proxy.example.com",
                "proxy.example.com:1080",
            ),
            ("https://proxy", "proxy:443"),
            ("socks5h://[::1]:9050", "[::1]:9050"),
            ("http://[::1]", "[::1]:1080"),
        ];
        for (value, expected) in places {
            assert_eq!(place(value).as_deref(), Some(expected), "{value}");
        }
        for value in ["", "ftp://proxy:1", "http://", "proxy:port", "a b:1", ":80"] {
            assert_eq!(place(value), None, "{value}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for value in ["http://ada:s3cret@proxy:1", "ada:s3cret@proxy:1"] {
            let shown = Proxy::new(value, "http.proxy").unwrap().shown();
            assert_eq!(shown, "http://proxy:1");
        }
    }
}
