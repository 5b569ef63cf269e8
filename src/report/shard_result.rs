//! Reads the results of shards back: what `result.json` says about a shard of a plan.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::RESULT;
use crate::fs;
use crate::model::{ExitCode, JobOutcome};

/// The most bytes of a result.
const LARGEST: u64 = 64 << 20;

/// The parts of `result.json` that shards are merged by.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ShardResult {
    /// The plan; `None` for a run of no plan.
    pub plan_id: Option<String>,
    /// The number of the shard.
    pub shard: Option<usize>,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The exit code.
    pub exit: i32,
    /// The signal that ended the run.
    pub signal: Option<i32>,
    /// The machine.
    pub worker: Option<String>,
    jobs: Vec<ShardJob>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct ShardJob {
    outcome: JobOutcome,
}

impl ShardResult {
    /// Returns true if another try would change nothing: no signal, and no job with an error.
    pub fn is_final(&self) -> bool {
        let has_error = self.jobs.iter().any(|job| job.outcome == JobOutcome::Error);
        self.signal.is_none() && !has_error && matches!(self.exit, 0 | 1 | 4)
    }

    /// Returns the exit code of the shard.
    pub fn exit_code(&self) -> ExitCode {
        let known = [
            ExitCode::Success,
            ExitCode::Failed,
            ExitCode::Usage,
            ExitCode::NothingToDo,
            ExitCode::Unavailable,
            ExitCode::Bug,
        ];
        let found = known.into_iter().find(|code| code.code() == self.exit);
        match (found, self.signal) {
            (Some(code), _) => code,
            (None, Some(signal)) => ExitCode::Signal(signal),
            (None, None) => ExitCode::Error,
        }
    }
}

/// Returns the attempts of a shard, `attempt-K`, by their number.
pub fn attempt_directories(shard: &Path) -> Vec<(u32, PathBuf)> {
    let entries = shard.read_dir().into_iter().flatten().flatten();
    let mut attempts: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let number = name.strip_prefix("attempt-")?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    attempts.sort();
    attempts
}

/// Reads the result in a report directory; `None` if it has none, because the run has not ended.
///
/// # Errors
/// Fails for a file that cannot be read or is no result: it is truncated, or damaged.
pub fn read_shard_result(directory: &Path) -> io::Result<Option<ShardResult>> {
    match fs::read(&directory.join(RESULT), LARGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
    }
}
