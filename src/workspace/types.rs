//! The types of an opened workspace.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::OwnDirectory;
use super::requirement_problem::RequirementProblem;
use crate::config::Component;
use crate::env::Environment;
use crate::event::Notice;
use crate::model::Readiness;

/// The components of a run with their directories.
#[derive(Debug)]
pub struct Workspace {
    /// The absolute directory that the components were found in.
    pub root: PathBuf,
    /// The environment that every job needs because of the layout (`GOPATH`, `GO111MODULE`,
    /// `PATH`).
    pub environment: Environment,
    /// The components in the order of the pipeline.
    pub components: Vec<FoundComponent>,
    /// Notes that the user should read before the run.
    pub notices: Vec<Notice>,
    /// The GOPATH view of this run; it is removed when the workspace is dropped.
    pub view: Option<OwnDirectory>,
}

impl Workspace {
    /// Makes a workspace without components.
    pub fn empty(root: PathBuf) -> Self {
        Self {
            root,
            environment: Environment::default(),
            components: Vec::new(),
            notices: Vec::new(),
            view: None,
        }
    }
}

/// A component and the user's own directory of it.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The component of the pipeline.
    pub component: Component,
    /// The absolute path.
    pub directory: PathBuf,
}

/// The components of a pipeline with their directories, not inspected yet.
#[derive(Debug)]
pub struct Located {
    /// The absolute directory that they were found in.
    pub root: PathBuf,
    /// The components in the order of the pipeline.
    pub placed: Vec<Placed>,
    /// The names that the selection means, unknown names included.
    pub selected: Vec<String>,
}

/// A component that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundComponent {
    /// The component of the pipeline.
    pub component: Component,
    /// The absolute directory that its jobs run in.
    pub directory: PathBuf,
    /// The finding of the preflight.
    pub readiness: Readiness,
    /// The findings of the preflight, one for each requirement that is not met.
    pub problems: Vec<RequirementProblem>,
    /// The steps that cannot run although the component can.
    pub unready_steps: BTreeMap<String, Readiness>,
    /// The commit of its work tree, with `-dirty` if tracked files differ; `None` outside of git.
    pub revision: Option<String>,
    /// See [`crate::plan::Job::packages`].
    pub packages: Option<Vec<String>>,
    /// See [`crate::plan::Job::go_root`].
    pub go_root: Option<String>,
    /// See [`crate::plan::Job::changed_files`].
    pub changed_files: Option<Vec<String>>,
    /// The steps whose tests kata runs again as root, with what becomes of that.
    pub root_half: BTreeMap<String, RootHalf>,
}

impl FoundComponent {
    /// Returns the finding about a step.
    pub fn readiness_of(&self, step: &str) -> &Readiness {
        match &self.readiness {
            Readiness::Ready => self.unready_steps.get(step).unwrap_or(&self.readiness),
            unready => unready,
        }
    }
}

/// The decision about the tests that kata runs again as root, for a user who is not root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootHalf {
    /// They are run through sudo.
    BySudo,
    /// They are left out, because the pipeline or an option says so.
    Unwanted,
    /// They are left out, because sudo cannot be used, for this reason.
    Impossible(String),
}
