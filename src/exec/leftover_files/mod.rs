//! Finds the files that a job leaves behind, by comparing its repository before and after the job.
//!
//! ```text
//! RepositorySnapshots (a run) ─▶ JobSnapshot (a job): look ─▶ attempts ─▶ look again ─▶ changes
//! ```
//! The whole repository is looked at, because a job may write beside its component. In git's own
//! directory, these are looked at: settings that could make git run something later, the rules of
//! what git sees, the checked-out commit, and a forgotten lock. Files that git ignores and the work
//! trees of submodules are not looked at. Whatever cannot be found out is reported as unknown.
//!
//! Changes of two jobs that ran in one repository at the same time cannot be told apart. A change
//! in the component of one of them counts as that one's. For any other change, each job names the
//! other.
//!
//! Processes, mounts and sockets are found by [`super::helper`], from inside of the sandbox
//! (`leftover_processes`). `super::attempts` joins the two, and [`crate::outcome`] judges them.
//!
//! kata-ci looks outside of the job's sandbox, so nothing that the repository names may run, see
//! [`Onlooker`].

mod changes;
mod running_jobs;
mod snapshot;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::isolation::Repository;
use crate::env::Environment;
use crate::event::{FileChange, LeftBehind, LeftFile};
use crate::git::Onlooker;
use crate::plan::Job;
use running_jobs::{Overlap, RunningJobs};
use snapshot::{Head, Snapshot};

/// The time that git gets for each call, because the next job may be waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most files that are named.
const NAMED: usize = 100;

/// The repositories of a run.
#[derive(Debug)]
pub(super) struct RepositorySnapshots {
    /// See [`super::RunOptions::written_meanwhile`].
    written_meanwhile: Vec<PathBuf>,
    git: OnceLock<Result<Onlooker, String>>,
    visits: Mutex<RunningJobs>,
}

/// A running job in its repository.
#[derive(Debug)]
pub(super) struct JobSnapshot<'run> {
    snapshots: &'run RepositorySnapshots,
    number: u64,
    place: Result<JobRepository, String>,
}

/// The repository of a job, and its state before the job.
#[derive(Debug)]
struct JobRepository {
    repository: Repository,
    /// The job's own directory.
    directory: PathBuf,
    before: Snapshot,
    head: Head,
}

impl RepositorySnapshots {
    /// Starts without any job. For `written_meanwhile` see
    /// [`super::RunOptions::written_meanwhile`].
    pub fn new(written_meanwhile: Vec<PathBuf>) -> Self {
        Self {
            written_meanwhile,
            git: OnceLock::new(),
            visits: Mutex::default(),
        }
    }

    /// Looks at the repository of a job that is about to start.
    pub fn enter(&self, job: &Job) -> JobSnapshot<'_> {
        let located = locate(job);
        let number = match &located {
            Ok((repository, directory)) => {
                self.with_visits(|visits| visits.begin(&job.id, &repository.top, directory))
            }
            Err(_) => 0,
        };
        let place = located.and_then(|(repository, directory)| {
            let git = self.git()?;
            Ok(JobRepository {
                before: Snapshot::look(git, &repository)?,
                head: Head::look(git, &repository)?,
                repository,
                directory,
            })
        });
        JobSnapshot {
            snapshots: self,
            number,
            place,
        }
    }

    fn git(&self) -> Result<&Onlooker, String> {
        let git = self.git.get_or_init(|| {
            let found = Onlooker::find(&Environment::current(), PATIENCE);
            found.map_err(|error| error.to_string())
        });
        git.as_ref().map_err(Clone::clone)
    }

    /// Returns true if kata-ci itself writes to this file.
    fn is_own(&self, path: &Path) -> bool {
        let mut own = self.written_meanwhile.iter();
        own.any(|own| path.starts_with(own))
    }

    fn with_visits<T>(&self, change: impl FnOnce(&mut RunningJobs) -> T) -> T {
        change(&mut self.visits.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl JobSnapshot<'_> {
    /// Returns the files that the job left behind. Call it when no process of the job is left.
    ///
    /// # Errors
    /// If they cannot be found out, with the reason.
    pub fn leave(self) -> Result<LeftBehind, String> {
        let place = self.place.as_ref().map_err(Clone::clone)?;
        let git = self.snapshots.git()?;
        let top = &place.repository.top;
        let after = Snapshot::look_again(git, &place.repository, &place.before)?;
        let has_moved = Head::look(git, &place.repository)? != place.head;
        let met = self.snapshots.with_visits(|visits| visits.end(self.number));
        let unread = after.unread.difference(&place.before.unread);
        let mut unknown: Vec<_> = unread.map(|what| format!("files: {what}")).collect();
        let mut found = changes::between(&place.before, &after);
        found.retain(|path, _| {
            let path = top.join(path);
            met.is_ours(&path, &place.directory) && !self.snapshots.is_own(&path)
        });
        changes::confirm(git, top, &mut found, &mut unknown);
        let head = has_moved.then(|| (Head::path(&place.repository), FileChange::Changed));
        let files = (found.into_iter().map(|(path, found)| (path, found.change)))
            .chain(head)
            .collect();
        Ok(place.told(&files, &met, unknown))
    }
}

/// Unregisters a job that ended without [`JobSnapshot::leave`].
impl Drop for JobSnapshot<'_> {
    fn drop(&mut self) {
        self.snapshots.with_visits(|visits| visits.end(self.number));
    }
}

impl JobRepository {
    fn told(
        &self,
        files: &BTreeMap<PathBuf, FileChange>,
        met: &Overlap,
        unknown: Vec<String>,
    ) -> LeftBehind {
        let top = &self.repository.top;
        let is_outside = |path: &PathBuf| !top.join(path).starts_with(&self.directory);
        let own = self.directory.strip_prefix(top).unwrap_or(Path::new(""));
        let shared_with = match files.is_empty() {
            true => Vec::new(),
            false => met.who(&self.directory, files.keys().any(is_outside)),
        };
        LeftBehind {
            files: (files.iter().take(NAMED))
                .map(|(path, change)| LeftFile {
                    path: relative(path, own),
                    change: *change,
                })
                .collect(),
            more_files: files.len().saturating_sub(NAMED) as u64,
            shared_with,
            unknown,
            ..LeftBehind::default()
        }
    }
}

/// Finds the job's repository and its directory.
fn locate(job: &Job) -> Result<(Repository, PathBuf), String> {
    let directory = (job.directory.canonicalize()).map_err(|error| error.to_string())?;
    let home = job.environment.get("HOME");
    let home = home.map_or(Path::new("/"), Path::new);
    let repository = Repository::of(&directory, home);
    match repository.git_directories.is_empty() {
        true => Err("not in git".to_owned()),
        false => Ok((repository, directory)),
    }
}

/// Turns a path relative to the top into one relative to the job's directory.
fn relative(path: &Path, own: &Path) -> String {
    if path.is_absolute() {
        return path.to_string_lossy().into_owned();
    }
    let shared = (path.components().zip(own.components()))
        .take_while(|(one, other)| one == other)
        .count();
    let up = std::iter::repeat_n(Path::new(".."), own.components().count() - shared);
    let rest = path.components().skip(shared);
    let path: PathBuf = up
        .chain(rest.map(|part| Path::new(part.as_os_str())))
        .collect();
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod plants;
#[cfg(test)]
mod tests;
