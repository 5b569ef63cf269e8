//! Which jobs are in which repository at the same time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::JobId;

/// The jobs that run.
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

/// The jobs that one met in its repository, each with its directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Overlap(BTreeMap<JobId, PathBuf>);

impl RunningJobs {
    /// A job comes; the number that it goes by, above 0. It and those who are there have met.
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

    /// It goes; whom it met. Of one that has gone before, nobody.
    pub fn end(&mut self, number: u64) -> Overlap {
        let visiting = self.all.remove(&number);
        visiting.map(|visiting| visiting.met).unwrap_or_default()
    }
}

impl Overlap {
    /// Whether a file may be the doing of the job in this directory: not what lies in another's, unless that one holds ours.
    pub fn is_ours(&self, file: &Path, directory: &Path) -> bool {
        let depth = |directory: &Path| match file.starts_with(directory) {
            true => directory.components().count(),
            false => 0,
        };
        let deepest = self.0.values().map(|other| depth(other)).max();
        depth(directory) >= deepest.unwrap_or(0)
    }

    /// Those whose doing a file may be that this job is said to have left: who has part of its directory, or, when files
    /// outside of it are among them, everybody.
    pub fn who(&self, directory: &Path, has_outside: bool) -> Vec<JobId> {
        let touches = |other: &Path| other.starts_with(directory) || directory.starts_with(other);
        self.0
            .iter()
            .filter(|(_, other)| has_outside || touches(other))
            .map(|(job, _)| job.clone())
            .collect()
    }
}
