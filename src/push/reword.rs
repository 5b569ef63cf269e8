//! `--fix`: adds missing Change-Ids to commit messages, and rewrites nothing else.
//!
//! A rewritten commit keeps tree, author, committer, both dates, encoding and notes, byte for byte.
//! Only the message and rewritten parents differ. Work tree and index stay as they are, because no
//! tree changes. The branch moves in one step, and only if it has not moved meanwhile.
//!
//! Not done where it would affect more than the branch: another branch, tag or remote that has one
//! of the commits, a signature that would break, a merge, something unfinished. git looks over the
//! repository before and after; the old tip stays reachable by a ref of its own, below
//! `refs/kata-ci/before-fix/`.

use std::collections::BTreeMap;

use crate::gerrit::change_id;
use crate::gerrit::change_id::{
    AddedChangeId, ChangeIdSettings, CreateChangeId, LinkServer, MessageOrigin,
};
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
    /// Others may have it.
    #[error(
        "--fix does not rewrite {short}, which `{holder}` has already: to rewrite it nonetheless, give it a Change-Id yourself (git rebase -i {short}~, mark it `reword`)"
    )]
    Published {
        /// The ref of the remote.
        holder: String,
        /// The commit.
        short: String,
    },
    /// A merge joins histories, and only its author knows how.
    #[error(
        "--fix does not rewrite the merge {short}: git rebase {target} makes one line of the commits, then kata-ci push --fix"
    )]
    Merge {
        /// The commit.
        short: String,
        /// The target branch.
        target: String,
    },
    /// `git replace` shows another commit in its place.
    #[error(
        "--fix does not rewrite {0}, which has a replacement (git replace --list): git replace -d {0} removes that"
    )]
    Replaced(String),
    /// Objects are missing or broken.
    #[error("--fix rewrites nothing in a repository that is not whole; git fsck says: {0}")]
    NotWhole(String),
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

/// The new hash of each rewritten commit, by its old one.
type Rewritten = BTreeMap<String, String>;

/// Rewrites the commits that lack a Change-Id, and all that are based on them, and moves the
/// branch. Returns the old and new hashes, oldest first; none if no commit lacks one.
///
/// # Errors
/// [`RewordError`]; the branch has not moved then.
pub fn add_missing_ids(
    repository: &Repository,
    facts: &CommitFacts,
) -> Result<Vec<(String, String)>, RewordError> {
    let Some(first) = facts
        .commits
        .iter()
        .position(|commit| lacks_id(commit, &facts.links))
    else {
        return Ok(Vec::new());
    };
    let repository = &repository.clone().for_writing();
    let touched = &facts.commits[first..];
    let branch = permitted(repository, facts, touched)?;
    whole(repository, &[])?;
    let rewritten = rewrite(repository, touched, &facts.links)?;
    let new_tip = rewritten.get(&facts.tip).unwrap_or(&facts.tip);
    whole(repository, &[new_tip])?;
    copy_notes(repository, &rewritten)?;
    move_branch(repository, branch, &facts.tip, new_tip)?;
    let pair = |commit: &Commit| Some((commit.oid.clone(), rewritten.get(&commit.oid)?.clone()));
    Ok(touched.iter().filter_map(pair).collect())
}

/// Has git check that nothing is missing below these commits; without one: in the whole repository.
fn whole(repository: &Repository, commits: &[&str]) -> Result<(), RewordError> {
    let words = [
        "fsck",
        "--connectivity-only",
        "--no-dangling",
        "--no-progress",
        "--no-reflogs",
    ];
    let checked = repository
        .clone()
        .for_writing()
        .answer([&words[..], commits].concat())?;
    if checked.status.success() {
        return Ok(());
    }
    let said = [checked.output, checked.errors].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<_> = said.lines().take(3).collect();
    Err(RewordError::NotWhole(lines.join("; ")))
}

/// Moves the branch, if it is still where it was. First the old tip gets a ref: a reflog may be
/// switched off.
fn move_branch(
    repository: &Repository,
    branch: &str,
    old: &str,
    new: &str,
) -> Result<(), GitError> {
    let message = "kata-ci push --fix: add Change-Ids";
    let (own, before) = (
        format!("refs/heads/{branch}"),
        format!("refs/kata-ci/before-fix/{branch}"),
    );
    repository.text(["update-ref", "-m", message, &before, old])?;
    repository.text(["update-ref", "-m", message, &own, new, old])?;
    Ok(())
}

/// Returns true if a commit needs a Change-Id and has none. A commit that is to be squashed needs
/// none.
fn lacks_id(commit: &Commit, links: &LinkServer) -> bool {
    state_of(&commit.message, links) == ChangeIdState::Missing
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
    if let Some(merge) = touched.iter().find(|commit| commit.parents.len() > 1) {
        return Err(RewordError::Merge {
            short: merge.short().to_owned(),
            target: facts.target.clone(),
        });
    }
    unreplaced(repository, touched)?;
    held_by_nobody_else(repository, branch, touched)?;
    Ok(branch)
}

fn unreplaced(repository: &Repository, touched: &[Commit]) -> Result<(), RewordError> {
    let replaced = repository.text(["for-each-ref", "--format=%(refname)", "refs/replace"])?;
    let has = |commit: &&Commit| replaced.lines().any(|name| name.ends_with(&commit.oid));
    match touched.iter().find(has) {
        Some(commit) => Err(RewordError::Replaced(commit.short().to_owned())),
        None => Ok(()),
    }
}

/// Whoever has a later commit has the oldest, too: there is no merge among them.
fn held_by_nobody_else(
    repository: &Repository,
    branch: &str,
    touched: &[Commit],
) -> Result<(), RewordError> {
    let own = format!("refs/heads/{branch}");
    let Some(oldest) = touched.first() else {
        return Ok(());
    };
    let places = ["refs/heads", "refs/tags", "refs/remotes", "refs/changes"];
    let asked = [
        "for-each-ref",
        "--contains",
        &oldest.oid,
        "--format=%(refname)",
    ];
    let holders = repository.text([&asked[..], &places].concat())?;
    let Some(holder) = holders.lines().find(|holder| *holder != own) else {
        return Ok(());
    };
    let (short, holder) = (oldest.short().to_owned(), holder.to_owned());
    Err(match holder.split('/').nth(1) {
        Some("remotes" | "changes") => RewordError::Published { holder, short },
        _ => RewordError::Shared { holder, short },
    })
}

fn rewrite(
    repository: &Repository,
    commits: &[Commit],
    links: &LinkServer,
) -> Result<Rewritten, RewordError> {
    // Asked for by name, so a configuration that wants no ids does not stand in the way.
    let settings = ChangeIdSettings {
        create: CreateChangeId::Always,
        origin: MessageOrigin::Commit,
        ..ChangeIdSettings::of(repository)?
    };
    let seed = change_id::seed_of(repository)?;
    let mut rewritten = Rewritten::new();
    for commit in commits {
        let header = with_parents(&commit.header, &rewritten);
        let message = match lacks_id(commit, links) {
            true => with_id(repository, commit, &settings, &seed, links)?,
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
    seed: &[u8],
    links: &LinkServer,
) -> Result<Vec<u8>, RewordError> {
    let seed = [seed, commit.oid.as_bytes()].concat();
    let added = change_id::add(repository, &commit.message, settings, &seed)?;
    match added {
        AddedChangeId::Message(message)
            if matches!(state_of(&message, links), ChangeIdState::Good(..)) =>
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
        let lacks_id = |commit: &Commit| lacks_id(commit, &LinkServer::default());
        assert!(lacks_id(&commit(b"a: b\n")));
        assert!(!lacks_id(&commit(b"fixup! a: b\n")));
        assert!(!lacks_id(&commit(b"a: b\n\nChange-Id: I1\n")));
    }
}
