//! Finds a change at the server: by its name, with its companions, and whether its authors are
//! trusted.

use super::change_name::{ChangeName, NameKind};
use super::{Patchset, PostKey};
use crate::config::Review;
use crate::gerrit::rest::{ChangeInfo, ChangeKey, Client, RestError, RestErrorKind};
use crate::model::CommandError;

/// The most commits below a patch set whose authors are looked at.
const MOST_BELOW: usize = 40;

/// A change and one of its patch sets.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub change: ChangeInfo,
    pub patch_set: Patchset,
}

/// Converts an error of the server. One that is worth another try is 75, all others last.
pub(super) fn refused(error: &RestError) -> CommandError {
    let failed = match error.kind {
        RestErrorKind::Unavailable => CommandError::machine(error.clone()),
        RestErrorKind::NotFound => CommandError::usage(error.clone())
            .hint("see whether the number is right, and whether this account may see the change"),
        _ => CommandError::unavailable(error.clone()),
    };
    match error.fix() {
        Some(fix) => failed.hint(fix),
        None => failed,
    }
}

/// Finds the change that a name means.
pub(super) fn find(client: &Client, name: &ChangeName) -> Result<Found, CommandError> {
    let mut options = Patchset::OPTIONS.to_vec();
    options.push("MESSAGES");
    let (change, wanted) = match &name.kind {
        NameKind::Number { number, project } => {
            let key = match project {
                Some(project) => ChangeKey::new(project, *number),
                None => ChangeKey::any(&number.to_string()),
            };
            let change = client
                .change(&key, &options)
                .map_err(|error| refused(&error))?;
            (change, name.patch_set)
        }
        NameKind::ChangeId(id) => {
            let query = format!("change:{id}");
            (one_of(client, &query, id, &options)?, name.patch_set)
        }
        NameKind::Commit(sha) => {
            let change = one_of(client, &format!("commit:{sha}"), sha, &options)?;
            let mut revisions = change.revisions.iter();
            let revision = revisions.find(|(known, _)| known.starts_with(sha.as_str()));
            let number = revision.map(|(_, revision)| revision.number);
            (change, name.patch_set.or(number))
        }
    };
    let patch_set = Patchset::of(&change, wanted, client.server()).ok_or_else(|| {
        let wanted = wanted.unwrap_or_default();
        CommandError::usage(format!(
            "change {} has no patch set {wanted}",
            change.number
        ))
    })?;
    Ok(Found { change, patch_set })
}

/// Returns the one open change of a query, or its one closed change.
fn one_of(
    client: &Client,
    query: &str,
    name: &str,
    options: &[&str],
) -> Result<ChangeInfo, CommandError> {
    let mut found = client
        .query(query, options, 50)
        .map_err(|error| refused(&error))?;
    if found.iter().any(ChangeInfo::is_open) {
        found.retain(ChangeInfo::is_open);
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(CommandError::usage(format!(
            "{} has no change {name} that this account can see",
            client.server()
        ))),
        _ => {
            let all: Vec<_> = found
                .iter()
                .map(|one| format!("{} ({} {})", one.number, one.project, one.branch))
                .collect();
            Err(
                CommandError::usage(format!("{name} can mean any of {}", all.join(", ")))
                    .hint("name the one that is meant by its number"),
            )
        }
    }
}

/// Returns the number of the next run of a commit, from our own messages.
pub(super) fn next_run(change: &ChangeInfo, account: Option<u64>, sha: &str) -> u32 {
    let own = change.messages.iter().filter(|message| {
        let author = message.author.as_ref().map(|author| author.id);
        account.is_some() && author == account
    });
    let keys = own.filter_map(|message| PostKey::of_verdict(message.tag.as_deref()?));
    let of_commit = keys.filter(|key| key.sha == sha).map(|key| key.run);
    of_commit.max().map_or(1, |newest| newest.saturating_add(1))
}

/// Returns the tip of the target branch.
pub(super) fn target(client: &Client, patch_set: &Patchset) -> Result<String, RestError> {
    #[derive(serde::Deserialize)]
    struct Branch {
        revision: String,
    }
    let path = format!(
        "projects/{}/branches/{}",
        encoded(&patch_set.project),
        encoded(&patch_set.branch)
    );
    Ok(client.get::<Branch>(&path, &[])?.revision)
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Returns the open changes of the same topic in other projects, for the same branch.
pub(super) fn of_topic(client: &Client, patch_set: &Patchset) -> Result<Vec<Found>, RestError> {
    let Some(topic) = (patch_set.topic.as_ref()).filter(|topic| !topic.contains(['"', '\\']))
    else {
        return Ok(Vec::new());
    };
    let query = format!("status:open topic:\"{topic}\"");
    let found = client.query(&query, &Patchset::OPTIONS, 50)?;
    let others = found.into_iter().filter(|one| {
        let same_topic = one.topic.as_deref() == Some(topic.as_str());
        same_topic && one.project != patch_set.project && one.branch == patch_set.branch
    });
    let with_patch_set = |change: ChangeInfo| {
        let patch_set = Patchset::of(&change, None, client.server())?;
        Some(Found { change, patch_set })
    };
    Ok(others.filter_map(with_patch_set).collect())
}

fn lagging(query: &str) -> RestError {
    RestError {
        kind: RestErrorKind::Unavailable,
        request: format!("query {query}"),
        status: None,
        said: "the server's index does not have the patch set yet".to_owned(),
    }
}

/// The trust in the authors of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AuthorTrust {
    /// All of them are in a trusted group.
    Trusted,
    /// One of them is not, for this reason.
    Stranger(String),
}

/// Finds out whether all authors of these commits are trusted: owner and uploader of the patch set
/// that each belongs to. A commit of no change is a stranger's. `own` is the patch set, which does
/// belong to one: while the server does not find it, nothing can be said.
pub(super) fn trust(
    client: &Client,
    review: &Review,
    commits: &[String],
    own: &str,
) -> Result<AuthorTrust, RestError> {
    let stranger = |why: String| Ok(AuthorTrust::Stranger(why));
    if review.trusted.is_empty() {
        return stranger("no group is trusted ([review] trusted)".to_owned());
    }
    if commits.len() > MOST_BELOW {
        return stranger(format!("{} commits are not merged yet", commits.len()));
    }
    for commit in commits {
        let query = format!("commit:{commit}");
        let found = client.query(&query, &["ALL_REVISIONS", "DETAILED_ACCOUNTS"], 5)?;
        let Some((change, revision)) = found
            .iter()
            .find_map(|change| Some((change, change.revision(commit)?)))
        else {
            match commit == own {
                true => return Err(lagging(&query)),
                false => return stranger(format!("{commit} belongs to no change")),
            }
        };
        let is_current = change.current_revision.as_ref() == Some(commit);
        let by_owner = revision.uploader.id == change.owner.id;
        let mut is_trusted = false;
        for group in review
            .trusted
            .iter()
            .filter(|group| !group.contains(['"', '\\']))
        {
            let uploader = match (by_owner, is_current) {
                (true, _) => String::new(),
                (false, true) => format!(" uploaderin:\"{group}\""),
                (false, false) => continue,
            };
            let query = format!("change:{} ownerin:\"{group}\"{uploader}", change.number);
            is_trusted |= match client.query(&query, &[], 1) {
                Ok(found) => found.iter().any(|one| one.number == change.number),
                // The server does not know the group.
                Err(error) if error.kind == RestErrorKind::BadRequest => false,
                Err(error) => return Err(error),
            };
        }
        if !is_trusted {
            return stranger(format!(
                "{} (change {}) is in no trusted group",
                crate::text::one_line(&change.owner.label(), 80),
                change.number
            ));
        }
    }
    Ok(AuthorTrust::Trusted)
}
