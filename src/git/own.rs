//! Git's own files that lead git somewhere: the entry `.git`, configurations, `commondir`, hooks,
//! `info`, alternates, the repositories of submodules and other work trees. See
//! gitrepository-layout(5).

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Files that git writes all the time and that lead it nowhere. Every other entry of its directory
/// counts.
const MAY_CHANGE: [&str; 9] = [
    "index",
    "logs",
    "refs",
    "reftable",
    "objects",
    "packed-refs",
    "ORIG_HEAD",
    "FETCH_HEAD",
    "COMMIT_EDITMSG",
];

/// The files in `objects` that name further places of objects.
const ALTERNATES: [&str; 2] = ["info/alternates", "info/http-alternates"];

/// The most entries looked at; a repository has some dozens.
const MOST: usize = 20_000;

/// The deepest nesting of directories.
const DEEPEST: usize = 24;

/// The most bytes of a file that are read. A larger one is told by its times.
const READ: u64 = 256 << 10;

/// The description of an entry that is not there.
const NOTHING: &str = "nothing";

/// Each entry with a description of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own(BTreeMap<PathBuf, String>);

impl Own {
    /// Looks at the repository whose work tree has this top; `None` if it cannot be read or is too
    /// large.
    pub fn look(top: &Path) -> Option<Self> {
        let mut own = Self::default();
        let entry = top.join(".git");
        own.mark(&entry).ok()?;
        for directory in directories(&entry) {
            own.walk(&directory, DEEPEST).ok()?;
        }
        Some(own)
    }

    /// Looks at a path outside of git's directory, and below it if it is a directory; `None` if
    /// that cannot be read or is too large.
    pub fn of(path: &Path) -> Option<Self> {
        let mut own = Self::default();
        let enters = own.mark(path).ok()?;
        if enters {
            own.walk(path, DEEPEST).ok()?;
        }
        Some(own)
    }

    /// Returns the paths of the entries.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// Adds the entries of another repository.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Returns true if the entry is there.
    pub fn has(&self, path: &Path) -> bool {
        self.0.get(path).is_some_and(|is| is != NOTHING)
    }

    /// Returns the entries that changed, came or went, as they are now.
    pub fn differences(&self, now: &Self) -> BTreeMap<PathBuf, String> {
        let gone = self.0.keys().filter(|path| !now.0.contains_key(*path));
        let gone = gone.map(|path| (path.clone(), NOTHING.to_owned()));
        let other = (now.0.iter()).filter(|(path, is)| self.0.get(*path) != Some(is));
        let other = other.map(|(path, is)| (path.clone(), is.clone()));
        gone.chain(other).collect()
    }

    fn walk(&mut self, directory: &Path, depth: usize) -> io::Result<()> {
        if depth == 0 || self.0.len() > MOST {
            return Err(io::Error::other("too much of it"));
        }
        let is_repository = directory.join("HEAD").symlink_metadata().is_ok();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            match is_repository && MAY_CHANGE.iter().any(|one| name == *one) {
                true => self.pass(&path)?,
                // For servers that cannot ask git: repack(1) writes it.
                false if path.ends_with("info/refs") && path.is_file() => {}
                false if self.mark(&path)? => self.walk(&path, depth - 1)?,
                false => {}
            }
        }
        Ok(())
    }

    /// Notes anything but a file or a directory in the place of one, and alternates.
    fn pass(&mut self, path: &Path) -> io::Result<()> {
        let kind = path.symlink_metadata()?.file_type();
        if !kind.is_file() && !kind.is_dir() {
            self.mark(path)?;
        }
        if path.ends_with("objects") {
            for name in ALTERNATES {
                let path = path.join(name);
                if path.symlink_metadata().is_ok() {
                    self.mark(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Notes an entry and returns true if it is a directory.
    fn mark(&mut self, path: &Path) -> io::Result<bool> {
        let metadata = path.symlink_metadata();
        let is = match &metadata {
            Ok(metadata) => words(path, metadata)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => NOTHING.to_owned(),
            Err(error) => return Err(io::Error::from(error.kind())),
        };
        self.0.insert(path.to_owned(), is);
        Ok(metadata.is_ok_and(|metadata| metadata.is_dir()))
    }
}

fn words(path: &Path, metadata: &Metadata) -> io::Result<String> {
    let kind = metadata.file_type();
    Ok(if kind.is_dir() {
        "directory".to_owned()
    } else if kind.is_symlink() {
        format!("link {:?}", fs::read_link(path)?)
    } else if kind.is_file() {
        let what = match metadata.size() <= READ {
            true => digest(&bytes(path, READ)?),
            false => format!(
                "{} {} {}.{}",
                metadata.size(),
                metadata.ino(),
                metadata.ctime(),
                metadata.ctime_nsec()
            ),
        };
        format!("file {:o} {what}", metadata.mode() & 0o7777)
    } else {
        format!("other {:o}", metadata.mode())
    })
}

/// Returns git's directory of the work tree, and the one that it shares with others.
fn directories(entry: &Path) -> Vec<PathBuf> {
    let own = match entry.symlink_metadata() {
        Ok(metadata) if metadata.is_file() => {
            let named = line(entry).and_then(|line| {
                let path = line.strip_prefix(b"gitdir:")?.trim_ascii();
                Some(path.to_owned())
            });
            named.map(|named| beside(entry, &named))
        }
        Ok(_) => Some(entry.to_owned()),
        Err(_) => None,
    };
    let own = own.filter(|own| own.is_dir());
    let common = (own.as_ref())
        .and_then(|own| {
            Some(beside(
                &own.join("commondir"),
                &line(&own.join("commondir"))?,
            ))
        })
        .filter(|common| common.is_dir() && own.as_ref() != Some(common));
    own.into_iter().chain(common).collect()
}

/// Returns the path that a file names, relative to the file.
fn beside(file: &Path, named: &[u8]) -> PathBuf {
    let named = Path::new(std::ffi::OsStr::from_bytes(named));
    file.parent().unwrap_or(file).join(named)
}

fn line(file: &Path) -> Option<Vec<u8>> {
    let text = bytes(file, READ).ok()?;
    Some(text.trim_ascii_end().to_owned())
}

/// Reads a regular file, at most so much of it. Anything else, such as a link or a pipe that nobody
/// writes to, is an error.
pub(super) fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = (fs::File::options().read(true))
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
