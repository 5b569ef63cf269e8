//! Which pipeline a command works with, the same for all of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::failure::Failure;
use crate::config;
use crate::config::{Overrides, Pipeline, Source};
use crate::workspace;
use crate::workspace::WorkspaceError;

/// The pipeline asked for, else what lies there.
pub(crate) fn source(asked: Option<&str>, directory: &Path) -> Result<Source, Failure> {
    match config::locate(asked.filter(|name| !name.is_empty()), directory)? {
        Some(source) => Ok(source),
        None => Ok(Source::Shipped(workspace::detect(directory)?.pipeline)),
    }
}

/// The pipeline of a command that does its work where nothing can be run, too: there it is `makefile`, whose components
/// are none.
pub(crate) fn anywhere(
    asked: Option<&str>,
    directory: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<Pipeline, Failure> {
    let source = match source(asked, directory) {
        Err(Failure::Workspace(WorkspaceError::Nothing { .. })) => Source::Shipped("makefile"),
        found => found?,
    };
    let user = config::user_file(environment);
    Ok(config::load(
        &source,
        &Overrides::default(),
        user.as_deref(),
    )?)
}
