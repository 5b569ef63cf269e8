//! Queries of the file system.

use std::io;
use std::path::{Component as Segment, Path, PathBuf};

use super::WorkspaceError;

/// The names under which make finds a Makefile, in its order.
pub(super) const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// Returns true if `make` finds a Makefile in the directory.
pub(super) fn has_makefile(directory: &Path) -> bool {
    MAKEFILES.iter().any(|name| directory.join(name).is_file())
}

/// Returns the directory as an absolute path. Symbolic links stay, because a GOPATH may be made of
/// them. Only `..` needs the file system to be resolved.
pub(super) fn absolute(directory: &Path) -> Result<PathBuf, WorkspaceError> {
    let failed = |source| WorkspaceError::Directory {
        directory: directory.to_owned(),
        source,
    };
    let path = match directory
        .components()
        .any(|part| part == Segment::ParentDir)
    {
        true => directory.canonicalize().map_err(failed)?,
        false => std::path::absolute(directory).map_err(failed)?,
    };
    match path.metadata().map_err(failed)?.is_dir() {
        // The components have no slash at the end.
        true => Ok(path.components().collect()),
        false => Err(failed(io::ErrorKind::NotADirectory.into())),
    }
}

/// Returns the subdirectories by name, without hidden ones.
pub(super) fn subdirectories(directory: &Path) -> Result<Vec<PathBuf>, WorkspaceError> {
    let failed = |source| WorkspaceError::Directory {
        directory: directory.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in directory.read_dir().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.path().is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Returns true if `inner` is `outer` or lies in it, with symbolic links followed.
pub(super) fn is_inside(inner: &Path, outer: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    inner.starts_with(outer) || real(inner).starts_with(real(outer))
}
