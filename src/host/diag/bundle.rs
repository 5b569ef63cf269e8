//! Writes a bundle: a directory, or an archive `FILE.tar.zst`.
//!
//! Invariants: an existing file or directory is never written to, and no link is followed. All
//! files are readable for their owner only. Nothing is written that was not masked.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use crate::model::CommandError;

/// The permissions of files and directories.
const FILE: u32 = 0o600;
const DIRECTORY: u32 = 0o700;

/// Makes a file, and never opens an existing one.
const NEW: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// The level of compression.
const LEVEL: i32 = 6;

/// A bundle that is being written.
pub(super) enum Bundle {
    /// A directory.
    Directory {
        /// Its path.
        path: PathBuf,
        /// The directory itself, whatever its name has come to lead to.
        place: OwnedFd,
        /// The bytes written.
        bytes: u64,
    },
    /// An archive.
    Archive {
        /// Its path.
        path: PathBuf,
        /// The directory inside of it.
        name: String,
        /// The open archive.
        archive: Box<tar::Builder<zstd::Encoder<'static, File>>>,
    },
}

impl Bundle {
    /// Begins a bundle: an archive if the path ends in `.tar.zst`, else a directory.
    ///
    /// # Errors
    /// When something is there already, or nothing can be made there.
    pub fn begin(path: &Path) -> Result<Self, CommandError> {
        let begun = match path.to_string_lossy().ends_with(".tar.zst") {
            true => Self::archive(path),
            false => Self::directory(path),
        };
        begun.map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    "name another place with -o: nothing is overwritten"
                }
                _ => "name a place for a new file or directory with -o",
            };
            CommandError::path(path, &error, hint)
        })
    }

    fn directory(path: &Path) -> io::Result<Self> {
        rustix::fs::mkdirat(CWD, path, Mode::from_raw_mode(DIRECTORY))?;
        let how = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let place = rustix::fs::openat(CWD, path, how, Mode::empty())?;
        Ok(Self::Directory {
            path: path.to_owned(),
            place,
            bytes: 0,
        })
    }

    fn archive(path: &Path) -> io::Result<Self> {
        let file: File = rustix::fs::openat(CWD, path, NEW, Mode::from_raw_mode(FILE))?.into();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self::Archive {
            path: path.to_owned(),
            name: name.trim_end_matches(".tar.zst").to_owned(),
            archive: Box::new(tar::Builder::new(zstd::Encoder::new(file, LEVEL)?)),
        })
    }

    /// Adds a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), CommandError> {
        let written = match self {
            Self::Directory { place, bytes, .. } => {
                rustix::fs::openat(&*place, name, NEW, Mode::from_raw_mode(FILE))
                    .map_err(io::Error::from)
                    .and_then(|file| File::from(file).write_all(text.as_bytes()))
                    .inspect(|()| *bytes += text.len() as u64)
            }
            Self::Archive {
                archive,
                name: directory,
                ..
            } => {
                let mut header = tar::Header::new_gnu();
                header.set_size(text.len() as u64);
                header.set_mode(FILE);
                header.set_mtime(
                    crate::clock::now()
                        .as_second()
                        .try_into()
                        .unwrap_or_default(),
                );
                archive.append_data(&mut header, format!("{directory}/{name}"), text.as_bytes())
            }
        };
        written.map_err(|error| self.failed(name, &error))
    }

    /// Ends the bundle, and returns its size in bytes.
    ///
    /// # Errors
    /// When its last bytes cannot be written.
    pub fn end(self) -> Result<u64, CommandError> {
        match self {
            Self::Directory { bytes, .. } => Ok(bytes),
            Self::Archive { path, archive, .. } => {
                let ended = (*archive).into_inner().and_then(zstd::Encoder::finish);
                let size = ended.and_then(|file| {
                    file.sync_all()?;
                    Ok(file.metadata()?.len())
                });
                size.map_err(|error| {
                    // Half an archive is none.
                    let _ = rustix::fs::unlinkat(CWD, &path, AtFlags::empty());
                    CommandError::machine(format!("{}: {error}", path.display()))
                })
            }
        }
    }

    fn failed(&self, name: &str, error: &io::Error) -> CommandError {
        let (Self::Directory { path, .. } | Self::Archive { path, .. }) = self;
        CommandError::machine(format!("{}/{name}: {error}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_directory_is_new_and_its_owners_only() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("bundle");
        let mut bundle = Bundle::begin(&path).ok().unwrap();
        bundle.add("a.txt", "text").unwrap();
        assert!(bundle.add("a.txt", "again").is_err());
        symlink("/nonexistent", path.join("b.txt")).unwrap();
        assert!(bundle.add("b.txt", "text").is_err());
        assert_eq!(bundle.end().unwrap(), 4);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("a.txt"))), (0o700, 0o600));
        let again = Bundle::begin(&path).err().unwrap();
        assert!(again.to_string().contains("exists"), "{again}");
        symlink("elsewhere", place.path().join("link.tar.zst")).unwrap();
        assert!(Bundle::begin(&place.path().join("link.tar.zst")).is_err());
        assert!(!place.path().join("elsewhere").exists());
    }

    #[test]
    fn an_archive_holds_a_directory_of_its_name() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("kata.tar.zst");
        let mut bundle = Bundle::begin(&path).ok().unwrap();
        bundle.add("a.txt", "text").unwrap();
        assert!(bundle.end().unwrap() > 0);
        let file = File::open(&path).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap(), Path::new("kata/a.txt"));
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
    }
}
