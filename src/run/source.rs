//! The source of a run: the work tree of the user, or a checkout of a commit.
//!
//! This is the only place that distinguishes the two. A checkout takes the pipeline from the commit
//! if its file lies in the repository, because uncommitted changes must not count. A file above the
//! repository, or one named with `-p`, is used as it is.

use std::fs;
use std::path::{Path, PathBuf};

use super::request::{PlannedShard, Reviewed, RunRequest};
use super::{depends, plan_sources, strict};
use crate::config;
use crate::config::Pipeline;
use crate::env::Environment;
use crate::event::Notice;
use crate::model::{CommandError, Selection};
use crate::workspace;
use crate::workspace::{CheckoutError, CheckoutSet, Located, Placed, Trust, Workspace};

/// The source of a run.
pub(super) enum Source {
    /// The work tree, with its uncommitted changes.
    WorkTree {
        /// Directory that the run was started in; absolute.
        directory: PathBuf,
    },
    /// A checkout of commits, which is removed when this value is dropped.
    Checkout {
        /// Directory that the run was started in; absolute.
        directory: PathBuf,
        /// The checked-out commits.
        checkouts: Box<CheckoutSet>,
    },
}

impl Source {
    /// Opens the directory, or checks out the revision if there is one. Commits that are pushed
    /// leave out the components of other repositories.
    pub(super) fn open(request: &RunRequest) -> Result<Self, CommandError> {
        let (selection, environment) = (&request.selection, &request.environment);
        let absolute = fs::canonicalize(&request.directory);
        let directory = absolute.map_err(|error| {
            let hint = "name a directory that is there with -C DIR";
            CommandError::path(&request.directory, &error, hint)
        })?;
        if let Ok(named) = std::path::absolute(&request.directory) {
            strict::follow([named.as_path()], environment)?;
        }
        strict::check([directory.as_path()], environment)?;
        if let Some(shard) = &request.shard {
            return Self::planned(directory, shard, environment);
        }
        let Some(revision) = &request.revision else {
            return Ok(Self::WorkTree { directory });
        };
        if let Some(reviewed) = &request.reviewed {
            return Self::review(directory, revision, reviewed, environment);
        }
        let mut checkouts = CheckoutSet::enter(&directory, revision, selection, environment)?;
        if request.pushed_to.is_some() {
            checkouts.keep_alone();
        }
        Ok(Self::Checkout {
            directory,
            checkouts: Box::new(checkouts),
        })
    }

    /// Checks out the commits of a plan.
    fn planned(
        directory: PathBuf,
        shard: &PlannedShard,
        environment: &Environment,
    ) -> Result<Self, CommandError> {
        let components = shard.components();
        let root = plan_sources::workspace(&shard.plan, &components, &directory);
        let pinned = plan_sources::repositories(&shard.plan, &components, &root, environment)?;
        let checkouts = CheckoutSet::pinned(&root, &pinned, environment)?;
        Ok(Self::Checkout {
            directory: root,
            checkouts: Box::new(checkouts),
        })
    }

    /// Checks out the commits of a review. The tracking branch of the target branch is set to the
    /// commit that it has at the server.
    fn review(
        directory: PathBuf,
        revision: &str,
        reviewed: &Reviewed,
        environment: &Environment,
    ) -> Result<Self, CommandError> {
        let is_of_stranger = reviewed.is_of_stranger;
        let tracking = format!("refs/remotes/{}/{}", reviewed.remote, reviewed.branch);
        let mut checkouts =
            CheckoutSet::review(&directory, revision, is_of_stranger, &tracking, environment)?;
        checkouts.set_reference(&tracking, &reviewed.target)?;
        for one in &reviewed.companions {
            checkouts.bring(&one.top, &one.commit, &one.why, |_| {
                Ok::<_, CheckoutError>(())
            })?;
        }
        Ok(Self::Checkout {
            directory,
            checkouts: Box::new(checkouts),
        })
    }

    /// Returns true for a checkout.
    pub(super) fn is_checkout(&self) -> bool {
        matches!(self, Self::Checkout { .. })
    }

    /// Returns the directory that the run was started in; absolute.
    pub(super) fn started_in(&self) -> &Path {
        match self {
            Self::WorkTree { directory } | Self::Checkout { directory, .. } => directory,
        }
    }

    /// Returns the same directory in the source.
    pub(super) fn directory(&self) -> &Path {
        match self {
            Self::WorkTree { directory } => directory,
            Self::Checkout { checkouts, .. } => checkouts.directory(),
        }
    }

    /// Returns the user's own path of a path in the source.
    pub(super) fn as_user_knows(&self, path: &Path) -> PathBuf {
        match self {
            Self::WorkTree { .. } => path.to_owned(),
            Self::Checkout { checkouts, .. } => checkouts.as_user_knows(path),
        }
    }

    /// Returns the GOPATH that holds the checkouts.
    pub(super) fn gopath(&self) -> Option<&Path> {
        match self {
            Self::WorkTree { .. } => None,
            Self::Checkout { checkouts, .. } => Some(checkouts.gopath()),
        }
    }

    /// Finds the pipeline: the named one, else a file in or above the source, else the shipped one
    /// that fits.
    pub(super) fn pipeline(
        &self,
        asked: Option<&str>,
    ) -> Result<config::PipelineSource, CommandError> {
        let (directory, checkouts) = match self {
            Self::WorkTree { directory } => return work_tree_pipeline(asked, directory),
            Self::Checkout {
                directory,
                checkouts,
            } => (directory, checkouts),
        };
        if let Some(name) = asked
            && let Some(source) = config::locate(Some(name), directory)?
        {
            return Ok(source);
        }
        let found = match checkouts.top() {
            Some(top) => match config::locate_below(checkouts.directory(), top)? {
                Some(source) => Some(source),
                None => above(&checkouts.as_user_knows(top))?,
            },
            None => config::locate(None, directory)?,
        };
        if let Some(source) = found {
            return Ok(source);
        }
        let detected = workspace::detect(checkouts.directory());
        let detected = detected.map_err(|error| checkouts.explain_error(error))?;
        Ok(config::PipelineSource::Shipped(detected.pipeline))
    }

    /// Checks out what commits depend on (`Depends-on:`), and names the pipeline's file by the path
    /// that the user knows.
    pub(super) fn complete(
        &mut self,
        pipeline: &mut Pipeline,
        target: Option<&str>,
        environment: &Environment,
    ) -> Result<(), CommandError> {
        let Self::Checkout { checkouts, .. } = self else {
            return Ok(());
        };
        depends::bring(checkouts, pipeline, target, environment)?;
        let file = Path::new(&pipeline.name);
        if file.is_absolute() {
            pipeline.name = checkouts.as_user_knows(file).display().to_string();
        }
        Ok(())
    }

    /// Finds the components of the pipeline.
    pub(super) fn locate(
        &mut self,
        pipeline: &Pipeline,
        selection: &Selection,
        environment: &Environment,
    ) -> Result<Located, CommandError> {
        Ok(match self {
            Self::WorkTree { directory } => {
                workspace::locate(pipeline, directory, selection, environment)?
            }
            Self::Checkout { checkouts, .. } => {
                workspace::locate_checkout(pipeline, checkouts, selection, environment)?
            }
        })
    }

    /// Sorts the components that were found by their repositories.
    pub(super) fn under_review(&self, located: &Located) -> UnderReview {
        let Self::Checkout { checkouts, .. } = self else {
            return UnderReview::default();
        };
        let name = |placed: &Placed| placed.component.name.clone();
        let is_own = |placed: &&Placed| {
            let top = checkouts.top();
            top.is_some_and(|top| placed.directory.starts_with(top))
        };
        let is_beside = |placed: &&Placed| checkouts.is_brought(&placed.directory);
        let all = || located.placed.iter();
        UnderReview {
            own: all().filter(is_own).map(name).collect(),
            beside: all()
                .filter(|one| !is_own(one) && is_beside(one))
                .map(name)
                .collect(),
            others: all().filter(|one| !is_own(one) && !is_beside(one)).count(),
        }
    }

    /// Restores the kept builds of this trust in the checkouts. A work tree has its own builds.
    pub(super) fn bring_builds(&mut self, trust: &Trust) -> Vec<Notice> {
        match self {
            Self::WorkTree { .. } => Vec::new(),
            Self::Checkout { checkouts, .. } => checkouts.bring_builds(trust),
        }
    }

    /// Opens the workspace with the components that were found.
    pub(super) fn workspace(
        &mut self,
        pipeline: &Pipeline,
        located: Located,
        selection: &Selection,
        environment: &Environment,
    ) -> Result<Workspace, CommandError> {
        Ok(match self {
            Self::WorkTree { .. } => workspace::open(pipeline, located, selection, environment)?,
            Self::Checkout { checkouts, .. } => {
                workspace::open_checkout(pipeline, checkouts, located, selection, environment)?
            }
        })
    }
}

/// The components of a review by their repositories.
#[derive(Debug, Default)]
pub(super) struct UnderReview {
    /// Those of the repository of the change.
    own: Vec<String>,
    /// Those of its companions.
    beside: Vec<String>,
    /// The number of all others.
    others: usize,
}

impl UnderReview {
    /// Returns the revision that a component of a repository with several must differ from.
    pub(super) fn since(&self, reviewed: &Reviewed) -> Option<String> {
        let is_monorepo = self.own.len() > 1 && self.beside.is_empty() && self.others == 0;
        (is_monorepo && reviewed.only.is_empty()).then(|| reviewed.target.clone())
    }

    /// Returns the components to run: those that are named, else those of the change and of its
    /// companions.
    pub(super) fn selected(&self, reviewed: &Reviewed, asked: &Selection) -> Vec<String> {
        if !asked.components.is_empty() {
            return asked.components.clone();
        }
        let wanted = |name: &&String| reviewed.only.is_empty() || reviewed.only.contains(name);
        let all = self.own.iter().chain(&self.beside);
        all.filter(wanted).cloned().collect()
    }
}

/// Finds the pipeline of a work tree: the named one, else the detected one.
fn work_tree_pipeline(
    asked: Option<&str>,
    directory: &Path,
) -> Result<config::PipelineSource, CommandError> {
    match config::locate(asked, directory)? {
        Some(source) => Ok(source),
        None => Ok(config::PipelineSource::Shipped(
            workspace::detect(directory)?.pipeline,
        )),
    }
}

fn above(repository: &Path) -> Result<Option<config::PipelineSource>, CommandError> {
    match repository.parent() {
        Some(parent) => Ok(config::locate(None, parent)?),
        None => Ok(None),
    }
}
