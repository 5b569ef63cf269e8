//! Finds the files that match patterns below a directory, without following anything.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat};

use crate::outcome::Circumstance;

/// The most bytes of a file.
const LARGEST: u64 = 64 << 20;
/// The most bytes of all files.
const MOST_BYTES: u64 = 512 << 20;
/// The most entries of directories that are looked at.
const MOST_ENTRIES: usize = 1_000_000;
/// The deepest directory.
const DEEPEST: usize = 64;

/// The files by their path below the directory.
pub(super) type Found = BTreeMap<PathBuf, Seen>;

/// The place and the patterns of the files.
#[derive(Debug)]
pub(super) struct Look {
    directory: PathBuf,
    globs: GlobSet,
    /// The directories below which the patterns can match.
    roots: Vec<PathBuf>,
    /// The time by the clock of file systems.
    began: Option<SystemTime>,
}

/// A file and its content.
#[derive(Debug)]
pub(super) struct Seen {
    identity: (u64, u64),
    made: Option<SystemTime>,
    bytes: Vec<u8>,
}

impl Seen {
    /// Returns the content.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns true if the file was made or written since `before`, its state at that time. Times
    /// of writing prove nothing, since anybody can set them; nobody can set the time at which a
    /// file was made.
    pub(super) fn was_written_since(
        &self,
        before: Option<&Self>,
        began: Option<SystemTime>,
    ) -> bool {
        let was_made = match (self.made, began) {
            (Some(made), Some(began)) => made >= began,
            _ => before.is_none_or(|before| before.identity != self.identity),
        };
        let was_changed = before
            .is_some_and(|before| before.identity == self.identity && before.bytes != self.bytes);
        was_made || was_changed
    }
}

/// A walk through directories.
struct Walk<'a> {
    look: &'a Look,
    entries: usize,
    bytes: u64,
    found: Found,
}

impl Look {
    pub(super) fn new(directory: &Path, patterns: &[String]) -> Self {
        let mut globs = GlobSetBuilder::new();
        for pattern in patterns {
            // A pattern that is none was refused with the configuration.
            if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
                globs.add(glob);
            }
        }
        Self {
            directory: directory.to_owned(),
            globs: globs.build().unwrap_or_default(),
            roots: patterns.iter().map(|pattern| root(pattern)).collect(),
            began: now(),
        }
    }

    /// Returns the time of the look by the clock of file systems, if that could be asked.
    pub(super) fn began(&self) -> Option<SystemTime> {
        self.began
    }

    /// Returns the files that match.
    pub(super) fn find(&self) -> Result<Found, Circumstance> {
        let mut walk = Walk {
            look: self,
            entries: 0,
            bytes: 0,
            found: Found::new(),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, &self.directory, flags, Mode::empty())
            .map_err(|error| unread(&self.directory, &error.into()))?;
        walk.directory(&directory, Path::new(""), 0)?;
        Ok(walk.found)
    }

    /// Returns true if a pattern can match below the path, or the path leads to such a place.
    fn leads(&self, path: &Path) -> bool {
        let mut roots = self.roots.iter();
        roots.any(|root| root.starts_with(path) || path.starts_with(root))
    }
}

impl Walk<'_> {
    fn directory(
        &mut self,
        directory: &OwnedFd,
        at: &Path,
        depth: usize,
    ) -> Result<(), Circumstance> {
        let failed = |error: rustix::io::Errno| unread(at, &error.into());
        for entry in Dir::read_from(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            self.entries += 1;
            if self.entries > MOST_ENTRIES || depth > DEEPEST {
                return Err(too_much(at));
            }
            let path = at.join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name));
            let kind = kind(directory, entry.file_name(), entry.file_type());
            self.entry(directory, &path, kind, depth)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        directory: &OwnedFd,
        path: &Path,
        kind: FileType,
        depth: usize,
    ) -> Result<(), Circumstance> {
        let is_match = self.look.globs.is_match(path);
        let is_on_the_way = self.look.roots.iter().any(|root| root.starts_with(path));
        let name = path.file_name().unwrap_or_default();
        let open = |flags| {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | flags;
            openat(directory.as_fd(), name, flags, Mode::empty())
        };
        match kind {
            FileType::Directory if self.look.leads(path) => match open(OFlags::DIRECTORY) {
                Ok(below) => self.directory(&below, path, depth + 1),
                Err(error) => Err(unread(path, &error.into())),
            },
            FileType::RegularFile if is_match => {
                let file = open(OFlags::NONBLOCK | OFlags::NOCTTY);
                let seen = file
                    .map_err(io::Error::from)
                    .and_then(|file| self.read(file));
                let seen = seen.map_err(|error| unread(path, &error))?;
                self.found.insert(path.to_owned(), seen);
                Ok(())
            }
            FileType::Directory | FileType::RegularFile => Ok(()),
            FileType::Symlink if is_match || is_on_the_way => Err(odd(path, "a symbolic link")),
            _ if is_match => Err(odd(path, "no regular file")),
            _ => Ok(()),
        }
    }

    fn read(&mut self, file: OwnedFd) -> io::Result<Seen> {
        let mut file = File::from(file);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("is no regular file"));
        }
        let mut bytes = Vec::new();
        (&mut file).take(LARGEST + 1).read_to_end(&mut bytes)?;
        self.bytes += bytes.len() as u64;
        if bytes.len() as u64 > LARGEST {
            return Err(io::Error::other(format!(
                "is larger than {} MiB",
                LARGEST >> 20
            )));
        }
        if self.bytes > MOST_BYTES {
            let most = MOST_BYTES >> 20;
            return Err(io::Error::other(format!(
                "and others are larger than {most} MiB"
            )));
        }
        Ok(Seen {
            identity: (metadata.dev(), metadata.ino()),
            made: metadata.created().ok(),
            bytes,
        })
    }
}

/// Returns the kind of an entry. Some file systems do not tell it with the name.
fn kind(directory: &OwnedFd, name: &std::ffi::CStr, told: FileType) -> FileType {
    if told != FileType::Unknown {
        return told;
    }
    match statat(directory.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => FileType::from_raw_mode(found.st_mode),
        Err(_) => FileType::Unknown,
    }
}

/// Returns the part of a pattern before its first sign: the directory that it starts from.
fn root(pattern: &str) -> PathBuf {
    let is_plain = |part: &&str| !part.contains(['*', '?', '[', ']', '{', '}', '\\']);
    pattern.split('/').take_while(is_plain).collect()
}

/// Returns the time at which a file would be made now. That clock is a little behind others.
fn now() -> Option<SystemTime> {
    let file = tempfile::tempfile().ok()?;
    file.metadata().ok()?.modified().ok()
}

fn unread(path: &Path, error: &io::Error) -> Circumstance {
    Circumstance {
        what: format!(
            "its JUnit files cannot be read: {}: {error}",
            path.display()
        ),
        fix: "see that the step leaves them readable, and that `junit` names only them".to_owned(),
    }
}

fn odd(path: &Path, kind: &str) -> Circumstance {
    Circumstance {
        what: format!("{} is {kind}, which is not followed", path.display()),
        fix: "have the step write its reports as plain files in plain directories".to_owned(),
    }
}

fn too_much(path: &Path) -> Circumstance {
    Circumstance {
        what: format!(
            "`junit` leads through too many files or directories, at {}",
            path.display()
        ),
        fix: "name the directory of the reports in `junit`".to_owned(),
    }
}
