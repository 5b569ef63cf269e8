//! Parses URLs that git can push to.
//!
//! Git would run a program for `ext::…` and read options from a host that begins with `-`. Such
//! URLs are refused here, whatever git's own protections are set to.

use std::fmt;
use std::str::FromStr;

/// The transport between git and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `ssh://` and `host:path`.
    Ssh,
    /// `http://`.
    Http,
    /// `https://`.
    Https,
    /// `git://`.
    Git,
    /// A local path, or `file://`.
    File,
}

/// A URL to push to.
#[derive(Clone, PartialEq, Eq)]
pub struct PushUrl {
    raw: String,
    /// The transport.
    pub transport: Transport,
    /// The user, if one is given.
    pub user: Option<String>,
    /// The host; empty for a local path.
    pub host: String,
    /// The port, if one is given.
    pub port: Option<u16>,
    /// The path of the URL, without a slash at its beginning if there is a host.
    pub path: String,
}

/// A text that is no URL to push to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` cannot be pushed to: {problem}")]
pub struct UnusableUrl {
    /// The text, without credentials.
    pub url: String,
    /// The problem, and what would be right.
    pub problem: String,
}

impl FromStr for PushUrl {
    type Err = UnusableUrl;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        parse(raw).map_err(|problem| UnusableUrl {
            url: crate::git::without_credentials(&raw.escape_debug().to_string()),
            problem: problem.to_owned(),
        })
    }
}

fn parse(raw: &str) -> Result<PushUrl, &'static str> {
    if raw.is_empty() || raw.chars().any(char::is_control) {
        return Err("it is empty or has control characters");
    }
    if raw.starts_with('-') {
        return Err("it begins with `-`, as an option would");
    }
    if let Some((scheme, rest)) = raw.split_once("://") {
        return with_scheme(raw, scheme, rest);
    }
    if raw.contains("::") && !raw.starts_with(['/', '.']) {
        return Err("git would run a remote helper for it; ssh, http(s) and paths are used");
    }
    match raw.split_once(':') {
        Some((authority, path)) if !authority.contains('/') => {
            let authority = format!("{authority}:");
            let mut url =
                with_authority(raw, Transport::Ssh, authority.trim_end_matches(':'), path)?;
            url.port = None;
            Ok(url)
        }
        _ => Ok(PushUrl {
            raw: raw.to_owned(),
            transport: Transport::File,
            user: None,
            host: String::new(),
            port: None,
            path: raw.to_owned(),
        }),
    }
}

fn with_scheme(raw: &str, scheme: &str, rest: &str) -> Result<PushUrl, &'static str> {
    let transport = match scheme {
        "ssh" | "git+ssh" | "ssh+git" => Transport::Ssh,
        "http" => Transport::Http,
        "https" => Transport::Https,
        "git" => Transport::Git,
        "file" => Transport::File,
        _ => return Err("its protocol is not ssh, http, https, git or file"),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if transport == Transport::File {
        return Ok(PushUrl {
            raw: raw.to_owned(),
            transport,
            user: None,
            host: String::new(),
            port: None,
            path: format!("/{path}"),
        });
    }
    with_authority(raw, transport, authority, path)
}

fn with_authority(
    raw: &str,
    transport: Transport,
    authority: &str,
    path: &str,
) -> Result<PushUrl, &'static str> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user.split(':').next().unwrap_or(user)), host),
        None => (None, authority),
    };
    let (host, port) = host_and_port(host)?;
    if host.is_empty() || host.starts_with('-') || user.is_some_and(|user| user.starts_with('-')) {
        return Err("its host or user is empty or begins with `-`");
    }
    if path.starts_with('-') {
        return Err("its path begins with `-`, as an option would");
    }
    Ok(PushUrl {
        raw: raw.to_owned(),
        transport,
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
        path: path.trim_start_matches('/').to_owned(),
    })
}

/// Parses `host`, `host:1`, `[::1]` or `[::1]:1`.
fn host_and_port(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    match port.filter(|port| !port.is_empty()).map(str::parse) {
        None => Ok((host, None)),
        Some(Ok(port)) => Ok((host, Some(port))),
        Some(Err(_)) => Err("its port is no number from 0 to 65535"),
    }
}

impl PushUrl {
    /// Returns the URL for git, with the credentials that the user wrote into it. It must not be
    /// shown.
    pub fn for_git(&self) -> &str {
        &self.raw
    }

    /// Returns the project at a Gerrit: the path without `a/` (http with a login), `.git` and
    /// slashes around it.
    pub fn project(&self) -> String {
        let path = self.path.trim_matches('/');
        let path = match self.transport {
            Transport::Http | Transport::Https => path.strip_prefix("a/").unwrap_or(path),
            _ => path,
        };
        path.strip_suffix(".git").unwrap_or(path).to_owned()
    }
}

/// Formats the URL without credentials.
impl fmt::Display for PushUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&crate::git::without_credentials(&self.raw))
    }
}

impl fmt::Debug for PushUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PushUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(raw: &str) -> (Transport, Option<String>, String, Option<u16>, String) {
        let url: PushUrl = raw.parse().unwrap();
        let project = url.project();
        (url.transport, url.user, url.host, url.port, project)
    }

    #[test]
    fn every_form_git_knows() {
        let ada = || Some("ada".to_owned());
        let host = || "review.example.com".to_owned();
        let project = || "kata/proxy".to_owned();
        for (raw, expected) in [
            (
                "ssh://ada@review.example.com:29418/kata/proxy",
                (Transport::Ssh, ada(), host(), Some(29418), project()),
            ),
            (
                "ada@review.example.com:kata/proxy.git",
                (Transport::Ssh, ada(), host(), None, project()),
            ),
            (
                "review.example.com:/kata/proxy",
                (Transport::Ssh, None, host(), None, project()),
            ),
            (
                "https://review.example.com/a/kata/proxy.git/",
                (Transport::Https, None, host(), None, project()),
            ),
            (
                "http://ada:secret@review.example.com:8080/kata/proxy",
                (Transport::Http, ada(), host(), Some(8080), project()),
            ),
            (
                "git://review.example.com/kata/proxy",
                (Transport::Git, None, host(), None, project()),
            ),
            (
                "ssh://[::1]:29418/kata/proxy",
                (
                    Transport::Ssh,
                    None,
                    "::1".to_owned(),
                    Some(29418),
                    project(),
                ),
            ),
        ] {
            assert_eq!(parts(raw), expected, "{raw}");
        }
        assert_eq!(parts("/srv/git/proxy.git").4, "srv/git/proxy");
        assert_eq!(parts("file:///srv/git/proxy").0, Transport::File);
        assert_eq!(parts("../proxy").0, Transport::File);
    }

    #[test]
    fn what_would_run_a_program_or_pass_for_an_option_is_refused() {
        for raw in [
            "ext::sh -c touch% pwned",
            "fd::17",
            "--upload-pack=touch pwned",
            "ssh://-oProxyCommand=touch%20pwned/x",
            "-oProxyCommand=x:y",
            "ssh://-x@host/y",
            "host:-x",
            "helper://host/x",
            "ssh://host:99999/x",
            "ssh://host/x\ny",
            "",
        ] {
            assert!(raw.parse::<PushUrl>().is_err(), "{raw:?}");
        }
    }

    #[test]
    fn credentials_are_never_shown() {
        let url: PushUrl = "https://ada:s3cret@host/x".parse().unwrap();
        assert_eq!(url.to_string(), "https://host/x");
        assert!(!format!("{url:?}").contains("s3cret"));
        let error = "helper://ada:s3cret@host/x".parse::<PushUrl>().unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_none_passes_for_an_option(raw in "\\PC{0,40}") {
            if let Ok(url) = raw.parse::<PushUrl>() {
                prop_assert!(!url.for_git().starts_with('-') && !url.host.starts_with('-'));
                prop_assert!(!raw.starts_with("ext::"));
            }
        }
    }
}
