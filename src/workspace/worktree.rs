//! Completes copies of checkouts whose repository lies elsewhere: `git worktree`, submodules.
//!
//! Their `.git` is a file that names the repository. A copy of that file would let jobs write to
//! the user's own index, or would be wrong if it is relative. So the copy gets a repository of its
//! own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::copy;
use crate::git::{Git, GitError};

/// The files that a work tree has for itself in a repository that it shares.
const OWN: [&str; 2] = ["HEAD", "index"];

/// Gives the copy of such a checkout a copy of its repository; leaves any other unchanged. If git
/// cannot tell, the copy stays as it is: the preflight asks git again, and reports the answer.
pub(super) fn detach(source: &Path, target: &Path, git: Option<&Git>) -> io::Result<()> {
    let link = target.join(".git");
    let Some(git) = git.filter(|_| link.is_file()) else {
        return Ok(());
    };
    let (Ok(own), Ok(common)) = (
        location(git, source, "--git-dir"),
        location(git, source, "--git-common-dir"),
    ) else {
        return Ok(());
    };
    fs::remove_file(&link)?;
    copy::tree(&common, &link)?;
    for name in OWN {
        if own.join(name).is_file() {
            fs::copy(own.join(name), link.join(name))?;
        }
    }
    let others = link.join("worktrees");
    if others.is_dir() {
        fs::remove_dir_all(others)?;
    }
    belongs_to_its_directory(git, &link).map_err(io::Error::other)
}

fn location(git: &Git, source: &Path, option: &str) -> Result<PathBuf, GitError> {
    // The option is relative to the directory, or absolute.
    Ok(source.join(git.path(source, option)?))
}

/// Makes the repository belong to its directory: a shared one may be bare, and that of a submodule
/// names its work tree.
fn belongs_to_its_directory(git: &Git, repository: &Path) -> Result<(), GitError> {
    let config = repository.join("config");
    let set = |arguments: &[&str]| {
        let mut words = vec!["config".as_ref(), "--file".as_ref(), config.as_os_str()];
        words.extend(arguments.iter().map(AsRef::<std::ffi::OsStr>::as_ref));
        git.run(Path::new("/"), &words)
    };
    set(&["core.bare", "false"])?;
    set(&["core.worktree", ".."])?;
    Ok(())
}
