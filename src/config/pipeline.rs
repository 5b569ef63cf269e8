//! A pipeline after everything is resolved: what the rest of the house works with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::Requirement;
use crate::outcome::Expect;
use crate::plan::Command;

/// Where components must lie for their Makefiles to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Anywhere.
    Plain,
    /// `$GOPATH/src/github.com/kata-containers/NAME`, modules off, `$GOPATH/bin` on PATH: kata v1.
    Gopath,
}

/// Whether a step gets a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkPolicy {
    /// None, or the run is an error.
    Off,
    /// None where the host can take it away; what holds is said.
    Auto,
    /// The host's.
    On,
}

/// A resolved pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// `kata-v1` and the like, or the path of the file.
    pub name: String,
    /// The file's directory, which component paths are relative to; none for a shipped pipeline (then `-C`).
    pub base: Option<PathBuf>,
    /// Where components must lie.
    pub layout: Layout,
    /// Environment of every step; an empty value unsets.
    pub env: BTreeMap<String, String>,
    /// Steps in the order of the file.
    pub steps: Vec<Step>,
    /// Components in the order of the file. Empty: they are found (every directory with a Makefile).
    pub components: Vec<Component>,
    /// A component that is not there is left out instead of refused: so for shipped pipelines, which list all of kata.
    pub optional_components: bool,
}

/// A resolved step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name; no `/` and no `.`.
    pub name: String,
    /// What it runs.
    pub command: Command,
    /// What it must show.
    pub expect: Expect,
    /// How long a job of it may take.
    pub timeout: Duration,
    /// How long it has after TERM before KILL.
    pub grace: Duration,
    /// Its environment, over the pipeline's.
    pub env: BTreeMap<String, String>,
    /// Whether it gets a network.
    pub network: NetworkPolicy,
    /// Steps of the same component that must have passed.
    pub needs: Vec<String>,
    /// Why a vacuous outcome does not fail the run.
    pub allow_vacuous: Option<String>,
}

/// A resolved component.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Its name; no `/` and no `.`.
    pub name: String,
    /// Where it lies, relative to [`Pipeline::base`].
    pub path: PathBuf,
    /// What must be there before its first job.
    pub requires: Vec<Requirement>,
    /// Components whose jobs come first.
    pub needs: Vec<String>,
    /// Locks its jobs hold.
    pub locks: Vec<String>,
    /// Steps it has; all when not given.
    pub steps: Option<Vec<String>>,
    /// Its environment, over the pipeline's and under the step's.
    pub env: BTreeMap<String, String>,
    /// By step: why a vacuous outcome does not fail the run.
    pub allow_vacuous: BTreeMap<String, String>,
}
