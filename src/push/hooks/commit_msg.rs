//! The hook commit-msg: adds a Change-Id to a commit message.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::chained::{HookCall, KeptError};
use super::guard::Guard;
use super::hook::Hook;
use super::hook_file::HookFile;
use crate::config::Pipeline;
use crate::fs::replace;
use crate::gerrit::change_id;
use crate::gerrit::change_id::{AddedChangeId, ChangeIdSettings};
use crate::git::{GitError, Repository};

/// The most bytes of a message.
const LARGEST: u64 = 16 << 20;

/// An error that makes git stop the commit.
#[derive(Debug, thiserror::Error)]
pub enum CommitMsgError {
    /// The file of the message could not be read or replaced.
    #[error("cannot give {path} a Change-Id: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The message has only comments.
    #[error("{path} holds no message; write one, or leave the editor with an error to give up the commit", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// git could not add the trailer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The kept hook refused.
    #[error(transparent)]
    Kept(#[from] KeptError),
}

/// Runs the hook: calls the kept one (with `chain`), then adds a Change-Id to the message in this
/// file if it lacks one and there is a Gerrit. The file is replaced atomically.
///
/// # Errors
/// [`CommitMsgError`]; the file then is unchanged, or as the kept hook left it.
pub fn commit_msg(
    repository: &Repository,
    pipeline: &Pipeline,
    file: &Path,
    chain: bool,
) -> Result<(), CommitMsgError> {
    let call = HookCall {
        place: &HookFile::of(repository, Hook::CommitMsg)?,
        arguments: &[file.as_os_str().to_owned()],
        input: b"",
        chain,
    };
    if call.is_nested() {
        return Ok(());
    }
    call.call_kept()?;
    match Guard::of(repository, pipeline)?.wants_change_ids() {
        true => add_change_id(repository, file),
        false => Ok(()),
    }
}

fn add_change_id(repository: &Repository, file: &Path) -> Result<(), CommitMsgError> {
    let unusable = |source| CommitMsgError::File {
        path: file.to_owned(),
        source,
    };
    let path = repository.directory().join(file);
    let settings = ChangeIdSettings::of(repository)?;
    let message = crate::fs::read(&path, LARGEST).map_err(unusable)?;
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
