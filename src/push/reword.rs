//! `--fix`: adds missing Change-Ids to commit messages, and rewrites nothing else.
//!
//! A rewritten commit keeps tree, author, committer, both dates, encoding and notes, byte for byte.
//! Only the message and rewritten parents differ. Work tree and index stay as they are, because no
//! tree changes. The branch moves in one step, and only if it has not moved meanwhile.
//!
//! Refused if it would affect more than the branch: another branch or tag that has one of the
//! commits, a signature that would break, an unfinished operation.

use std::collections::BTreeMap;

use crate::gerrit::change_id;
use crate::gerrit::change_id::{AddedChangeId, ChangeIdSettings, CreateChangeId};
use crate::git::range::Commit;
use crate::git::{GitError, Repository};
use crate::push::preflight::{ChangeIdState, CommitFacts, state_of};

/// The reason why nothing was rewritten.
#[derive(Debug, thiserror::Error)]
pub enum RewordError {
    /// HEAD is detached, or an operation is unfinished.
    #[error(
        "--fix moves the branch, and HEAD is on none: git switch -c BRANCH (or finish the {0} first)"
    )]
    NoBranch(&'static str),
    /// Another ref has the commits.
    #[error(
        "--fix would leave `{holder}` behind with the old {short}; give it a Change-Id yourself (git rebase -i), or delete `{holder}`"
    )]
    Shared {
        /// The other ref.
        holder: String,
        /// The commit.
        short: String,
    },
    /// A signature would break.
    #[error(
        "--fix would break the signature of {0}: sign it again yourself, with the Change-Id (git commit --amend -S)"
    )]
    Signed(String),
    /// Gerrit would not find a Change-Id in the message.
    #[error(
        "the message of {0} ends in a way that leaves no place for a Change-Id where Gerrit finds it: write it yourself (git rebase -i)"
    )]
    Unplaceable(String),
    /// git failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Maps old to new hashes of the rewritten commits.
pub type Rewritten = BTreeMap<String, String>;

/// Rewrites the commits that lack a Change-Id and their descendants, and moves the branch. Returns
/// an empty map if there is nothing to do.
///
/// # Errors
/// [`RewordError`]; the branch has not moved then.
pub fn add_missing_ids(
    repository: &Repository,
    facts: &CommitFacts,
) -> Result<Rewritten, RewordError> {
    let Some(first) = facts.commits.iter().position(lacks_id) else {
        return Ok(Rewritten::new());
    };
    let repository = &repository.clone().for_writing();
    let touched = &facts.commits[first..];
    let branch = permitted(repository, facts, touched)?;
    let rewritten = rewrite(repository, touched)?;
    copy_notes(repository, &rewritten)?;
    let new_tip = rewritten.get(&facts.tip).unwrap_or(&facts.tip);
    let branch = format!("refs/heads/{branch}");
    let message = "kata-ci push --fix: add Change-Ids";
    repository.text(["update-ref", "-m", message, &branch, new_tip, &facts.tip])?;
    Ok(rewritten)
}

/// Returns true if the commit lacks a Change-Id. Commits that will be squashed need none.
fn lacks_id(commit: &Commit) -> bool {
    state_of(&commit.message) == ChangeIdState::Missing
        && !change_id::is_to_be_squashed(&commit.message)
}

/// Returns the branch, if nothing else is affected.
fn permitted<'a>(
    repository: &Repository,
    facts: &'a CommitFacts,
    touched: &[Commit],
) -> Result<&'a str, RewordError> {
    let branch = match (&facts.branch, facts.unfinished) {
        (Some(branch), None) => branch,
        (_, unfinished) => return Err(RewordError::NoBranch(unfinished.unwrap_or("work"))),
    };
    if let Some(signed) = touched.iter().find(|commit| commit.signed) {
        return Err(RewordError::Signed(signed.short().to_owned()));
    }
    let own = format!("refs/heads/{branch}");
    let Some(oldest) = touched.first() else {
        return Ok(branch);
    };
    let holders = repository.text([
        "for-each-ref",
        "--contains",
        &oldest.oid,
        "--format=%(refname)",
        "refs/heads",
        "refs/tags",
    ])?;
    match holders.lines().find(|holder| *holder != own) {
        Some(holder) => Err(RewordError::Shared {
            holder: holder.to_owned(),
            short: oldest.short().to_owned(),
        }),
        None => Ok(branch),
    }
}

fn rewrite(repository: &Repository, commits: &[Commit]) -> Result<Rewritten, RewordError> {
    // The user asked for it, so a configuration without Change-Ids does not count.
    let settings = ChangeIdSettings {
        create: CreateChangeId::Always,
        literal: true,
        ..ChangeIdSettings::of(repository)?
    };
    let mut rewritten = Rewritten::new();
    for commit in commits {
        let header = with_parents(&commit.header, &rewritten);
        let message = match lacks_id(commit) {
            true => with_id(repository, commit, &settings)?,
            false => commit.message.clone(),
        };
        if header != commit.header || message != commit.message {
            let content = [header, message].concat();
            let arguments = ["hash-object", "-t", "commit", "-w", "--stdin"];
            let oid = repository.bytes(arguments, &content)?;
            let oid = String::from_utf8_lossy(&oid).trim_end().to_owned();
            rewritten.insert(commit.oid.clone(), oid);
        }
    }
    Ok(rewritten)
}

/// Adds the Change-Id. Its seed has the old commit, so that two commits with the same message get
/// different ids.
fn with_id(
    repository: &Repository,
    commit: &Commit,
    settings: &ChangeIdSettings,
) -> Result<Vec<u8>, RewordError> {
    let mut seed = change_id::seed_of(repository)?;
    seed.extend_from_slice(commit.oid.as_bytes());
    let added = change_id::add(repository, &commit.message, settings, &seed)?;
    match added {
        AddedChangeId::Message(message)
            if matches!(state_of(&message), ChangeIdState::Good(..)) =>
        {
            Ok(message)
        }
        _ => Err(RewordError::Unplaceable(commit.short().to_owned())),
    }
}

/// Returns the header with the new hashes of rewritten parents.
fn with_parents(header: &[u8], rewritten: &Rewritten) -> Vec<u8> {
    let mut new = Vec::with_capacity(header.len());
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        let parent = line
            .strip_prefix(b"parent ")
            .and_then(|rest| std::str::from_utf8(rest).ok())
            .and_then(|oid| rewritten.get(oid.trim_end()));
        match parent {
            Some(parent) => new.extend_from_slice(format!("parent {parent}\n").as_bytes()),
            None => new.extend_from_slice(line),
        }
    }
    new
}

/// Copies the notes of every notes ref, as `git notes copy` does for a rebase.
fn copy_notes(repository: &Repository, rewritten: &Rewritten) -> Result<(), GitError> {
    if rewritten.is_empty() {
        return Ok(());
    }
    let refs = repository.text(["for-each-ref", "--format=%(refname)", "refs/notes"])?;
    for name in refs.lines() {
        let noted = repository.text(["notes", "--ref", name, "list"])?;
        let pairs: String = noted
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(_, old)| Some(format!("{old} {}\n", rewritten.get(old)?)))
            .collect();
        if !pairs.is_empty() {
            let arguments = ["notes", "--ref", name, "copy", "--force", "--stdin"];
            repository.bytes(arguments, pairs.as_bytes())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parents_that_were_rewritten_change() {
        let rewritten = Rewritten::from([("aaaa".to_owned(), "bbbb".to_owned())]);
        let header = b"tree aaaa\nparent aaaa\nparent cccc\nauthor x aaaa\n\n";
        let expected = b"tree aaaa\nparent bbbb\nparent cccc\nauthor x aaaa\n\n";
        assert_eq!(with_parents(header, &rewritten), expected);
    }

    #[test]
    fn what_will_be_squashed_gets_no_id() {
        let commit = |message: &[u8]| Commit {
            message: message.to_vec(),
            ..Commit::default()
        };
        assert!(lacks_id(&commit(b"a: b\n")));
        assert!(!lacks_id(&commit(b"fixup! a: b\n")));
        assert!(!lacks_id(&commit(b"a: b\n\nChange-Id: I1\n")));
    }
}
