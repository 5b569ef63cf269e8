//! Takes a snapshot of the files of a repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::exec::isolation::{Repository, text_of};
use crate::git::{Listed, Onlooker};

/// The longest time for which a working git holds its lock on the index.
const LOCKED: Duration = Duration::from_millis(300);

/// The pause between two looks at a lock.
const PAUSE: Duration = Duration::from_millis(5);

/// The files with rules of what git sees, below the directory that all work trees share.
const RULES: [&str; 2] = ["info/exclude", "info/attributes"];

/// The tracked and the new files of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// The files by their path relative to the top.
    pub files: BTreeMap<PathBuf, Entry>,
    /// See [`crate::git::Listing::unread`].
    pub unread: BTreeSet<String>,
}

/// A file in a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// The file in git's index.
    pub listed: Listed,
    /// The file in the file system; `None` if it is not there.
    pub seen: Option<Seen>,
}

/// The metadata that tells two states of a file apart without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub kind: Kind,
    /// The size in bytes; 0 if it is neither a file nor a link.
    pub size: u64,
    /// The time of the last write in nanoseconds; 0 if it is neither a file nor a link.
    pub written: i128,
    /// The time of the last change of anything, which no program can set.
    pub changed: i128,
}

/// The kind of a file, as far as git knows modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Program,
    Link,
    /// A directory (an inner repository), a device and the like.
    Other,
}

impl Snapshot {
    /// Takes the snapshot.
    ///
    /// # Errors
    /// If git cannot be asked, with the reason.
    pub fn look(git: &Onlooker, repository: &Repository) -> Result<Self, String> {
        let top = &repository.top;
        check_index(repository)?;
        let listing = git.files(top).map_err(|error| error.to_string())?;
        let mut listed = listing.files;
        let own = (settings(repository).chain(rules(repository))).chain(stale_lock(repository));
        listed.extend(own.map(|path| (below(top, path), Listed::default())));
        let entry = |path: &Path, listed| Entry {
            listed,
            seen: seen(&top.join(path)),
        };
        Ok(Self {
            files: listed
                .into_iter()
                .map(|(path, listed)| (path.clone(), entry(&path, listed)))
                .collect(),
            unread: listing.unread,
        })
    }

    /// Takes a snapshot that also has all files of `before`. A file that is neither tracked nor new
    /// any more is gone, or ignored since.
    pub fn look_again(
        git: &Onlooker,
        repository: &Repository,
        before: &Self,
    ) -> Result<Self, String> {
        let mut after = Self::look(git, repository)?;
        for path in before.files.keys() {
            after.files.entry(path.clone()).or_insert_with(|| Entry {
                listed: Listed::default(),
                seen: seen(&repository.top.join(path)),
            });
        }
        Ok(after)
    }
}

/// Refuses an index that is no file: git would wait for ever for the writer of a named pipe.
fn check_index(repository: &Repository) -> Result<(), String> {
    let mut all = repository
        .git_directories
        .iter()
        .map(|git| git.join("index"));
    let in_the_way = all.find(|path| path.metadata().is_ok_and(|found| !found.is_file()));
    match in_the_way {
        Some(path) => Err(format!("{} is no file", path.display())),
        None => Ok(()),
    }
}

/// The checked-out branch or commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The text of the file: a branch, or the commit itself.
    text: String,
    commit: Option<String>,
}

impl Head {
    /// Reads it.
    ///
    /// # Errors
    /// If it cannot be read, with the reason.
    pub fn look(git: &Onlooker, repository: &Repository) -> Result<Self, String> {
        let path = Self::path(repository);
        let text = text_of(&repository.top.join(&path))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let commit = git.head(&repository.top);
        Ok(Self {
            text,
            commit: commit.map_err(|error| error.to_string())?,
        })
    }

    /// Returns the path of its file, relative to the top if it lies below it.
    pub fn path(repository: &Repository) -> PathBuf {
        let own = repository.git_directories.last();
        below(&repository.top, own.unwrap_or(&repository.top).join("HEAD"))
    }
}

/// Returns the path relative to the top if it lies below it.
fn below(top: &Path, path: PathBuf) -> PathBuf {
    match path.strip_prefix(top) {
        Ok(below) => below.to_owned(),
        Err(_) => path,
    }
}

fn rules(repository: &Repository) -> impl Iterator<Item = PathBuf> {
    let common = repository.git_directories.first();
    let files = common.map(|common| RULES.map(|name| common.join(name)));
    files.into_iter().flatten()
}

/// Returns the lock on the index if it stays, in which case git refuses to change anything. A lock
/// in use is soon gone.
fn stale_lock(repository: &Repository) -> Option<PathBuf> {
    let lock = repository.git_directories.last()?.join("index.lock");
    let deadline = Instant::now() + LOCKED;
    while lock.exists() {
        if Instant::now() > deadline {
            return Some(lock);
        }
        thread::sleep(PAUSE);
    }
    None
}

/// Returns the files that can make git run something, each hook as a file of its own.
fn settings(repository: &Repository) -> impl Iterator<Item = PathBuf> {
    repository.settings().into_iter().flat_map(|path| {
        let entries = fs::read_dir(&path).into_iter().flatten().flatten();
        let mut all: Vec<_> = entries.map(|entry| entry.path()).collect();
        if all.is_empty() {
            all.push(path);
        }
        all
    })
}

fn seen(path: &Path) -> Option<Seen> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let kind = kind(&metadata);
    let nanoseconds =
        |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    Some(match kind {
        Kind::Other => Seen {
            kind,
            size: 0,
            written: 0,
            changed: 0,
        },
        _ => Seen {
            kind,
            size: metadata.size(),
            written: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        },
    })
}

fn kind(metadata: &Metadata) -> Kind {
    let kind = metadata.file_type();
    match metadata.mode() & 0o100 {
        _ if kind.is_symlink() => Kind::Link,
        _ if !kind.is_file() => Kind::Other,
        0 => Kind::File,
        _ => Kind::Program,
    }
}
