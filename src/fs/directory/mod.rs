//! A directory that is held: files are made in it whatever its name has come to lead to.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawMode};
use rustix::io::Errno;

use super::regular::{AT_ONCE, regular};

/// The beginning of the name of a file that is being written.
pub const ASIDE: &str = ".kata-ci-";

/// Others may read new files, as far as the umask lets them.
const FILE: Mode = Mode::from_raw_mode(0o666 as RawMode);
const DIRECTORY: Mode = Mode::from_raw_mode(0o777 as RawMode);

/// Opens a part of a path without following a link.
const PART: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Makes a file, and never opens an existing one.
const NEW: OFlags = OFlags::RDWR
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// The number of tries at a name that somebody else takes again and again.
const TRIES: usize = 20;

/// The permissions of a file that is written, and its user and group unless they are those of this
/// process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes {
    /// The permissions.
    pub mode: u32,
    /// The user and the group.
    pub owner: Option<(u32, u32)>,
}

impl Attributes {
    fn give(self, file: &File) -> io::Result<()> {
        let own = file.metadata()?;
        if let Some((user, group)) = self.owner
            && (own.uid(), own.gid()) != (user, group)
        {
            std::os::unix::fs::fchown(file, Some(user), Some(group))?;
        }
        file.set_permissions(Permissions::from_mode(self.mode))
    }
}

/// A directory that is held from [`Directory::hold`] on.
///
/// Its links are resolved then; later none is followed. If it was removed, it is made anew, part by
/// part. If another directory has its name, that one is taken. If a link or a file has it, every
/// call is an error.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
    held: Arc<Mutex<Option<Arc<OwnedFd>>>>,
}

impl Directory {
    /// Holds a directory.
    ///
    /// # Errors
    /// When there is none, or it may not be searched.
    pub fn hold(path: &Path) -> io::Result<Self> {
        let directory = Self::expect(path)?;
        directory.current()?;
        Ok(directory)
    }

    /// Holds a directory that somebody else may make yet: until then every call is an error.
    ///
    /// # Errors
    /// When its path cannot be resolved.
    pub fn expect(path: &Path) -> io::Result<Self> {
        let path = resolved(&std::path::absolute(path)?)?;
        let held = walk(&path, false).ok().map(Arc::new);
        Ok(Self {
            path,
            held: Arc::new(Mutex::new(held)),
        })
    }

    /// Holds a directory inside of this one, which is made if it is missing.
    ///
    /// # Errors
    /// When it cannot be made, or something else has its name.
    pub fn below(&self, name: &str) -> io::Result<Self> {
        let place = self.current()?;
        step(&place, OsStr::new(name), true)
            .map_err(|error| replaced(error, &self.path.join(name)))?;
        Self::hold(&self.path.join(name))
    }

    /// Its path without links, as it was when it was first held.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes an empty file, for writing and reading. A file, link or pipe of that name is removed
    /// first.
    ///
    /// # Errors
    /// When it cannot be made, or a directory has its name.
    pub fn create(&self, name: &OsStr) -> io::Result<File> {
        for _ in 0..TRIES {
            let place = self.current()?;
            match rustix::fs::unlinkat(&place, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
            match rustix::fs::openat(&place, name, NEW, FILE) {
                // Somebody was faster: with a file of that name, or by removing the directory.
                Err(Errno::EXIST | Errno::NOENT) => {}
                made => return Ok(made?.into()),
            }
        }
        Err(Errno::EXIST.into())
    }

    /// Opens a regular file to read it and to append to it; makes it if it is missing.
    ///
    /// # Errors
    /// When it cannot be opened, or is no regular file.
    pub fn append(&self, name: &OsStr) -> io::Result<File> {
        let how = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | AT_ONCE;
        let place = self.current()?;
        regular(rustix::fs::openat(&place, name, how, FILE)?.into())
    }

    /// Opens a regular file below this directory for reading. Neither its name nor one on the way
    /// may be a link.
    ///
    /// # Errors
    /// When the path is not one of plain names, the file cannot be opened, or it is no regular one.
    pub fn open(&self, below: &Path) -> io::Result<File> {
        let mut names = Vec::new();
        for part in below.components() {
            match part {
                Component::Normal(name) => names.push(name),
                _ => return Err(io::ErrorKind::InvalidInput.into()),
            }
        }
        let (last, way) = names.split_last().ok_or(io::ErrorKind::InvalidInput)?;
        let mut place = self.current()?;
        let mut path = self.path.clone();
        for name in way {
            path.push(name);
            let next = step(&place, name, false).map_err(|error| replaced(error, &path))?;
            place = Arc::new(next);
        }
        let how = OFlags::RDONLY | OFlags::NOFOLLOW | AT_ONCE;
        regular(rustix::fs::openat(&place, *last, how, Mode::empty())?.into())
    }

    /// Writes a file aside, syncs it and renames it into place. The file before stays until then.
    ///
    /// # Errors
    /// When it cannot be written: then nothing of it is there. When a directory has its name.
    pub fn write_aside(
        &self,
        name: &OsStr,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        self.write_aside_as(name, None, write)
    }

    /// Does the same with attributes of its own; others are as the umask has them.
    ///
    /// # Errors
    /// See [`Self::write_aside`].
    pub(super) fn write_aside_as(
        &self,
        name: &OsStr,
        attributes: Option<Attributes>,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let place = self.current()?;
        let (aside, file) = new_aside(&place)?;
        let permitted = attributes.map_or(Ok(()), |attributes| attributes.give(&file));
        let written = permitted
            .and_then(|()| written(&file, write))
            .and_then(|()| {
                let renamed = rustix::fs::renameat(&place, &aside, &place, name);
                renamed.map_err(io::Error::from)
            });
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&place, &aside, AtFlags::empty());
        }
        written.and_then(|()| sync(&place))
    }

    /// Removes a file, or a link to one. One that is not there is no error.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(self.current()?, name, AtFlags::empty()) {
            Err(error) if error != Errno::NOENT => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Returns true if the name leads to this file.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn holds(&self, name: &OsStr, file: &File) -> io::Result<bool> {
        let own = rustix::fs::fstat(file)?;
        match rustix::fs::statat(self.current()?, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok((found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the directory that has the path now; see [`Directory`].
    ///
    /// # Errors
    /// When a link or a file has its name, or it cannot be made anew.
    pub fn current(&self) -> io::Result<Arc<OwnedFd>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let found = walk(&self.path, held.is_some())?;
        match &*held {
            Some(before) if is_same(before, &found)? => Ok(Arc::clone(before)),
            _ => Ok(Arc::clone(held.insert(Arc::new(found)))),
        }
    }
}

/// Returns the absolute path, without links as far as it exists.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    match (fs::canonicalize(path), path.parent(), path.file_name()) {
        (Err(error), Some(parent), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
            Ok(resolved(parent)?.join(name))
        }
        (found, ..) => found,
    }
}

/// Goes to an absolute path part by part and follows no link.
fn walk(path: &Path, makes: bool) -> io::Result<OwnedFd> {
    let mut place = rustix::fs::openat(CWD, "/", PART, Mode::empty())?;
    let mut way = PathBuf::from("/");
    for part in path.components() {
        if let Component::Normal(name) = part {
            way.push(name);
            place = step(&place, name, makes).map_err(|error| replaced(error, &way))?;
        }
    }
    Ok(place)
}

fn step(place: &impl AsFd, name: &OsStr, makes: bool) -> rustix::io::Result<OwnedFd> {
    match rustix::fs::openat(place, name, PART, Mode::empty()) {
        Err(Errno::NOENT) if makes => {}
        found => return found,
    }
    match rustix::fs::mkdirat(place, name, DIRECTORY) {
        Ok(()) | Err(Errno::EXIST) => rustix::fs::openat(place, name, PART, Mode::empty()),
        Err(error) => Err(error),
    }
}

fn replaced(error: Errno, way: &Path) -> io::Error {
    match error {
        Errno::NOTDIR | Errno::LOOP => io::Error::new(
            io::ErrorKind::NotADirectory,
            format!(
                "{} is a link or a file now, and no directory: it is not followed",
                way.display()
            ),
        ),
        other => other.into(),
    }
}

fn is_same(one: &OwnedFd, other: &OwnedFd) -> io::Result<bool> {
    let (one, other) = (rustix::fs::fstat(one)?, rustix::fs::fstat(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

fn new_aside(place: &OwnedFd) -> io::Result<(String, File)> {
    for _ in 0..TRIES {
        let name = format!("{ASIDE}{:016x}", RandomState::new().build_hasher().finish());
        match rustix::fs::openat(place, &name, NEW, FILE) {
            Err(Errno::EXIST) => {}
            made => return Ok((name, made?.into())),
        }
    }
    Err(Errno::EXIST.into())
}

fn written(file: &File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut writer = BufWriter::new(file);
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    file.sync_all()
}

/// Syncs the directory itself, so that the name is there after a power loss.
fn sync(place: &OwnedFd) -> io::Result<()> {
    let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(place, ".", how, Mode::empty())?;
    Ok(rustix::fs::fsync(directory)?)
}

#[cfg(test)]
mod tests;
