//! Asks servers: the commit of a ref, the latest patch set, the change of a Change-Id.

use std::path::Path;

use super::rest::{self, Queried, QueryError};
use crate::gerrit::change_id::ChangeId;
use crate::gerrit::remote::{PushUrl, Transport};
use crate::git::{GitError, Repository};

/// A ref of a server and its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RemoteRef {
    pub commit: String,
    pub reference: String,
}

/// Returns the commit of a ref.
pub(super) fn look_up(
    repository: &Repository,
    url: &PushUrl,
    reference: &str,
) -> Result<Option<RemoteRef>, GitError> {
    Ok(list(repository, url, reference)?
        .into_iter()
        .find(|found| found.reference == reference))
}

/// Returns a patch set of a change, the latest if none is given.
pub(super) fn patch_set(
    repository: &Repository,
    url: &PushUrl,
    number: u64,
    wanted: Option<u32>,
) -> Result<Option<RemoteRef>, GitError> {
    let prefix = format!("refs/changes/{:02}/{number}/", number % 100);
    let of =
        |found: &RemoteRef| -> Option<u32> { found.reference.strip_prefix(&prefix)?.parse().ok() };
    // The ref `meta` lies beside the patch sets.
    Ok(list(repository, url, &format!("{prefix}*"))?
        .into_iter()
        .filter(|found| {
            of(found).is_some_and(|number| wanted.is_none_or(|wanted| wanted == number))
        })
        .max_by_key(of))
}

fn list(repository: &Repository, url: &PushUrl, pattern: &str) -> Result<Vec<RemoteRef>, GitError> {
    let listed = repository.interactive_text(["ls-remote", "--", url.for_git(), pattern])?;
    let found = |(commit, name): (&str, &str)| RemoteRef {
        commit: commit.to_owned(),
        reference: name.to_owned(),
    };
    Ok(listed
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(found)
        .collect())
}

/// Fetches a ref of a server into a store of objects. The user's repository provides only the
/// configuration: none of its refs and files is written. It needs git 2.29 or newer.
///
/// # Errors
///
/// [`GitError`].
pub fn fetch(
    repository: &Repository,
    url: &PushUrl,
    reference: &str,
    objects: &Path,
) -> Result<(), GitError> {
    let own = repository.text([
        "rev-parse",
        "--path-format=absolute",
        "--git-path",
        "objects",
    ])?;
    let repository = repository
        .clone()
        .with_variable("GIT_OBJECT_DIRECTORY", objects)
        .with_variable("GIT_ALTERNATE_OBJECT_DIRECTORIES", own);
    repository
        .interactive_text([
            "-c",
            "protocol.ext.allow=never",
            "-c",
            "fetch.writeCommitGraph=false",
            "fetch",
            "--quiet",
            "--no-write-fetch-head",
            "--no-tags",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            "--refmap=",
            "--",
            url.for_git(),
            reference,
        ])
        .map(drop)
}

/// Asks for the changes of a Change-Id over the repository's own transport; `None` if that is not
/// Gerrit's.
pub(super) fn query(
    repository: &Repository,
    url: &PushUrl,
    id: &ChangeId,
) -> Result<Vec<Queried>, QueryError> {
    match url.transport {
        Transport::Ssh => {}
        Transport::Http | Transport::Https => return rest::query(repository, url, id),
        Transport::Git | Transport::File => return Ok(Vec::new()),
    }
    let user = url
        .user
        .as_ref()
        .map(|user| format!("{user}@"))
        .unwrap_or_default();
    let mut words = Vec::new();
    if let Some(port) = url.port {
        words.extend(["-p".to_owned(), port.to_string()]);
    }
    words.push(format!("{user}{}", url.host));
    words.extend(["gerrit", "query", "--format=JSON"].map(str::to_owned));
    words.push(format!("change:{id}"));
    let answer = over_ssh(repository, &words)?;
    let lines = answer.lines();
    // The last line is `{"type":"stats",…}`.
    Ok(lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

/// Calls the program that git would call: `GIT_SSH_COMMAND`, `core.sshCommand`, else ssh.
fn over_ssh(repository: &Repository, words: &[String]) -> Result<String, GitError> {
    let configured = match repository.environment().get("GIT_SSH_COMMAND") {
        Some(command) => Some(command.to_string_lossy().into_owned()),
        None => repository.config("core.sshCommand")?,
    };
    // Git also gives it to a shell. The words are no part of the script's text.
    let script = format!(
        "{} -o BatchMode=yes \"$@\"",
        configured.as_deref().unwrap_or("ssh")
    );
    let mut arguments = vec!["-c", &script, "ssh"];
    arguments.extend(words.iter().map(String::as_str));
    repository.program("sh", &arguments, b"")
}
