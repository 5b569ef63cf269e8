//! The reasons for which a hook is left alone.

use std::io;
use std::path::PathBuf;

use super::hook::Hook;
use super::manager::{HookManager, shell_line};
use crate::git::GitError;

/// The reason why a hook was left alone.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file cannot be read or written.
    #[error("the hook {path} cannot be changed: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The manager writes the file anew, and the hook with it.
    #[error("{file} is {manager}'s, which writes it anew at any time; {advice}", file = file.display(), advice = manager.advice(*hook))]
    Managed {
        /// The script.
        file: PathBuf,
        /// The manager.
        manager: HookManager,
        /// The hook.
        hook: Hook,
    },
    /// The file is in the repository, so that others have it too.
    #[error("{file} is a file of the repository: put this into it, as the first line: {line}", file = file.display(), line = shell_line(*hook))]
    Tracked {
        /// The file.
        file: PathBuf,
        /// The hook.
        hook: Hook,
    },
    /// The hooks would hold in other repositories.
    #[error(
        "core.hooksPath ({0}) leads to hooks that other repositories have too: git config core.hooksPath \"$(git rev-parse --path-format=absolute --git-common-dir)/hooks\" gives this one its own (and leaves out the others there)"
    )]
    Shared(String),
    /// There are two other hooks, and only one can be kept.
    #[error("both {file} and {kept} are hooks of others: one must be moved away by hand first", file = file.display(), kept = kept.display())]
    TwoOthers {
        /// The hook in place.
        file: PathBuf,
        /// The hook that was kept before.
        kept: PathBuf,
    },
}
