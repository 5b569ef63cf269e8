//! Asks for the change of a Change-Id over HTTP.
//!
//! The first request is anonymous. A server that knows nothing then is asked once more with the
//! credentials that `git credential` has for it. The server must lie at the root of its host.

use serde::Deserialize;

use crate::gerrit::change_id::ChangeId;
use crate::gerrit::remote::{PushUrl, Transport};
use crate::gerrit::rest::{
    BaseUrl, ChangeInfo, Client, CredentialSource, HttpSettings, RestError, RestErrorKind,
};
use crate::git::{GitError, Repository};

/// The most changes that one Change-Id is looked up for.
const MOST: usize = 25;

/// A change as `gerrit query` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Queried {
    pub project: String,
    pub number: u64,
    pub branch: String,
    pub status: String,
}

/// A question that got no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum QueryError {
    /// Git failed, or ssh.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The server did not answer as it should.
    #[error(transparent)]
    Rest(#[from] RestError),
}

/// Returns the visible changes of a Change-Id.
pub(super) fn query(
    repository: &Repository,
    url: &PushUrl,
    id: &ChangeId,
) -> Result<Vec<Queried>, QueryError> {
    let server = server(url);
    let settings = HttpSettings::of_git(repository, &server)?;
    let ask = |source: Option<Box<dyn CredentialSource>>| {
        let client = Client::new(server.clone(), &settings, source)?;
        let found = client.query(&format!("change:{id}"), &[], MOST)?;
        Ok(found.into_iter().map(Queried::from).collect::<Vec<_>>())
    };
    let found: Result<_, RestError> = ask(None);
    if found.as_ref().is_ok_and(|found| !found.is_empty()) {
        return Ok(found?);
    }
    match ask(Some(Box::new(repository.clone()))) {
        Err(error) if error.kind == RestErrorKind::NoCredentials => Ok(found?),
        known => Ok(known?),
    }
}

fn server(url: &PushUrl) -> BaseUrl {
    let is_https = url.transport == Transport::Https;
    BaseUrl::new(is_https, &url.host, url.port, url.user.as_deref())
}

impl From<ChangeInfo> for Queried {
    fn from(change: ChangeInfo) -> Self {
        Self {
            project: change.project,
            number: change.number,
            branch: change.branch,
            status: change.status,
        }
    }
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
            assert_eq!(server(&url.parse().unwrap()).to_string(), expected);
        }
    }
}
