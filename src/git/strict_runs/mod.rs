//! Remembers in which work trees jobs of the strict sandbox have run, for the commands after that.
//!
//! Such a job may write to its work tree, so it can leave files that lead git to run a program (see
//! [`super::seal`]), and builds that make a later test pass. Before the jobs, git's own files are
//! noted in kata-ci's state directory, which no such job can reach, and after the jobs, what
//! differs. As long as it lies there, git is not asked in that work tree ([`StrictRuns::check`]);
//! the user is told which files it is.
//!
//! Invariants: no program is asked here. Where something cannot be told, the answer is the careful
//! one. The record of a run that was killed has no end: then everything that changed since its
//! beginning counts.
//!
//! A record is a file of this user's. What another user's kata-ci ran in the tree is not known.

mod record;
mod tree;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use super::GitError;
use crate::dirs;
use crate::env::Environment;
use crate::fs;
use record::Record;

pub use tree::StrictTree;

/// The largest record to read, in bytes.
const LARGEST: u64 = 64 << 20;

/// The microseconds that are added at both ends of a run: the times of a file system go by ticks of
/// the kernel, of up to 10 ms.
const MARGIN: i64 = 20_000;

/// The records of strict runs.
#[derive(Debug, Clone)]
pub struct StrictRuns {
    /// `None` without a directory for state: then nothing can be remembered.
    directory: Option<PathBuf>,
    /// Directories in which nothing was found. They are looked at once, before any job.
    clean: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl StrictRuns {
    /// Returns the records in the state directory of the user.
    pub fn of(environment: &Environment) -> Self {
        let state = dirs::state(environment);
        Self {
            directory: state.map(|state| state.join("strict-runs")),
            clean: Arc::default(),
        }
    }

    /// Returns no records at all, for questions that lead to no program.
    pub(super) fn none() -> Self {
        Self {
            directory: None,
            clean: Arc::default(),
        }
    }

    /// Notes git's own files before strict jobs run in the work tree.
    ///
    /// # Errors
    ///
    /// When the record cannot be written: then no such job may run.
    pub fn begin(&self, tree: StrictTree) -> io::Result<StrictRun> {
        let Some(directory) = &self.directory else {
            return Err(io::Error::other(
                "there is no directory for it: neither HOME nor XDG_STATE_HOME is set",
            ));
        };
        let file = directory.join(name(&tree.top));
        let earlier = read(&file).ok().flatten();
        let record = Record::begin(tree, earlier, microseconds() - MARGIN);
        write(&file, &record)?;
        Ok(StrictRun { file })
    }

    /// Refuses a directory in which git could run what a strict job left.
    ///
    /// # Errors
    ///
    /// [`GitError::LeftBehind`] names the files.
    pub fn check(&self, directory: &Path) -> Result<(), GitError> {
        if self.is_clean(directory) {
            return Ok(());
        }
        let real = std::fs::canonicalize(directory);
        let real = real.as_deref().unwrap_or(directory);
        for (file, record) in self.records(real) {
            let files = match &record {
                Ok(record) => record.suspects(real),
                Err(_) => vec![real.join(".git")],
            };
            if !files.is_empty() {
                return Err(GitError::LeftBehind {
                    directory: real.to_owned(),
                    files,
                    record: file,
                });
            }
        }
        if let Ok(mut clean) = self.clean.lock() {
            clean.insert(directory.to_owned());
        }
        Ok(())
    }

    fn is_clean(&self, directory: &Path) -> bool {
        let clean = self.clean.lock();
        clean.is_ok_and(|clean| clean.contains(directory))
    }

    /// Returns the first file of the work tree, but for git's own, that was last changed while
    /// strict jobs ran that could write to it. A record of jobs that are over is removed if nothing
    /// of theirs is left.
    pub fn first_changed(&self, top: &Path) -> Option<PathBuf> {
        let mut changed = None;
        for (file, record) in self.records(top) {
            let first = match &record {
                Ok(record) => record.first_changed(top),
                Err(_) => Some(top.to_owned()),
            };
            if let (None, Ok(record)) = (&first, &record)
                && record.is_over()
                && record.first_changed(&record.top).is_none()
                && record.suspects(&record.top).is_empty()
            {
                let _ = std::fs::remove_file(file);
            }
            changed = changed.or(first);
        }
        changed
    }

    /// Returns true if the file or directory was last changed while strict jobs ran that could
    /// write there.
    pub fn changed(&self, path: &Path) -> bool {
        let real = std::fs::canonicalize(path);
        let real = real.as_deref().unwrap_or(path);
        let mut records = self.records(real);
        records.any(|(_, record)| record.map_or(true, |record| record.changed(real)))
    }

    /// Returns the records of the work trees that a directory lies in, each with its file. A record
    /// that cannot be read is an error.
    fn records(&self, directory: &Path) -> impl Iterator<Item = (PathBuf, io::Result<Record>)> {
        let records = self.directory.clone().filter(|records| records.is_dir());
        let files = records.into_iter().flat_map(move |records| {
            let above = directory.ancestors().map(name);
            above
                .map(move |name| records.join(name))
                .collect::<Vec<_>>()
        });
        files.filter_map(|file| {
            let record = read(&file).transpose()?;
            Some((file, record))
        })
    }
}

/// Strict jobs that run in a work tree. Drop it when all of them have ended.
#[derive(Debug)]
pub struct StrictRun {
    file: PathBuf,
}

/// Notes what the jobs left, when all of them have ended. If that cannot be written, everything
/// that changed since the beginning goes on to count.
impl Drop for StrictRun {
    fn drop(&mut self) {
        // Another run may have noted itself meanwhile.
        if let Ok(Some(mut record)) = read(&self.file) {
            record.end(microseconds() + MARGIN);
            let _ = write(&self.file, &record);
        }
    }
}

fn microseconds() -> i64 {
    crate::clock::now().as_microsecond()
}

/// Returns the name of the record of a work tree.
fn name(top: &Path) -> String {
    let digest = Sha256::digest(top.as_os_str().as_encoded_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digest}.json")
}

/// Reads a record; `None` if there is none.
fn read(file: &Path) -> io::Result<Option<Record>> {
    let bytes = match fs::read(file, LARGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes?,
    };
    let record: Record = serde_json::from_slice(&bytes)?;
    match record.is_known() {
        true => Ok(Some(record)),
        false => Err(io::Error::other("it is of another version of kata-ci")),
    }
}

fn write(file: &Path, record: &Record) -> io::Result<()> {
    fs::replace(file, 0o600, &serde_json::to_vec(record)?)
}

#[cfg(test)]
mod tests;
