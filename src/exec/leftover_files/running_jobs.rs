//! Records which jobs run in the same repository at the same time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::JobId;

/// The running jobs.
#[derive(Debug, Default)]
pub(super) struct RunningJobs {
    last: u64,
    all: BTreeMap<u64, Visiting>,
}

#[derive(Debug)]
struct Visiting {
    job: JobId,
    top: PathBuf,
    directory: PathBuf,
    met: Overlap,
}

/// The jobs that a job overlapped with in its repository, each with its directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Overlap(BTreeMap<JobId, PathBuf>);

impl RunningJobs {
    /// Registers a running job and returns its ticket (at least 1). Jobs already running in the
    /// same repository are recorded as overlapping with it.
    pub fn begin(&mut self, job: &JobId, top: &Path, directory: &Path) -> u64 {
        let mut met = Overlap::default();
        for other in self.all.values_mut().filter(|other| other.top == top) {
            other.met.0.insert(job.clone(), directory.to_owned());
            met.0.insert(other.job.clone(), other.directory.clone());
        }
        self.last += 1;
        let visiting = Visiting {
            job: job.clone(),
            top: top.to_owned(),
            directory: directory.to_owned(),
            met,
        };
        self.all.insert(self.last, visiting);
        self.last
    }

    /// Unregisters the job and returns the jobs it overlapped with; empty if the ticket was
    /// returned before.
    pub fn end(&mut self, number: u64) -> Overlap {
        let visiting = self.all.remove(&number);
        visiting.map(|visiting| visiting.met).unwrap_or_default()
    }
}

impl Overlap {
    /// Returns true if the job in this directory may have written the file. A file in the directory
    /// of another job is that job's, unless that directory holds this one.
    pub fn is_ours(&self, file: &Path, directory: &Path) -> bool {
        let depth = |directory: &Path| match file.starts_with(directory) {
            true => directory.components().count(),
            false => 0,
        };
        let deepest = self.0.values().map(|other| depth(other)).max();
        depth(directory) >= deepest.unwrap_or(0)
    }

    /// Returns the jobs that may have written files which this job is said to have left: those that
    /// share a part of its directory, or all of them if `has_outside` is true.
    pub fn who(&self, directory: &Path, has_outside: bool) -> Vec<JobId> {
        let touches = |other: &Path| other.starts_with(directory) || directory.starts_with(other);
        self.0
            .iter()
            .filter(|(_, other)| has_outside || touches(other))
            .map(|(job, _)| job.clone())
            .collect()
    }
}
