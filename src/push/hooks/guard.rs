//! Decides what the hooks guard: reviews at a Gerrit, or every branch that is pushed.

use crate::config::{Gerrit, Layout, Pipeline};
use crate::gerrit::remote::sign_of_gerrit;
use crate::git::context::GitContext;
use crate::git::{GitError, Repository};

/// The pushes that the hook pre-push looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// Pushes to review. Commits get a Change-Id. The sign of a Gerrit is told.
    Reviews(String),
    /// Pushes of branches, because there is no Gerrit. Commits get no Change-Id.
    Branches {
        /// The branch that changed files are compared with.
        base: String,
    },
}

impl Guard {
    /// Looks for a Gerrit.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn of(repository: &Repository, pipeline: &Pipeline) -> Result<Self, GitError> {
        let context = match GitContext::of(repository) {
            Ok(context) => context,
            // There is nothing to run in it either.
            Err(_) if is_bare(repository) => {
                return Ok(Self::Reviews("a repository without a work tree".to_owned()));
            }
            Err(failed) => return Err(failed),
        };
        let sign = sign_of_gerrit(&context, &pipeline.gerrit)?;
        Ok(sign.map_or_else(|| Self::branches(pipeline), Self::Reviews))
    }

    fn branches(pipeline: &Pipeline) -> Self {
        let usual = match pipeline.layout {
            Layout::Gopath => "master",
            Layout::Plain => "main",
        };
        let Gerrit { branch, .. } = &pipeline.gerrit;
        Self::Branches {
            base: branch.clone().unwrap_or_else(|| usual.to_owned()),
        }
    }

    /// Returns true if commits get a Change-Id.
    pub fn wants_change_ids(&self) -> bool {
        matches!(self, Self::Reviews(_))
    }
}

fn is_bare(repository: &Repository) -> bool {
    let answer = repository.text(["rev-parse", "--is-bare-repository"]);
    answer.is_ok_and(|answer| answer == "true")
}
