//! Asks for the change of a Change-Id over HTTP by curl(1), which handles proxies and certificates
//! as git does.
//!
//! The first request is anonymous. A server that knows nothing then is asked once more with the
//! credentials that `git credential` has for it. The password goes through standard input, never in
//! an argument. The server must lie at the root of its host.

use serde::Deserialize;

use crate::env::Environment;
use crate::gerrit::change_id::ChangeId;
use crate::gerrit::remote::{PushUrl, Transport};
use crate::git::{GitError, Repository};

/// A change as `gerrit query` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Queried {
    pub project: String,
    pub number: u64,
    pub branch: String,
    pub status: String,
}

/// A change as REST describes it.
#[derive(Debug, Deserialize)]
struct RestChange {
    project: String,
    #[serde(rename = "_number")]
    number: u64,
    branch: String,
    status: String,
}

/// Returns the visible changes of a Change-Id.
pub(super) fn query(
    repository: &Repository,
    url: &PushUrl,
    id: &ChangeId,
) -> Result<Vec<Queried>, GitError> {
    let base = base(url);
    let asked = |prefix: &str| format!("url = \"{base}/{prefix}changes/?q=change:{id}\"\n");
    let found = get(repository, &asked(""));
    if found.as_ref().is_ok_and(|found| !found.is_empty()) {
        return found;
    }
    match credentials(repository, url, &base)? {
        Some(user) => get(repository, &(asked("a/") + &user)),
        None => found,
    }
}

fn base(url: &PushUrl) -> String {
    let scheme = match url.transport {
        Transport::Https => "https",
        _ => "http",
    };
    let host = match url.host.contains(':') {
        true => format!("[{}]", url.host),
        false => url.host.clone(),
    };
    let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}")
}

fn get(repository: &Repository, configuration: &str) -> Result<Vec<Queried>, GitError> {
    let arguments = [
        "--silent",
        "--show-error",
        "--fail",
        "--globoff",
        "--max-time",
        "60",
        "--proto",
        "=http,https",
        "--config",
        "-",
    ];
    let answer = repository.program("curl", &arguments, configuration.as_bytes())?;
    // The first line keeps browsers from running the answer.
    let json = answer.strip_prefix(")]}'").unwrap_or(&answer);
    let changes: Vec<RestChange> = serde_json::from_str(json.trim()).unwrap_or_default();
    Ok(changes.into_iter().map(Queried::from).collect())
}

impl From<RestChange> for Queried {
    fn from(change: RestChange) -> Self {
        Self {
            project: change.project,
            number: change.number,
            branch: change.branch,
            status: change.status,
        }
    }
}

/// Returns the line of curl's configuration with user and password, if git has them without asking
/// on the terminal.
fn credentials(
    repository: &Repository,
    url: &PushUrl,
    base: &str,
) -> Result<Option<String>, GitError> {
    let user = url.user.iter().map(|user| format!("username={user}\n"));
    let question = format!("url={base}\n{}\n", user.collect::<String>());
    // A helper may ask in a window of its own.
    let quiet = Environment::from([("GIT_TERMINAL_PROMPT".into(), "0".into())]);
    let answer = repository.interactive(["credential", "fill"], question.as_bytes(), &quiet)?;
    let answer = String::from_utf8_lossy(&answer.output).into_owned();
    let value = |key: &str| answer.lines().find_map(|line| line.strip_prefix(key));
    let pair = value("username=").zip(value("password="));
    Ok(pair.map(|(user, password)| format!("user = \"{}:{}\"\n", quoted(user), quoted(password))))
}

/// Quotes a text for curl's configuration.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_at_the_root_of_its_host() {
        for (url, expected) in [
            ("https://ada:s3cret@host/a/kata/proxy", "https://host"),
            ("http://[::1]:8080/x", "http://[::1]:8080"),
        ] {
            assert_eq!(base(&url.parse().unwrap()), expected);
        }
    }

    #[test]
    fn a_password_cannot_end_its_quotes() {
        assert_eq!(quoted(r#"a"b\c"#), r#"a\"b\\c"#);
    }
}
