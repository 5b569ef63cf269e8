//! The source of a run: the user's own tree, or a checkout of what was committed.
//!
//! Which of the two it is, is asked here and nowhere else. Of a checkout the pipeline, too, is the commit's where its file
//! lies in the repository: what is not committed has no say. A file above the repository, and one that is named with `-p`,
//! is taken as it is.
use std::fs;
use std::path::{Path, PathBuf};

use super::depends;
use crate::config;
use crate::config::Pipeline;
use crate::env::Environment;
use crate::event::Notice;
use crate::model::{CommandError, Selection};
use crate::workspace;
use crate::workspace::{Aside, Located, Trust, Workspace};

/// What is run.
pub(super) enum Source {
    /// What lies in the work tree, committed or not.
    WorkTree {
        /// Where the run was started; absolute.
        directory: PathBuf,
    },
    /// What was committed, in a place of its own that is removed with this.
    Checkout {
        /// Where the run was started; absolute.
        directory: PathBuf,
        /// The commits that are checked out.
        aside: Box<Aside>,
    },
}

impl Source {
    /// Takes the directory, or checks the revision out where one is given. A checkout that is `alone` leaves out components
    /// of other repositories.
    pub(super) fn open(
        directory: &Path,
        revision: Option<&str>,
        alone: bool,
        selection: &Selection,
        environment: &Environment,
    ) -> Result<Self, CommandError> {
        let absolute = fs::canonicalize(directory);
        let directory = absolute.map_err(|error| {
            let hint = "name a directory that is there with -C DIR";
            CommandError::path(directory, &error, hint)
        })?;
        let Some(revision) = revision else {
            return Ok(Self::WorkTree { directory });
        };
        let mut aside = Aside::enter(&directory, revision, selection, environment)?;
        if alone {
            aside.keep_alone();
        }
        Ok(Self::Checkout {
            directory,
            aside: Box::new(aside),
        })
    }

    /// Where the run was started; absolute.
    pub(super) fn started_in(&self) -> &Path {
        match self {
            Self::WorkTree { directory } | Self::Checkout { directory, .. } => directory,
        }
    }

    /// The same place in what is run.
    pub(super) fn directory(&self) -> &Path {
        match self {
            Self::WorkTree { directory } => directory,
            Self::Checkout { aside, .. } => aside.directory(),
        }
    }

    /// The user's own place of a path in what is run.
    pub(super) fn as_user_knows(&self, path: &Path) -> PathBuf {
        match self {
            Self::WorkTree { .. } => path.to_owned(),
            Self::Checkout { aside, .. } => aside.as_user_knows(path),
        }
    }

    /// The GOPATH that checkouts lie in.
    pub(super) fn gopath(&self) -> Option<&Path> {
        match self {
            Self::WorkTree { .. } => None,
            Self::Checkout { aside, .. } => Some(aside.gopath()),
        }
    }

    /// Finds the pipeline: the one asked for, else that of a file in or above the source, else the shipped one that fits.
    pub(super) fn pipeline(&self, asked: Option<&str>) -> Result<config::Source, CommandError> {
        let (directory, aside) = match self {
            Self::WorkTree { directory } => return work_tree_pipeline(asked, directory),
            Self::Checkout { directory, aside } => (directory, aside),
        };
        if let Some(name) = asked
            && let Some(source) = config::locate(Some(name), directory)?
        {
            return Ok(source);
        }
        let found = match aside.top() {
            Some(top) => match config::locate_below(aside.directory(), top)? {
                Some(source) => Some(source),
                None => above(&aside.as_user_knows(top))?,
            },
            None => config::locate(None, directory)?,
        };
        if let Some(source) = found {
            return Ok(source);
        }
        let detected = workspace::detect(aside.directory());
        let detected = detected.map_err(|error| aside.explain_error(error))?;
        Ok(config::Source::Shipped(detected.pipeline))
    }

    /// Brings what commits depend on (`Depends-on:`) beside their checkouts, and names the pipeline's file where the user
    /// knows it.
    pub(super) fn complete(
        &mut self,
        pipeline: &mut Pipeline,
        environment: &Environment,
    ) -> Result<(), CommandError> {
        let Self::Checkout { aside, .. } = self else {
            return Ok(());
        };
        depends::bring(aside, pipeline, environment)?;
        let file = Path::new(&pipeline.name);
        if file.is_absolute() {
            pipeline.name = aside.as_user_knows(file).display().to_string();
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
            Self::Checkout { aside, .. } => {
                workspace::locate_aside(pipeline, aside, selection, environment)?
            }
        })
    }

    /// Brings the builds that are kept for this trust into the checkouts; a work tree has its own.
    pub(super) fn bring_builds(&mut self, trust: &Trust) -> Vec<Notice> {
        match self {
            Self::WorkTree { .. } => Vec::new(),
            Self::Checkout { aside, .. } => aside.bring_builds(trust),
        }
    }

    /// Makes the components that were found ready to be run.
    pub(super) fn workspace(
        &mut self,
        pipeline: &Pipeline,
        located: Located,
        selection: &Selection,
        environment: &Environment,
    ) -> Result<Workspace, CommandError> {
        Ok(match self {
            Self::WorkTree { .. } => workspace::open(pipeline, located, selection, environment)?,
            Self::Checkout { aside, .. } => {
                workspace::open_aside(pipeline, aside, located, selection, environment)?
            }
        })
    }
}

/// Finds the pipeline of a work tree: the one asked for, else what lies there.
fn work_tree_pipeline(
    asked: Option<&str>,
    directory: &Path,
) -> Result<config::Source, CommandError> {
    match config::locate(asked, directory)? {
        Some(source) => Ok(source),
        None => Ok(config::Source::Shipped(
            workspace::detect(directory)?.pipeline,
        )),
    }
}

fn above(repository: &Path) -> Result<Option<config::Source>, CommandError> {
    match repository.parent() {
        Some(parent) => Ok(config::locate(None, parent)?),
        None => Ok(None),
    }
}
