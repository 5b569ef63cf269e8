//! Estimates how long jobs take, from earlier runs of the same workspace.
//!
//! Estimates order the jobs; no result depends on them. Results that cannot be read are ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::fs;
use crate::model::JobOutcome;

/// Number of passes of a job that count.
const COUNTED: usize = 5;

/// Number of runs to read: reading more takes longer than it saves.
const READ: usize = 40;

/// Largest result to read, in bytes.
const LARGEST: u64 = 16 << 20;

/// The parts of `result.json` that an estimate needs.
#[derive(Debug, Deserialize)]
struct Earlier {
    #[serde(default)]
    exit: i32,
    #[serde(default)]
    workspace: PathBuf,
    /// Set if its jobs ran some of their tests only.
    rerun_of: Option<String>,
    /// Set for the same reason.
    case: Option<String>,
    jobs: Vec<EarlierJob>,
}

#[derive(Debug, Deserialize)]
struct EarlierJob {
    id: String,
    outcome: JobOutcome,
    seconds: f64,
}

/// The latest passes of a job that count.
#[derive(Default)]
struct Passes<'a> {
    seconds: Vec<f64>,
    runs: Vec<&'a Path>,
}

/// Returns the latest passes of each job by workspace. `directories` are those of runs, newest
/// first.
fn passes(directories: &[PathBuf]) -> BTreeMap<(PathBuf, String), Passes<'_>> {
    let mut passes: BTreeMap<_, Passes<'_>> = BTreeMap::new();
    for directory in directories.iter().take(READ) {
        let Some(earlier) =
            read(directory).filter(|earlier| earlier.rerun_of.is_none() && earlier.case.is_none())
        else {
            continue;
        };
        let passed = |job: &EarlierJob| job.outcome == JobOutcome::Passed;
        for job in earlier.jobs.into_iter().filter(passed) {
            let of_job = passes
                .entry((earlier.workspace.clone(), job.id))
                .or_default();
            if of_job.seconds.len() < COUNTED {
                of_job.seconds.push(job.seconds);
                of_job.runs.push(directory);
            }
        }
    }
    passes
}

/// Returns the estimated seconds of each job: the median of its latest passes. `directories` are
/// those of runs, newest first.
pub(crate) fn durations(directories: &[PathBuf], workspace: &Path) -> BTreeMap<String, f64> {
    let of_all = passes(directories).into_iter();
    of_all
        .filter(|((of, _), _)| of == workspace)
        .map(|((_, job), passes)| (job, median(passes.seconds)))
        .collect()
}

/// Returns the runs that estimates use, of workspaces that still exist.
pub(crate) fn needed(directories: &[PathBuf]) -> BTreeSet<&Path> {
    let of_all = passes(directories).into_iter();
    of_all
        .filter(|((workspace, _), _)| workspace.is_dir())
        .flat_map(|(_, passes)| passes.runs)
        .collect()
}

/// Returns true if the run was ended by a signal, or with a job whose outcome is `error`.
pub(crate) fn can_go_on(directory: &Path) -> bool {
    let is_error = |job: &EarlierJob| job.outcome == JobOutcome::Error;
    let can = |earlier: &Earlier| earlier.exit > 128 || earlier.jobs.iter().any(is_error);
    read(directory).as_ref().is_some_and(can)
}

fn read(directory: &Path) -> Option<Earlier> {
    let text = fs::read(&directory.join("result.json"), LARGEST).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Returns the median; for an even number of values, the mean of the middle two.
pub(super) fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    let half = seconds.len() / 2;
    match seconds.len() % 2 {
        _ if seconds.is_empty() => 0.0,
        0 => f64::midpoint(seconds[half - 1], seconds[half]),
        _ => seconds[half],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_the_last_five_passes_in_this_workspace_counts() {
        let temporary = tempfile::tempdir().unwrap();
        let mut directories = Vec::new();
        let mut run = |workspace: &str, outcome: &str, seconds: f64| {
            let directory = temporary.path().join(directories.len().to_string());
            std::fs::create_dir(&directory).unwrap();
            let text = format!(
                r#"{{"workspace": "{workspace}", "jobs": [{{"id": "a.test", "outcome": "{outcome}", "seconds": {seconds}}}]}}"#
            );
            std::fs::write(directory.join("result.json"), text).unwrap();
            directories.push(directory);
        };
        run("/w", "failed", 900.0);
        run("/other", "passed", 800.0);
        for seconds in [3.0, 50.0, 1.0, 2.0, 4.0, 700.0, 700.0, 700.0] {
            run("/w", "passed", seconds);
        }
        let narrowed = r#"{"workspace": "/w", "rerun_of": "x", "jobs": [{"id": "a.test", "outcome": "passed", "seconds": 0.1}]}"#;
        for number in 0..3 {
            let directory = temporary.path().join(format!("narrowed {number}"));
            std::fs::create_dir(&directory).unwrap();
            std::fs::write(directory.join("result.json"), narrowed).unwrap();
            directories.insert(0, directory);
        }
        directories.insert(0, temporary.path().join("without a result"));
        std::fs::write(temporary.path().join("0/broken"), "{").unwrap();
        let durations = durations(&directories, Path::new("/w"));
        assert_eq!(durations, BTreeMap::from([("a.test".to_owned(), 3.0)]));
    }

    #[test]
    fn the_median_of_two_lies_between_them() {
        assert_eq!(median(vec![1.0, 2.0]), 1.5);
        assert_eq!(median(vec![7.0]), 7.0);
    }
}
