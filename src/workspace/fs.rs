//! Small questions to the file system.

use std::io;
use std::path::{Component as Segment, Path, PathBuf};

use super::WorkspaceError;

/// Names under which make finds a Makefile by itself, in its order.
const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// Whether `make` finds a Makefile in the directory.
pub(super) fn has_makefile(directory: &Path) -> bool {
    MAKEFILES.iter().any(|name| directory.join(name).is_file())
}

/// The directory as an absolute path. Symbolic links stay, because a GOPATH may be made of them; only what goes up (`..`)
/// cannot be told without the file system.
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
        // Without a slash at its end.
        true => Ok(path.components().collect()),
        false => Err(failed(io::ErrorKind::NotADirectory.into())),
    }
}

/// Directories in the directory by name, hidden ones left out.
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

/// Whether `inner` is `outer` or lies in it, symbolic links followed.
pub(super) fn is_inside(inner: &Path, outer: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    inner.starts_with(outer) || real(inner).starts_with(real(outer))
}
