//! The sandbox of a job: the supervisor decides on it, and the helper sets it up.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exec::limits::Rlimits;

/// The sandbox of one job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::exec) struct Sandbox {
    /// True for a network of its own, with only the loopback device.
    pub network: bool,
    /// Processes, mounts, IPC and host name of its own.
    pub space: Option<Space>,
    /// Limits of each of its processes.
    pub limits: Rlimits,
    /// Files to write 0 to, to join the control groups of the job: see [`crate::exec::limits`].
    pub groups: Vec<OsString>,
}

/// Processes and a view of the files of the job's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::exec) struct Space {
    /// True to make everything read-only except for kept paths, with few devices and without
    /// privileges.
    pub strict: bool,
    /// Paths that are seen differently than on the host, outer ones first.
    pub places: Vec<MountPoint>,
}

/// A path that is seen differently than on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::exec) struct MountPoint {
    /// Absolute path.
    pub path: OsString,
    pub view: View,
}

/// The view of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::exec) enum View {
    /// An empty directory or file of the job's own.
    Hidden,
    /// As on the host, but read-only.
    ReadOnly,
    /// As on the host, but changes are visible to the job alone and gone with it.
    Copied,
    /// As on the host.
    Kept,
}

impl Sandbox {
    /// Returns true if the job may know the passwords of proxies. Only a job with the network needs
    /// them, and no stranger's job gets them.
    pub fn may_know_credentials(&self) -> bool {
        let is_strict = self.space.as_ref().is_some_and(|space| space.strict);
        !self.network && !is_strict
    }
}

impl MountPoint {
    /// Creates a mount point.
    pub fn new(path: impl Into<PathBuf>, view: View) -> Self {
        Self {
            path: path.into().into(),
            view,
        }
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        Path::new(&self.path)
    }
}
