//! The request of a review, and the patch set that it leads to.

use std::path::PathBuf;

use super::Patchset;
use super::change_name::ChangeName;
use super::clones::ProjectClone;
use super::lookup::AuthorTrust;
use crate::config::Operator;
use crate::env::Environment;
use crate::run::{Companion, RunSettings};

/// The request of a review.
#[derive(Debug)]
pub(crate) struct ReviewRequest {
    /// The change.
    pub change: ChangeName,
    /// The directory in a clone, or above the clones.
    pub directory: PathBuf,
    /// The environment that kata-ci was called with.
    pub environment: Environment,
    /// The operator's decisions.
    pub operator: Operator,
    /// Name or file of the pipeline; `None` for that of the target branch.
    pub pipeline: Option<String>,
    /// The components to run; empty for all of the change.
    pub components: Vec<String>,
    /// The label to vote on.
    pub label: String,
    /// True if the result will be posted: then a copied vote of ours goes before the jobs run.
    pub votes: bool,
    /// True to compare with the base.
    pub with_base: bool,
    /// The number of the run, if the caller counts them.
    pub run: Option<u32>,
    /// Files that strict jobs do not see, such as the credentials.
    pub hidden: Vec<PathBuf>,
    /// The directory of the reports.
    pub reports: Option<PathBuf>,
    /// The settings of the runs.
    pub settings: RunSettings,
}

/// A patch set that is ready to be run.
pub(super) struct Prepared {
    pub patch_set: Patchset,
    pub clone: ProjectClone,
    /// The tip of the target branch.
    pub target: String,
    /// The merge base.
    pub base: Option<String>,
    pub companions: Vec<Companion>,
    /// The same repositories at their bases.
    pub companions_at_base: Vec<Companion>,
    pub trust: AuthorTrust,
    /// Statements about what is tested less.
    pub tested_less: Vec<String>,
}
