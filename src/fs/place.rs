//! A file that is to be written later.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Directory;
use super::directory::Attributes;

/// A name in a [`Directory`] that is held from now on, so that the file ends up where it was asked
/// for.
#[derive(Debug, Clone)]
pub struct Place {
    named: PathBuf,
    directory: Directory,
    name: OsString,
}

impl Place {
    /// Returns the place that a path leads to now. Its last part may be missing, or a link, which
    /// is not followed.
    ///
    /// # Errors
    /// When the path names no file, or cannot be resolved.
    pub fn of(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Ok(Self {
            named: path.to_owned(),
            directory: Directory::expect(directory)?,
            name: name.to_owned(),
        })
    }

    /// Returns the place of the file that a path leads to now. A link in its last part is followed.
    ///
    /// # Errors
    /// When the path names no file, or cannot be resolved.
    pub fn of_target(path: &Path) -> io::Result<Self> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self {
            named: path.to_owned(),
            ..Self::of(&target)?
        })
    }

    /// Returns the path as it was named.
    pub fn named(&self) -> &Path {
        &self.named
    }

    /// See [`Directory::append`].
    ///
    /// # Errors
    /// When it cannot be opened, or is no regular file.
    pub fn append(&self) -> io::Result<File> {
        self.directory.append(&self.name)
    }

    /// See [`Directory::write_aside`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_aside(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        self.directory.write_aside(&self.name, write)
    }

    /// See [`Directory::write_aside_as`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_aside_as(
        &self,
        attributes: Attributes,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        self.directory
            .write_aside_as(&self.name, Some(attributes), write)
    }
}
