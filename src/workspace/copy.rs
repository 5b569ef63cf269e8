//! Copies a checkout: work tree, repository and uncommitted files.
//!
//! Times stay, because make compares them; symbolic links stay links. Directories that are marked
//! as caches (cargo's `target`; <https://bford.info/cachedir/>), sockets and pipes are left out.
//! The source is only read.
//!
//! The repository may lie elsewhere: `git worktree`, submodules. Then `.git` is a file that names
//! it. A copy of that file would let jobs write to the user's own index, or would be wrong if it is
//! relative. So the copy gets a repository of its own.

use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::git::{Git, GitError};

use nix::libc;

/// The first bytes of a `CACHEDIR.TAG`.
const CACHE_SIGNATURE: &[u8; 43] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// Copies a directory to a path that does not exist yet. Missing parent directories are made.
pub(super) fn tree(source: &Path, target: &Path) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    directory(source, target)
}

fn directory(source: &Path, target: &Path) -> io::Result<()> {
    fs::create_dir(target)?;
    for entry in source.read_dir().map_err(|error| at(source, error))? {
        let entry = entry?;
        let (from, to) = (entry.path(), target.join(entry.file_name()));
        let kind = entry.file_type().map_err(|error| at(&from, error))?;
        if kind.is_symlink() {
            symlink(from.read_link()?, to)?;
        } else if kind.is_dir() {
            if !is_cache(&from) {
                directory(&from, &to)?;
            }
        } else if kind.is_file() {
            file(&from, &to).map_err(|error| at(&from, error))?;
        }
    }
    let metadata = source.metadata()?;
    // The owner can always write, so that the copy can be removed again.
    let mode = metadata.permissions().mode() | 0o700;
    fs::set_permissions(target, Permissions::from_mode(mode))?;
    keep_times(target, &metadata)
}

fn file(source: &Path, target: &Path) -> io::Result<()> {
    fs::copy(source, target)?;
    keep_times(target, &source.metadata()?)
}

fn keep_times(target: &Path, metadata: &Metadata) -> io::Result<()> {
    let times = FileTimes::new()
        .set_accessed(metadata.accessed()?)
        .set_modified(metadata.modified()?);
    File::open(target)?.set_times(times)
}

/// Returns true if a directory has a valid `CACHEDIR.TAG`. Does not block if a pipe lies in the
/// place of that file.
pub(super) fn is_cache(directory: &Path) -> bool {
    let mut head = [0; CACHE_SIGNATURE.len()];
    (File::options().read(true))
        .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
        .open(directory.join("CACHEDIR.TAG"))
        .and_then(|mut tag| tag.read_exact(&mut head))
        .is_ok_and(|()| head == *CACHE_SIGNATURE)
}

/// Adds the path, which errors of the operating system do not have.
fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

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
    tree(&common, &link)?;
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
    Ok(source.join(git.at(source).path(option)?))
}

/// Makes the repository belong to its directory: a shared one may be bare, and that of a submodule
/// names its work tree.
fn belongs_to_its_directory(git: &Git, repository: &Path) -> Result<(), GitError> {
    let config = repository.join("config");
    let set = |arguments: &[&str]| {
        let mut words = vec!["config".as_ref(), "--file".as_ref(), config.as_os_str()];
        words.extend(arguments.iter().map(AsRef::<std::ffi::OsStr>::as_ref));
        git.at("/").run(&words)
    };
    set(&["core.bare", "false"])?;
    set(&["core.worktree", ".."])?;
    Ok(())
}
