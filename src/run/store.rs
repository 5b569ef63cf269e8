//! The store of runs below `$XDG_STATE_HOME/kata-ci/runs`: a directory for each run, named after
//! its id.
//!
//! Everything else in that directory is ignored and never touched.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;

use super::report_directory::runs_directory;
use crate::env::Environment;
use crate::event::{Event, RunStarted, read_start};
use crate::model::CommandError;

/// Prefix of the name of a run that is being removed. It is no run id, so half a run is never taken
/// for one.
pub(crate) const REMOVED: &str = ".removed-";

/// Returns the directories that are named like runs, newest first: run ids begin with the time.
pub(crate) fn directories(runs: &Path) -> Vec<PathBuf> {
    let mut directories: Vec<_> = entries(runs)
        .into_iter()
        .filter(|path| name(path).is_some_and(is_id))
        .collect();
    directories.sort_by_key(|path| Reverse(order(path)));
    directories
}

/// Returns the kept runs of this user, newest first.
pub(crate) fn kept(environment: &Environment) -> Vec<PathBuf> {
    let runs = runs_directory(environment).ok();
    runs.map_or_else(Vec::new, |runs| directories(&runs))
}

/// Returns the directories that may hold an earlier run of a workspace: the named one, else all of
/// the store, newest first.
pub(crate) fn candidates(
    named: Option<&Path>,
    environment: &Environment,
) -> Result<Vec<PathBuf>, CommandError> {
    match named {
        Some(named) => Ok(vec![named.to_owned()]),
        None => Ok(directories(&runs_directory(environment)?)),
    }
}

/// Returns the newest run of a workspace that a directory lies in.
pub(crate) fn latest_of(runs: &Path, directory: &Path) -> Option<PathBuf> {
    let is_own =
        |run: &PathBuf| start(run).is_some_and(|started| directory.starts_with(&started.workspace));
    directories(runs).into_iter().find(is_own)
}

/// Returns the remains of runs whose removal was interrupted.
pub(crate) fn half_removed(runs: &Path) -> Vec<PathBuf> {
    let is_half = |path: &PathBuf| {
        name(path)
            .and_then(|name| name.strip_prefix(REMOVED))
            .is_some_and(is_id)
    };
    entries(runs).into_iter().filter(is_half).collect()
}

/// Returns the directories in a directory, without links.
fn entries(runs: &Path) -> Vec<PathBuf> {
    let entries = runs.read_dir().into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// Returns the last part of a path.
pub(crate) fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// Orders by time, and within a second by process id, which mostly ascends.
fn order(path: &Path) -> (String, u64) {
    let (time, process) = name(path)
        .and_then(|name| name.split_once('-'))
        .unwrap_or_default();
    (time.to_owned(), process.parse().unwrap_or_default())
}

/// Returns true for the id of a run, such as `20260503T100000Z-42`.
fn is_id(name: &str) -> bool {
    let Some((time, process)) = name.split_once('-') else {
        return false;
    };
    DateTime::strptime("%Y%m%dT%H%M%SZ", time).is_ok()
        && !process.is_empty()
        && process.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the first event of the run in a directory; `None` without a run or a complete line.
pub(crate) fn start(directory: &Path) -> Option<RunStarted> {
    match read_start(&directory.join("events.jsonl")).ok()??.event {
        Event::RunStarted(started) => Some(started),
        _ => None,
    }
}

/// Returns true if the run has ended. Its result is written last, whatever the journal says.
pub(crate) fn has_ended(directory: &Path) -> bool {
    directory.join("result.json").exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn runs_are_listed_newest_first_and_nothing_else_is() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |name: &str| temporary.path().join(name);
        for name in [
            "20260503T100000Z-42",
            "20260503T100001Z-7",
            "20260503T100000Z-100",
            ".removed-20260503T100000Z-9",
            ".removed-mine",
            "mine",
            "20260503T100000Z",
            "20261303T100000Z-42",
            "20260503T100000Z-42.bak",
        ] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at("20260503T100002Z-1"), "a file").unwrap();
        std::os::unix::fs::symlink("mine", at("20260503T100003Z-1")).unwrap();
        std::os::unix::fs::symlink("20260503T100001Z-7", at("latest")).unwrap();
        let listed = directories(temporary.path());
        let ids = [
            "20260503T100001Z-7",
            "20260503T100000Z-100",
            "20260503T100000Z-42",
        ];
        assert_eq!(listed, ids.map(at));
        assert_eq!(
            half_removed(temporary.path()),
            [at(".removed-20260503T100000Z-9")]
        );
        assert!(directories(&at("nothing")).is_empty());
    }
}
