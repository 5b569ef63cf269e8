//! Removes earlier runs that are too many or too old.
//!
//! Always kept:
//!
//! - this run, and the one that `latest` names;
//! - a run that is still going on (its directory is locked);
//! - the last run of each workspace that still exists, for `--rerun-failed`;
//! - the last run of each that did not end, for `--resume`;
//! - the runs that time estimates use;
//! - everything that is not a run, or holds files of somebody else.
//!
//! A run is renamed before it is removed, so nobody sees half a run. The next run removes what a
//! killed one has left. Several processes may prune at the same time: the one that holds the lock
//! of a directory removes it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::durations;
use crate::fs::remove_tree;
use crate::run::report_directory::{Occupied, is_ours, lock};
use crate::run::store;
use crate::run::store::{REMOVED, has_ended, name, start};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The number of runs to keep, and their greatest age.
#[derive(Debug, Clone, Copy)]
pub struct KeepLimits {
    /// Number of runs to keep; `None` keeps all.
    pub runs: Option<u32>,
    /// Days to keep a run after its last event; `None` keeps it forever.
    pub days: Option<u32>,
}

/// The result of pruning.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pruned {
    /// Number of removed runs that were too old.
    pub old: usize,
    /// Number of removed runs that were too many.
    pub many: usize,
    /// Errors of removals.
    pub errors: Vec<String>,
}

/// The reason to remove a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Old,
    Many,
}

/// Removes runs that lie beside this one. `own` is the directory of this run.
pub(crate) fn prune(own: &Path, limits: KeepLimits) -> Pruned {
    let Some(runs) = own.parent() else {
        return Pruned::default();
    };
    let mut pruned = Pruned::default();
    for half in store::half_removed(runs) {
        let ended = remove_rest(&half);
        pruned.errors.extend(said(&half, ended));
    }
    let directories = store::directories(runs);
    let candidates = candidates(&directories, limits, SystemTime::now());
    if candidates.is_empty() {
        return pruned;
    }
    let needed = needed(runs, own, &directories);
    for (directory, why) in candidates {
        if needed.contains(directory) {
            continue;
        }
        match remove(directory) {
            Ok(false) => {}
            Ok(true) if why == Why::Old => pruned.old += 1,
            Ok(true) => pruned.many += 1,
            Err(error) => pruned.errors.extend(said(directory, Err(error))),
        }
    }
    pruned
}

impl Pruned {
    /// Returns a line for each reason.
    pub fn lines(&self, limits: KeepLimits) -> Vec<String> {
        let runs = |count: usize| match count {
            1 => "1 earlier run".to_owned(),
            count => format!("{count} earlier runs"),
        };
        let old = limits.days.filter(|_| self.old > 0);
        let many = limits.runs.filter(|_| self.many > 0);
        let old = old.map(|days| format!("removed {} older than {days} days", runs(self.old)));
        let many =
            many.map(|most| format!("removed {}: more than {most} were kept", runs(self.many)));
        old.into_iter().chain(many).collect()
    }
}

/// Returns the runs that are too many or too old; some of them may still be needed.
fn candidates(directories: &[PathBuf], limits: KeepLimits, now: SystemTime) -> Vec<(&Path, Why)> {
    let most = limits.runs.and_then(|most| usize::try_from(most).ok());
    let oldest = limits.days.map(|days| DAY * days);
    let is_old = |directory: &Path| oldest.is_some_and(|oldest| age(directory, now) > oldest);
    directories
        .iter()
        .enumerate()
        .filter_map(|(index, directory)| match most {
            _ if is_old(directory) => Some((directory.as_path(), Why::Old)),
            Some(most) if index >= most => Some((directory, Why::Many)),
            _ => None,
        })
        .collect()
}

/// Returns the time since the last event; zero if it is unknown or in the future.
fn age(directory: &Path, now: SystemTime) -> Duration {
    let written = directory
        .join("events.jsonl")
        .metadata()
        .and_then(|found| found.modified());
    let age = written.ok().and_then(|time| now.duration_since(time).ok());
    age.unwrap_or_default()
}

/// Returns the runs that something still depends on.
fn needed<'a>(runs: &Path, own: &'a Path, directories: &'a [PathBuf]) -> BTreeSet<&'a Path> {
    let mut needed = durations::needed(directories);
    needed.insert(own);
    let latest = fs::read_link(runs.join("latest")).map(|target| runs.join(target));
    needed.extend(
        directories
            .iter()
            .filter(|one| latest.as_ref().is_ok_and(|it| it == *one))
            .map(PathBuf::as_path),
    );
    let mut last = BTreeSet::new();
    for directory in directories {
        let Some(started) = start(directory) else {
            continue;
        };
        let workspace = PathBuf::from(started.workspace);
        let is_there = workspace.is_dir();
        let is_last = last.insert((workspace.clone(), true));
        let is_last_open = !has_ended(directory) && last.insert((workspace, false));
        if is_there && (is_last || is_last_open) {
            needed.insert(directory);
        }
    }
    needed
}

/// Removes a run. Returns false if the directory is not a run, or if the run still goes on.
fn remove(directory: &Path) -> io::Result<bool> {
    let _lock = match lock(directory) {
        Ok(lock) => lock,
        Err(Occupied::InUse) => return Ok(false),
        Err(Occupied::Error(error)) => return gone(Err(error)).map(|()| false),
    };
    let Some(id) = name(directory).filter(|_| is_run(directory)) else {
        return Ok(false);
    };
    let aside = directory.with_file_name(format!("{REMOVED}{id}"));
    fs::rename(directory, &aside)?;
    remove_tree(&aside)?;
    Ok(true)
}

/// Returns true if the directory holds the run that it is named after and nothing else.
fn is_run(directory: &Path) -> bool {
    let journal = directory.join("events.jsonl").symlink_metadata();
    let is_file = journal.is_ok_and(|found| found.is_file());
    let is_its = || start(directory).is_some_and(|it| Some(it.run_id.as_str()) == name(directory));
    let holds_ours = || -> io::Result<bool> {
        for entry in directory.read_dir()? {
            if !entry?.file_name().to_str().is_some_and(is_ours) {
                return Ok(false);
            }
        }
        Ok(true)
    };
    is_file && is_its() && holds_ours().unwrap_or(false)
}

/// Finishes a removal, unless another process is doing so.
fn remove_rest(aside: &Path) -> io::Result<()> {
    match lock(aside) {
        Ok(_lock) => gone(remove_tree(aside)),
        Err(Occupied::InUse) => Ok(()),
        Err(Occupied::Error(error)) => gone(Err(error)),
    }
}

/// Ignores the error that another process was faster.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn said(directory: &Path, result: io::Result<()>) -> Option<String> {
    let error = result.err()?;
    Some(format!(
        "the earlier run {} cannot be removed: {error}",
        directory.display()
    ))
}

#[cfg(test)]
mod tests;
