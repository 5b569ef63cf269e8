//! Makes a planned change, and takes it back.
//!
//! Before a file is replaced, its bytes before and after are recorded below `/var/lib/kata-ci` of
//! the host. The last record is what `revert` takes back, if the file still holds what was written.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::plan::FileChange;
use crate::clock;
use crate::fs::{remove_tree, replace, replace_kept};
use crate::host::root::HostRoot;

/// The records, on the host.
const RECORDS: &str = "/var/lib/kata-ci/docker";

/// The record of a change, besides the bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The file on the host.
    pub path: PathBuf,
    /// The command that made the change.
    pub command: String,
    /// The time.
    pub at: String,
    /// True if there was a file before.
    pub existed: bool,
}

/// The reason why nothing, or not all, was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The operating system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// Somebody changed the file between plan and change.
    #[error("{}: it was changed by somebody else just now; nothing was written", .0.display())]
    Moved(PathBuf),
    /// Somebody changed the file after kata-ci.
    #[error("{}: somebody changed it after `{}` wrote it at {}; nothing was written", .0.record.path.display(), .0.record.command, .0.record.at)]
    ChangedSince(Box<ChangedSince>),
    /// There is no change to take back.
    #[error("there is no change of kata-ci's to take back here")]
    Nothing,
}

/// A file that somebody changed after kata-ci.
#[derive(Debug)]
pub struct ChangedSince {
    /// The record of the change of kata-ci.
    pub record: Record,
    /// The bytes before that change; `None` without a file.
    pub before: Option<Vec<u8>>,
    /// The bytes that kata-ci wrote.
    pub after: Vec<u8>,
    /// The bytes that are there now; `None` without a file.
    pub now: Option<Vec<u8>>,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ChangeError {
    let path = path.to_owned();
    |error| ChangeError::Io { path, error }
}

/// The change that was taken back.
#[derive(Debug)]
pub struct Reverted {
    /// The record of the change.
    pub record: Record,
    /// False if the file held its old bytes already.
    pub is_written: bool,
}

/// The records of a host, locked against other calls.
#[derive(Debug)]
pub struct Records {
    root: HostRoot,
    directory: PathBuf,
    _lock: Flock<File>,
}

impl Records {
    /// Opens the records, and waits for another call that changes something.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn open(root: &HostRoot) -> Result<Self, ChangeError> {
        let directory = root
            .resolve(Path::new(RECORDS))
            .map_err(at(Path::new(RECORDS)))?;
        // daemon.json can hold passwords, and so can its copies.
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&directory).map_err(at(&directory))?;
        let name = directory.join("lock");
        let file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&name)
            .map_err(at(&name))?;
        let locked = Flock::lock(file, FlockArg::LockExclusive);
        let lock = locked.map_err(|(_, error)| at(&name)(error.into()))?;
        Ok(Self {
            root: root.clone(),
            directory,
            _lock: lock,
        })
    }

    /// Returns the records of a host, the oldest one first, without a lock.
    pub fn list(root: &HostRoot) -> Vec<Record> {
        let Ok(directory) = root.resolve(Path::new(RECORDS)) else {
            return Vec::new();
        };
        let all = numbers(&directory).into_iter();
        all.filter_map(|number| record(&entry(&directory, number)).ok())
            .collect()
    }

    /// Records a change and makes it.
    ///
    /// # Errors
    /// When it cannot be made: then the file is as it was.
    pub fn apply(&self, change: &FileChange, command: &str) -> Result<(), ChangeError> {
        let path = self.root.resolve(&change.path).map_err(at(&change.path))?;
        let now = self.root.read(&change.path).map_err(at(&change.path))?;
        if now != change.before {
            return Err(ChangeError::Moved(change.path.clone()));
        }
        let number = numbers(&self.directory).last().map_or(1, |last| last + 1);
        let place = entry(&self.directory, number);
        self.record(&place, change, command)?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        let written = replace_kept(&path, change.mode, &change.after);
        if written.is_err() {
            let _ = remove_tree(&place);
        }
        written.map_err(at(&change.path))
    }

    fn record(&self, place: &Path, change: &FileChange, command: &str) -> Result<(), ChangeError> {
        let record = Record {
            path: change.path.clone(),
            command: command.to_owned(),
            at: clock::now().to_string(),
            existed: change.before.is_some(),
        };
        let text = serde_json::to_vec_pretty(&record).unwrap_or_default();
        DirBuilder::new()
            .mode(0o700)
            .create(place)
            .map_err(at(place))?;
        if let Some(before) = &change.before {
            replace(&place.join("before"), 0o600, before).map_err(at(place))?;
        }
        replace(&place.join("after"), 0o600, &change.after).map_err(at(place))?;
        // Without it the others do not count.
        replace(&place.join("record.json"), 0o600, &text).map_err(at(place))
    }

    /// Takes the last change back if this command made it, to these bytes of this file. Returns
    /// false if it did not: then nothing is done.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn revert_if(&self, path: &Path, command: &str) -> Result<bool, ChangeError> {
        let last = Self::list(&self.root).pop();
        let is_it = last.is_some_and(|last| last.path == path && last.command == command);
        match is_it.then(|| self.revert()) {
            None | Some(Err(ChangeError::ChangedSince(_))) => Ok(false),
            Some(Ok(_)) => Ok(true),
            Some(Err(error)) => Err(error),
        }
    }

    /// Takes the last change back.
    ///
    /// # Errors
    /// When there is none, or somebody changed the file since.
    pub fn revert(&self) -> Result<Reverted, ChangeError> {
        let last = numbers(&self.directory)
            .into_iter()
            .rev()
            .find_map(|number| {
                let place = entry(&self.directory, number);
                record(&place).ok().map(|record| (place, record))
            });
        let (place, record) = last.ok_or(ChangeError::Nothing)?;
        let before = match record.existed {
            true => Some(fs::read(place.join("before")).map_err(at(&place))?),
            false => None,
        };
        let after = fs::read(place.join("after")).map_err(at(&place))?;
        let now = self.root.read(&record.path).map_err(at(&record.path))?;
        let is_written = now != before;
        if is_written && now.as_deref() != Some(&after) {
            return Err(ChangeError::ChangedSince(Box::new(ChangedSince {
                record,
                before,
                after,
                now,
            })));
        }
        if is_written {
            self.restore(&record.path, before.as_deref())?;
        }
        remove_tree(&place).map_err(at(&place))?;
        Ok(Reverted { record, is_written })
    }

    fn restore(&self, path: &Path, before: Option<&[u8]>) -> Result<(), ChangeError> {
        let place = self.root.resolve(path).map_err(at(path))?;
        match before {
            Some(bytes) => replace_kept(&place, 0o644, bytes).map_err(at(path)),
            None => fs::remove_file(&place).map_err(at(path)),
        }
    }
}

fn entry(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{number:04}"))
}

fn record(place: &Path) -> io::Result<Record> {
    let bytes = fs::read(place.join("record.json"))?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Returns the numbers of the records, in their order.
fn numbers(directory: &Path) -> Vec<u32> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}
