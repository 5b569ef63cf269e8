//! The store of stamps: a file for each in `$XDG_STATE_HOME/kata-ci/stamps`, named by its key.
//!
//! A file is written aside and renamed, so it is whole. One that cannot be read, or has another
//! version, does not count. Old files are removed now and then; that only costs time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::StampFacts;
use crate::config::Reads;
use crate::model::JobId;
use crate::report::{FileError, write_aside};

/// Stamps that were not renewed for this long are removed.
const KEPT: Duration = Duration::from_secs(60 * 24 * 60 * 60);
/// Largest file to read, in bytes.
const LARGEST: u64 = 16 << 20;
/// The version of the files' format.
const VERSION: u32 = 1;

/// The stamp of a job that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    version: u32,
    /// The job.
    pub job: JobId,
    /// The time.
    pub passed: jiff::Timestamp,
    /// The id of the run.
    pub run: String,
    /// The facts that it depends on.
    pub facts: StampFacts,
}

impl Stamp {
    /// Creates a stamp with the current time.
    pub fn new(job: JobId, run: String, facts: StampFacts) -> Self {
        Self {
            version: VERSION,
            job,
            passed: crate::clock::now(),
            run,
            facts,
        }
    }
}

/// All jobs of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobList {
    version: u32,
    /// The jobs; true for one that reads the commits.
    jobs: Vec<(JobId, bool)>,
}

impl JobList {
    /// Creates the list of these jobs.
    pub fn new(jobs: impl IntoIterator<Item = (JobId, Reads)>) -> Self {
        let jobs = jobs.into_iter();
        Self {
            version: VERSION,
            jobs: jobs
                .map(|(id, reads)| (id, reads == Reads::Commits))
                .collect(),
        }
    }

    /// Returns the jobs.
    pub fn jobs(&self) -> impl Iterator<Item = (&JobId, Reads)> {
        self.jobs.iter().map(|(id, commits)| match commits {
            true => (id, Reads::Commits),
            false => (id, Reads::Tree),
        })
    }
}

/// The directory of the stamps.
#[derive(Debug, Clone)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// Opens the store in kata-ci's state directory.
    pub fn new(state: &Path) -> Self {
        Self {
            directory: state.join("stamps"),
        }
    }

    /// Returns the stamp of this key.
    pub fn stamp(&self, key: &str) -> Option<Stamp> {
        self.read(key)
            .filter(|stamp: &Stamp| stamp.version == VERSION)
    }

    /// Returns the job list of this key. An empty list does not count, because it would let
    /// everything through.
    pub fn job_list(&self, key: &str) -> Option<JobList> {
        self.read(key)
            .filter(|jobs: &JobList| jobs.version == VERSION && !jobs.jobs.is_empty())
    }

    /// Keeps a stamp.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub fn keep_stamp(&self, key: &str, stamp: &Stamp) -> Result<(), FileError> {
        self.write(key, stamp)
    }

    /// Keeps a job list, and removes old files.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub fn keep_job_list(&self, key: &str, jobs: &JobList) -> Result<(), FileError> {
        self.write(key, jobs)?;
        let _ = self.remove_old(SystemTime::now());
        Ok(())
    }

    fn read<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let bytes = crate::fs::read(&self.directory.join(key), LARGEST).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    fn write(&self, key: &str, content: &impl Serialize) -> Result<(), FileError> {
        let path = self.directory.join(key);
        fs::create_dir_all(&self.directory).map_err(|source| FileError {
            path: self.directory.clone(),
            source,
        })?;
        write_aside(&path, |file| {
            serde_json::to_writer(file, content).map_err(io::Error::other)
        })
    }

    fn remove_old(&self, now: SystemTime) -> io::Result<()> {
        for entry in self.directory.read_dir()?.flatten() {
            let modified = entry.metadata()?.modified()?;
            if now.duration_since(modified).is_ok_and(|age| age > KEPT) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let state = tempfile::tempdir().unwrap();
        let store = Store::new(state.path());
        (state, store)
    }

    #[test]
    fn what_was_kept_is_read_and_what_is_damaged_is_not() {
        let (_state, store) = store();
        let job = JobId::new("proxy", "test");
        let stamp = Stamp::new(job.clone(), "run".to_owned(), StampFacts::default());
        assert_eq!(store.stamp("k"), None);
        store.keep_stamp("k", &stamp).unwrap();
        assert_eq!(store.stamp("k"), Some(stamp.clone()));
        assert_eq!(store.job_list("k"), None, "a stamp is no job list");
        for damaged in ["", "{", "{\"version\":2}", "null"] {
            fs::write(store.directory.join("k"), damaged).unwrap();
            assert_eq!(store.stamp("k"), None, "{damaged}");
        }
        let other = Stamp {
            version: 2,
            ..stamp
        };
        store.keep_stamp("k", &other).unwrap();
        assert_eq!(store.stamp("k"), None);
    }

    #[test]
    fn a_roll_of_nothing_is_none() {
        let (_state, store) = store();
        store.keep_job_list("k", &JobList::new([])).unwrap();
        assert_eq!(store.job_list("k"), None);
        let job = JobId::new("proxy", "check");
        store
            .keep_job_list("k", &JobList::new([(job.clone(), Reads::Commits)]))
            .unwrap();
        let jobs = store.job_list("k").unwrap();
        assert_eq!(jobs.jobs().collect::<Vec<_>>(), [(&job, Reads::Commits)]);
    }

    #[test]
    fn old_ones_are_removed() {
        let (_state, store) = store();
        store.keep_job_list("k", &JobList::new([])).unwrap();
        store.remove_old(SystemTime::now()).unwrap();
        assert!(store.directory.join("k").exists());
        store.remove_old(SystemTime::now() + KEPT * 2).unwrap();
        assert!(!store.directory.join("k").exists());
    }
}
