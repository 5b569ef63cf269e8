//! The files of a repository at a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::exec::isolation::{Repository, text_of};
use crate::git::{Listed, Onlooker};

/// How long git holds its lock on the index at most, where it is at work.
const LOCKED: Duration = Duration::from_millis(300);

/// Between two looks at a lock.
const PAUSE: Duration = Duration::from_millis(5);

/// Files that decide what git sees, below the directory that all work trees share.
const RULES: [&str; 2] = ["info/exclude", "info/attributes"];

/// Tracked files and new ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// By their path from the top.
    pub files: BTreeMap<PathBuf, Entry>,
    /// See [`crate::git::Listing::unread`].
    pub unread: BTreeSet<String>,
}

/// A file at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// What git has of it.
    pub listed: Listed,
    /// What the file system has of it; none when it is not there.
    pub seen: Option<Seen>,
}

/// What tells two states of a file apart without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub kind: Kind,
    /// Bytes; 0 for what is neither a file nor a link.
    pub size: u64,
    /// When its content was written, in nanoseconds; 0 as before.
    pub written: i128,
    /// When anything of it was changed, which no program can set.
    pub changed: i128,
}

/// What git knows of modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Program,
    Link,
    /// A directory is a repository within; devices and the like are not told apart.
    Other,
}

impl Snapshot {
    /// Looks; else says why that cannot be done.
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

    /// Looks also at what was there before and is neither tracked nor new any more: it is gone, or ignored since.
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

/// git waits for ever for the writer of a named pipe.
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

/// What is checked out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The branch, or the commit itself, as the file has it.
    text: String,
    commit: Option<String>,
}

impl Head {
    /// Looks; else says why that cannot be done.
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

    /// The file of it, from the top where it lies below that.
    pub fn path(repository: &Repository) -> PathBuf {
        let own = repository.git_directories.last();
        below(&repository.top, own.unwrap_or(&repository.top).join("HEAD"))
    }
}

/// A path from the top, where it lies below that.
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

/// The lock on the index, where it stays: then git refuses to change anything. One in use is soon gone.
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

/// What leads git to run something, each hook by itself.
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
