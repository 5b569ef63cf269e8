//! The result of a review: `review.json` in the report directory.
//!
//! The result holds everything that is posted, so that a later post needs nothing else.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Patchset, Verdict};
use crate::gerrit::rest::ReviewInput;
use crate::model::{JobId, JobOutcome};
use crate::report::compare::Classes;

/// The name of the file in the report directory.
pub const RESULT_FILE: &str = "review.json";

/// The most bytes of the file.
const LARGEST: u64 = 64 << 20;

/// The result of a review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewResult {
    /// The version of the file, 1.
    pub version: u32,
    /// The patch set.
    pub patch_set: Patchset,
    /// The number of this run among those of the same commit, from 1. Only the newest may post.
    pub run: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// The verdict in words: one clean line.
    pub reason: String,
    /// The exit code of the command.
    pub exit: i32,
    /// The label that is voted on.
    pub label: String,
    /// The review to post, with its vote.
    pub input: ReviewInput,
    /// The jobs.
    pub jobs: Vec<JobRow>,
    /// The cases that are not the same as at the base.
    pub classes: Classes,
    /// The commit that was compared with; `None` without a comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The statements about what was tested less than usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tested_less: Vec<String>,
    /// The id of the run of the patch set, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The seconds that all of it took.
    pub seconds: f64,
}

/// A job of a review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRow {
    /// The job.
    pub job: JobId,
    /// Its outcome.
    pub outcome: JobOutcome,
    /// The outcome in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The outcome at the base, if it ran there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_base: Option<JobOutcome>,
    /// The seconds that it took.
    pub seconds: f64,
    /// The number of cases that passed.
    pub passed: u64,
    /// The number of cases that failed or did not end.
    pub failed: u64,
    /// The number of cases that were skipped or did not run.
    pub skipped: u64,
    /// The number of flaky cases.
    pub flaky: u64,
}

impl ReviewResult {
    /// Writes the file into the report directory, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        crate::fs::replace(&directory.join(RESULT_FILE), 0o644, &bytes)
    }

    /// Reads the file of a report directory.
    ///
    /// # Errors
    /// When it is not there, or is no such file.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let bytes = crate::fs::read(&directory.join(RESULT_FILE), LARGEST)?;
        serde_json::from_slice(&bytes).map_err(io::Error::other)
    }
}
