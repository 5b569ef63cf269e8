//! Copies a checkout: work tree, repository and uncommitted files.
//!
//! Times stay, because make compares them; symbolic links stay links. Directories that are marked
//! as caches (cargo's `target`; <https://bford.info/cachedir/>), sockets and pipes are left out.
//! The source is only read.

use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

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

pub(super) fn is_cache(directory: &Path) -> bool {
    let mut head = [0; CACHE_SIGNATURE.len()];
    File::open(directory.join("CACHEDIR.TAG"))
        .and_then(|mut tag| tag.read_exact(&mut head))
        .is_ok_and(|()| head == *CACHE_SIGNATURE)
}

/// Adds the path, which errors of the operating system do not have.
fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
