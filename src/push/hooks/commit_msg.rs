//! The hook commit-msg: gives a message its Change-Id.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::chained::{KeptError, call_kept};
use super::hook_file::{Hook, HookFile};
use crate::fs::replace;
use crate::gerrit::change_id;
use crate::gerrit::change_id::{AddedChangeId, ChangeIdSettings};
use crate::git::{GitError, Repository};

/// Why a message was not dealt with; git then does not commit.
#[derive(Debug, thiserror::Error)]
pub enum CommitMsgError {
    /// The message's file could not be read or replaced.
    #[error("cannot give {path} a Change-Id: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nothing but comments.
    #[error("{path} holds no message; write one, or leave the editor with an error to give up the commit", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// git could not place the trailer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The hook that was there before said no.
    #[error(transparent)]
    Kept(#[from] KeptError),
}

/// Answers the hook: calls the one that was there before, and adds a Change-Id to the message in this file, where it wants
/// one. The file is replaced whole or not at all.
///
/// # Errors
/// [`CommitMsgError`]; the file is as it was then, or as the hook before left it.
pub fn commit_msg(repository: &Repository, file: &Path) -> Result<(), CommitMsgError> {
    let hook = HookFile::of(repository, Hook::CommitMsg)?;
    call_kept(&hook, &[file.as_os_str().to_owned()], b"")?;
    let unusable = |source| CommitMsgError::File {
        path: file.to_owned(),
        source,
    };
    let path = repository.directory().join(file);
    let settings = ChangeIdSettings::of(repository)?;
    let message = fs::read(&path).map_err(unusable)?;
    let seed = change_id::seed_of(repository)?;
    match change_id::add(repository, &message, &settings, &seed)? {
        AddedChangeId::Message(message) => {
            let mode = fs::metadata(&path).map_err(unusable)?.permissions().mode();
            replace(&path, mode & 0o7777, &message).map_err(unusable)
        }
        AddedChangeId::Empty => Err(CommitMsgError::Empty {
            path: file.to_owned(),
        }),
        AddedChangeId::AlreadyThere | AddedChangeId::NotWanted | AddedChangeId::ToBeSquashed => {
            Ok(())
        }
    }
}
