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
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

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
    known: Arc<Mutex<Known>>,
}

/// The knowledge of the directory of records, as long as no record comes, goes or is written again.
#[derive(Debug, Default)]
struct Known {
    /// The time of the directory's last change; `None` if it is not there.
    changed: Option<(i64, i64)>,
    /// The names of the records; `None` if they cannot be listed.
    names: Option<BTreeSet<OsString>>,
    /// Directories in which nothing was found.
    clean: BTreeSet<PathBuf>,
    /// Tops of work trees whose submodules were found to be harmless.
    listed: BTreeSet<PathBuf>,
}

impl Known {
    /// Forgets everything if the directory of records has changed.
    fn renew(&mut self, directory: &Path) {
        let changed = directory.metadata().ok();
        let changed = changed.map(|found| (found.ctime(), found.ctime_nsec()));
        if changed.is_none() || changed != self.changed {
            *self = Self {
                changed,
                names: match changed {
                    Some(_) => listed(directory).ok(),
                    None => Some(BTreeSet::new()),
                },
                ..Self::default()
            };
        }
    }

    /// Returns true if there is no record.
    fn is_empty(&mut self) -> bool {
        self.names.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// Returns true if there may be a record of this name.
    fn may_have(&self, name: &str) -> bool {
        let names = self.names.as_ref();
        names.is_none_or(|names| names.contains(OsStr::new(name)))
    }
}

fn listed(directory: &Path) -> io::Result<BTreeSet<OsString>> {
    let entries = std::fs::read_dir(directory)?;
    entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect()
}

impl StrictRuns {
    /// Returns the records in the state directory of the user.
    pub fn of(environment: &Environment) -> Self {
        let state = dirs::state(environment);
        Self {
            directory: state.map(|state| state.join("strict-runs")),
            known: Arc::default(),
        }
    }

    /// Returns no records at all, for questions that lead to no program.
    pub(super) fn none() -> Self {
        Self {
            directory: None,
            known: Arc::default(),
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

    /// Returns true if there are any records.
    pub fn are_there(&self) -> bool {
        self.with_known(Known::is_empty) == Some(false)
    }

    /// Refuses a directory in which git could run what a strict job left.
    ///
    /// # Errors
    ///
    /// [`GitError::LeftBehind`] names the files.
    pub fn check(&self, directory: &Path) -> Result<(), GitError> {
        let is_clean = |known: &mut Known| known.is_empty() || known.clean.contains(directory);
        if self.with_known(is_clean).unwrap_or(true) {
            return Ok(());
        }
        let real = std::fs::canonicalize(directory);
        let real = real.as_deref().unwrap_or(directory);
        for (file, record) in self.records(real) {
            let files = match &record {
                Ok(record) => self.suspects(record, real),
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
        self.with_known(|known| known.clean.insert(directory.to_owned()));
        Ok(())
    }

    /// Refuses a directory, as [`Self::check`] does, also if jobs made a repository in the work
    /// tree a submodule, which git enters. `submodules` asks git for those of a repository.
    ///
    /// # Errors
    ///
    /// [`GitError::LeftBehind`] names the files.
    pub(super) fn check_with(
        &self,
        directory: &Path,
        submodules: impl Fn(&Path) -> Result<Vec<PathBuf>, GitError>,
    ) -> Result<(), GitError> {
        self.check(directory)?;
        if !self.are_there() {
            return Ok(());
        }
        let real = std::fs::canonicalize(directory);
        let real = real.as_deref().unwrap_or(directory);
        for (file, record) in self.records(real) {
            // One that cannot be read was refused.
            let Ok(record) = record else { continue };
            if self.with_known(|known| known.listed.contains(&record.top)) == Some(true) {
                continue;
            }
            for repository in record.repositories() {
                if let Some(further) = record.further(&submodules(repository)?) {
                    return Err(GitError::LeftBehind {
                        directory: real.to_owned(),
                        files: vec![further.join(".git")],
                        record: file,
                    });
                }
            }
            self.with_known(|known| known.listed.insert(record.top.clone()));
        }
        Ok(())
    }

    /// Returns the suspects of a record. Those of the whole work tree are looked for once.
    fn suspects(&self, record: &Record, directory: &Path) -> Vec<PathBuf> {
        let is_clean = self.with_known(|known| known.clean.contains(&record.top));
        if is_clean != Some(true) {
            let suspects = record.suspects();
            if !suspects.is_empty() {
                return suspects;
            }
            self.with_known(|known| known.clean.insert(record.top.clone()));
        }
        record.nearer(directory).into_iter().collect()
    }

    /// Passes on what is known of the records now; `None` without a directory for them.
    fn with_known<T>(&self, ask: impl FnOnce(&mut Known) -> T) -> Option<T> {
        let directory = self.directory.as_ref()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.renew(directory);
        Some(ask(&mut known))
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
                && record.suspects().is_empty()
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

    /// Returns what strict jobs made of a path that kata-ci goes by: the file itself, or a link on
    /// the way to it.
    pub fn made_on_the_way(&self, path: &Path) -> Option<PathBuf> {
        let above = path.ancestors().filter_map(|above| above.parent());
        let mut real: Vec<_> = above
            .filter_map(|above| above.canonicalize().ok())
            .collect();
        real.dedup();
        real.into_iter().find_map(|real| {
            let mut records = self.records(&real);
            records.find_map(|(_, record)| match record {
                Ok(record) => record.made_on_the_way(path),
                Err(_) => Some(path.to_owned()),
            })
        })
    }

    /// Returns the records of the work trees that a directory lies in, each with its file. A record
    /// that cannot be read is an error.
    fn records(&self, directory: &Path) -> impl Iterator<Item = (PathBuf, io::Result<Record>)> {
        let mut names: Vec<_> = directory.ancestors().map(name).collect();
        self.with_known(|known| names.retain(|name| known.may_have(name)));
        let records = self.directory.clone().into_iter();
        let files = records.flat_map(move |records| {
            let files = names.iter().map(|name| records.join(name));
            files.collect::<Vec<_>>()
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
