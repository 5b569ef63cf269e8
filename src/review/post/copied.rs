//! Takes back votes of ours that the server copied to a commit that nobody ran.

use std::collections::BTreeMap;

use super::key::PostKey;
use super::standing::Standing;
use crate::gerrit::rest::{ChangeInfo, ChangeKey, Client, RestError, RestErrorKind, ReviewInput};

/// The most times that a change is looked at: patch sets may be pushed meanwhile.
const LOOKS: u32 = 5;

/// A vote that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// The commit that it stood on.
    pub sha: String,
    /// Its value.
    pub value: i32,
    /// The commit that it was given to.
    pub given_to: String,
}

/// Sets a vote of ours to 0 that stands on a commit that did not run, unless `is_proven` says that
/// the commit's jobs are known to pass. A vote that a person gave with the same account stays.
///
/// # Errors
/// [`RestError`].
pub fn take_back_copied(
    client: &Client,
    change: &ChangeKey,
    label: &str,
    is_proven: &dyn Fn(&str) -> bool,
) -> Result<Vec<TakenBack>, RestError> {
    let account = client.self_account()?.id;
    let mut taken = Vec::new();
    for _ in 0..LOOKS {
        let standing = Standing::look(client, change, account)?;
        let sha = standing.current().to_owned();
        let copied = standing.copied_vote(label).filter(|_| !is_proven(&sha));
        let Some((vote, key)) = copied.and_then(|vote| Some((vote.value, vote.given_by?))) else {
            break;
        };
        match client.review(change, &sha, &without_vote(label, &key, &sha)) {
            Ok(_) => taken.push(TakenBack {
                sha,
                value: vote,
                given_to: key.sha,
            }),
            // Another patch set is there, or the change is closed: the next look tells.
            Err(error) if error.kind == RestErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Ok(taken)
}

/// Returns true if a vote of ours stands on the current commit of a change, and was given to
/// another one. The change is described with labels and messages.
pub(crate) fn has_copied_vote(change: &ChangeInfo, account: u64, label: &str) -> bool {
    let standing = Standing {
        change: change.clone(),
        account,
    };
    standing.copied_vote(label).is_some()
}

fn without_vote(label: &str, key: &PostKey, sha: &str) -> ReviewInput {
    let short = key.sha.get(..7).unwrap_or(&key.sha);
    ReviewInput {
        message: format!(
            "The vote was given to {short} and copied here. This commit has not been run, so it is taken back."
        ),
        tag: PostKey::new(sha, 0).remark_tag(),
        labels: BTreeMap::from([(label.to_owned(), 0)]),
        ignore_automatic_attention_set_rules: true,
        ..ReviewInput::default()
    }
}
