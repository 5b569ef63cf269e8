//! Detects the shipped pipeline that fits a directory.

use std::path::{Path, PathBuf};

use super::fs::{absolute, is_inside};
use super::{WorkspaceError, makefile, monorepo, v1};
use crate::git::Git;

/// The result of the detection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The name of the shipped pipeline that fits: `kata-v1`, `kata-monorepo` or `makefile`.
    pub pipeline: &'static str,
    /// The absolute directory that holds the components.
    pub root: PathBuf,
    /// The component that the directory lies in. Only this one runs, unless others are named.
    pub component: Option<String>,
}

/// Detects the kind of directory. The order is: the monorepo (anywhere inside), kata v1's
/// repositories in a GOPATH, the same side by side, directories with a Makefile.
///
/// # Errors
///
/// The directory is none of them, or cannot be read.
pub fn detect(directory: &Path) -> Result<Detected, WorkspaceError> {
    let directory = absolute(directory)?;
    // Without git a checkout is known only by its directory's name. The preflight reports a missing
    // git.
    let git = Git::find(&std::env::vars_os().collect()).ok();
    if let Some(root) = monorepo::root(&directory) {
        return Ok(Detected {
            pipeline: "kata-monorepo",
            component: monorepo::standing_in(&directory, &root),
            root,
        });
    }
    if let Some(place) = v1::locate(&directory, git.as_ref())? {
        return Ok(Detected {
            pipeline: "kata-v1",
            root: place.root,
            component: place.component,
        });
    }
    let components = makefile::components(&directory)?;
    let Some(first) = components.first() else {
        return Err(WorkspaceError::Nothing { directory });
    };
    let itself = is_inside(&directory, &first.path);
    Ok(Detected {
        pipeline: "makefile",
        component: itself.then(|| first.name.clone()),
        root: directory,
    })
}
