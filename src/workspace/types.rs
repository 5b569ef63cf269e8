//! What was found.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::OwnDirectory;
use crate::config::Component;
use crate::event::Notice;
use crate::model::Readiness;

/// The components of a run, where they lie.
#[derive(Debug)]
pub struct Workspace {
    /// Absolute directory the components were found in.
    pub root: PathBuf,
    /// Environment every job needs because of the layout (`GOPATH`, `GO111MODULE`, `PATH`).
    pub environment: BTreeMap<OsString, OsString>,
    /// In the order of the pipeline.
    pub components: Vec<FoundComponent>,
    /// What the user should know beforehand.
    pub notices: Vec<Notice>,
    /// Keeps a GOPATH view made for this run; it is removed when the workspace is dropped.
    pub view: Option<OwnDirectory>,
}

impl Workspace {
    /// A workspace without components.
    pub fn empty(root: PathBuf) -> Self {
        Self {
            root,
            environment: BTreeMap::new(),
            components: Vec::new(),
            notices: Vec::new(),
            view: None,
        }
    }
}

/// A component in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundComponent {
    /// What the pipeline says of it.
    pub component: Component,
    /// Absolute directory its jobs run in.
    pub directory: PathBuf,
    /// What the preflight found.
    pub readiness: Readiness,
    /// The commit of its work tree, with `-dirty` where tracked files differ; none outside of git.
    pub revision: Option<String>,
    /// See [`crate::plan::Job::packages`].
    pub packages: Option<Vec<String>>,
    /// See [`crate::plan::Job::go_root`].
    pub go_root: Option<String>,
    /// See [`crate::plan::Job::changed_files`].
    pub changed_files: Option<Vec<String>>,
    /// Steps that call sudo.
    pub calls_sudo: Vec<String>,
}
