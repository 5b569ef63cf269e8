//! The directory of the lock and of dlv's log, which nobody else can write to.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use nix::unistd::geteuid;

/// The directory of root. It is gone after a restart.
const OF_ROOT: &str = "/run/kata-ci";

/// Returns the directory, and makes it if it is missing.
///
/// # Errors
/// When it cannot be made, or belongs to somebody else.
pub(super) fn made(named: Option<&Path>) -> io::Result<PathBuf> {
    let path = named.map_or_else(usual, Path::to_owned);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&path)?;
    let found = fs::symlink_metadata(&path)?;
    match found.is_dir() && found.uid() == geteuid().as_raw() {
        true => Ok(path),
        false => Err(io::Error::other(format!(
            "{} is no directory of this user's",
            path.display()
        ))),
    }
}

/// Returns the usual directory.
pub(super) fn usual() -> PathBuf {
    match geteuid().is_root() {
        true => PathBuf::from(OF_ROOT),
        false => std::env::temp_dir().join(format!("kata-ci-{}", geteuid())),
    }
}

/// Takes the lock of the one runtime that is debugged. `None` if another one is.
///
/// # Errors
/// When it cannot be opened.
pub(super) fn lock(run_dir: &Path) -> io::Result<Option<Flock<File>>> {
    let mut options = fs::OpenOptions::new();
    let file = options
        .append(true)
        .create(true)
        .open(run_dir.join("debug.lock"))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(error.into()),
    }
}
