//! The directory that holds the reports of a run.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::dirs;
use crate::env::Environment;
use crate::fs::{ASIDE, Directory, remove_tree};
use crate::model::CommandError;
use crate::report::{RESULT, ci};

/// Returns true if a run writes a file or directory of this name. That includes the temporary name
/// of a report.
pub(crate) fn is_ours(name: &str) -> bool {
    let mut names = OURS.iter().chain(&ci::FILES);
    names.any(|ours| *ours == name) || name.starts_with(ASIDE)
}

/// Names that a run writes in its directory, besides those for CI systems ([`ci::FILES`]). They are
/// removed before a new run begins. The journal goes last, because it marks the others as the files
/// of a run. Nothing else is touched.
const OURS: &[&str] = &[
    "junit.xml",
    "result.json",
    "report.html",
    "summary.md",
    "logs",
    DIAG_DIRECTORY,
    "review.json",
    "events.jsonl",
];

/// The directory for the diagnosis of the host, if the run failed and one was asked for.
pub(crate) const DIAG_DIRECTORY: &str = "diag";

/// A report directory that is locked by this run.
#[derive(Debug)]
pub(crate) struct ReportDirectory {
    /// Absolute path of the directory.
    pub path: PathBuf,
    /// Handle on the directory, opened before the jobs, so that a job cannot redirect what is
    /// written.
    pub held: Directory,
    /// Handle on the directory of the logs, for the same reason.
    pub logs: Directory,
    /// True if an earlier run was there and is replaced.
    pub replaced: bool,
    /// Lock that is held until the run is over, so that two runs cannot share a directory.
    _lock: File,
}

impl ReportDirectory {
    /// Opens the directory that the user named.
    pub(crate) fn named(path: &Path) -> Result<Self, CommandError> {
        Self::make(path).map_err(|error| refused(path, &error))
    }

    /// Creates the directory of the run below `$XDG_STATE_HOME/kata-ci/runs`.
    pub(crate) fn default(run_id: &str, environment: &Environment) -> Result<Self, CommandError> {
        Self::named(&runs_directory(environment)?.join(run_id))
    }

    /// Points the link `latest` to this run. The run needs a journal by then, so that it can be
    /// shown.
    pub(crate) fn become_latest(&self) -> Result<(), CommandError> {
        link_latest(&self.path).map_err(|error| refused(&self.path, &error))
    }

    /// Locks the directory of an earlier run, to resume it.
    pub(crate) fn occupy(path: &Path) -> Result<Self, Occupied> {
        let path = fs::canonicalize(path)?;
        let lock = lock(&path)?;
        Ok(Self::held(path, lock, false)?)
    }

    /// Removes the mark that the run has ended.
    pub(crate) fn reopen(&self) -> Result<(), CommandError> {
        let removed = self.held.remove(OsStr::new(RESULT));
        removed.map_err(|error| refused(&self.path, &error))
    }

    /// Returns the files that this process writes during the jobs: in this directory, and where the
    /// user redirected the output.
    pub(crate) fn written_meanwhile(&self) -> Vec<PathBuf> {
        let output = ["/proc/self/fd/1", "/proc/self/fd/2"].map(fs::read_link);
        ["logs", "events.jsonl"]
            .map(|name| self.path.join(name))
            .into_iter()
            .chain(output.into_iter().flatten())
            .collect()
    }

    fn make(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let path = fs::canonicalize(path)?;
        let lock = lock(&path).map_err(|occupied| match occupied {
            Occupied::Error(error) => error,
            Occupied::InUse => io::Error::other("another run is writing there"),
        })?;
        let replaced = path.join("events.jsonl").exists();
        clear(&path, replaced)?;
        Self::held(path, lock, replaced)
    }

    fn held(path: PathBuf, lock: File, replaced: bool) -> io::Result<Self> {
        let held = Directory::hold(&path)?;
        Ok(Self {
            path,
            logs: held.below("logs")?,
            held,
            replaced,
            _lock: lock,
        })
    }
}

/// The reason why the directory of an earlier run cannot be taken.
#[derive(Debug)]
pub(crate) enum Occupied {
    /// Another run writes there.
    InUse,
    /// The error of the system.
    Error(io::Error),
}

impl From<io::Error> for Occupied {
    fn from(error: io::Error) -> Self {
        Self::Error(error)
    }
}

/// Locks a directory for this process. The lock ends with the process, however that ends.
pub(crate) fn lock(path: &Path) -> Result<File, Occupied> {
    // A pipe in its place must not block.
    let lock = File::options()
        .read(true)
        .custom_flags(OFlag::O_DIRECTORY.bits())
        .open(path)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Occupied::InUse),
        Err(TryLockError::Error(error)) => Err(Occupied::Error(error)),
    }
}

/// Removes an earlier run. Files of these names without a journal beside them belong to somebody
/// else. Empty directories belong to nobody: a run that is killed before it has a journal leaves
/// one.
fn clear(path: &Path, ours: bool) -> io::Result<()> {
    for name in ci::FILES.iter().chain(OURS) {
        let entry = path.join(name);
        match entry.symlink_metadata() {
            Err(_) => {}
            Ok(found) if found.is_dir() && fs::remove_dir(&entry).is_ok() => {}
            Ok(_) if !ours => {
                return Err(io::Error::other(format!(
                    "holds a `{name}` that is not a run's"
                )));
            }
            Ok(found) if found.is_dir() => remove_tree(&entry)?,
            Ok(_) => fs::remove_file(&entry)?,
        }
    }
    Ok(())
}

fn refused(path: &Path, error: &io::Error) -> CommandError {
    CommandError::usage(format!(
        "the report directory {} cannot be used: {error}",
        path.display()
    ))
    .hint("name another with --report-dir DIR")
}

/// Returns the directory of the store: it holds a directory for each run, named after its id.
pub(crate) fn runs_directory(environment: &Environment) -> Result<PathBuf, CommandError> {
    let state = dirs::state(environment).ok_or_else(|| {
        CommandError::usage("neither XDG_STATE_HOME nor HOME says where reports go")
            .hint("name a place with --report-dir DIR")
    })?;
    Ok(state.join("runs"))
}

/// Points the link `latest` to this run, atomically.
fn link_latest(run: &Path) -> io::Result<()> {
    let name = run.file_name().unwrap_or_default();
    let mut aside = OsString::from(".latest-");
    aside.push(name);
    let aside = run.with_file_name(aside);
    symlink(name, &aside)?;
    fs::rename(&aside, run.with_file_name("latest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_run_is_replaced_and_nothing_else() {
        let temporary = tempfile::tempdir().unwrap();
        let first = ReportDirectory::named(temporary.path()).unwrap();
        assert!(!first.replaced);
        for name in ["events.jsonl", "logs/a.test.log", "mine.txt"] {
            fs::write(first.path.join(name), "x").unwrap();
        }
        drop(first);
        let second = ReportDirectory::named(temporary.path()).unwrap();
        assert!(second.replaced);
        let mut left: Vec<_> = fs::read_dir(&second.path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["logs", "mine.txt"]);
        assert_eq!(fs::read_dir(second.path.join("logs")).unwrap().count(), 0);
    }

    #[test]
    fn a_run_that_was_killed_before_its_journal_was_begun_keeps_nobody_away() {
        let temporary = tempfile::tempdir().unwrap();
        drop(ReportDirectory::named(temporary.path()).unwrap());
        assert!(!ReportDirectory::named(temporary.path()).unwrap().replaced);
        assert_eq!(OURS.last(), Some(&"events.jsonl"));
    }

    #[test]
    fn files_of_somebody_else_are_refused() {
        let temporary = tempfile::tempdir().unwrap();
        fs::write(temporary.path().join("junit.xml"), "mine").unwrap();
        let error = ReportDirectory::named(temporary.path()).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("`junit.xml` that is not a run's"),
            "{error}"
        );
        assert_eq!(
            fs::read_to_string(temporary.path().join("junit.xml")).unwrap(),
            "mine"
        );
    }

    #[test]
    fn two_runs_cannot_write_to_one_directory() {
        let temporary = tempfile::tempdir().unwrap();
        let _first = ReportDirectory::named(temporary.path()).unwrap();
        let error = ReportDirectory::named(temporary.path()).unwrap_err();
        assert!(
            error.to_string().contains("another run is writing there"),
            "{error}"
        );
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_a_usage_error() {
        let temporary = tempfile::tempdir().unwrap();
        let file = temporary.path().join("file");
        fs::write(&file, "").unwrap();
        let error = ReportDirectory::named(&file.join("reports")).unwrap_err();
        assert_eq!(error.kind.code(), 2);
    }

    #[test]
    fn latest_names_the_newest_run() {
        let temporary = tempfile::tempdir().unwrap();
        let environment = Environment::from([(
            OsString::from("XDG_STATE_HOME"),
            OsString::from(temporary.path()),
        )]);
        for id in ["one", "two"] {
            let run = ReportDirectory::default(id, &environment).unwrap();
            run.become_latest().unwrap();
        }
        let runs = temporary.path().join("kata-ci/runs");
        assert_eq!(
            fs::read_link(runs.join("latest")).unwrap(),
            Path::new("two")
        );
    }

    #[test]
    fn without_a_home_the_user_is_asked_for_a_place() {
        let error = ReportDirectory::default("id", &Environment::default()).unwrap_err();
        assert!(error.hints[0].contains("--report-dir"), "{error:?}");
    }
}
