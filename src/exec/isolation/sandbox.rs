//! What a job's helper is told to put around the job: decided by the supervisor's side, carried out by the helper.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exec::limits::Rlimits;

/// What is put around one job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::exec) struct Sandbox {
    /// A network of its own, with nothing in it but the loopback device.
    pub network: bool,
    /// Processes, mounts, IPC and host name of its own.
    pub space: Option<Space>,
    /// Limits of each of its processes.
    pub limits: Rlimits,
    /// Files that it writes 0 to, to be in its control groups: see [`crate::exec::limits`].
    pub groups: Vec<OsString>,
}

/// A job's own processes and its own view of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::exec) struct Space {
    /// Everything is read-only but what is kept writable, devices are few, and privileges are given up.
    pub strict: bool,
    /// What is seen differently than on the host; where one lies in another, the outer comes first.
    pub places: Vec<MountPoint>,
}

/// A directory or file that is seen differently than on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::exec) struct MountPoint {
    /// Absolute.
    pub path: OsString,
    pub view: View,
}

/// How a place is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::exec) enum View {
    /// An empty directory of the job's own, or an empty file.
    Hidden,
    /// As on the host, for reading.
    ReadOnly,
    /// As on the host, in a directory whose changes are seen by the job alone, and go with it.
    Copied,
    /// As on the host.
    Kept,
}

impl Sandbox {
    /// Whether the job is told the passwords of proxies: only who has the network needs them, and no stranger gets them.
    pub fn may_know_credentials(&self) -> bool {
        let is_strict = self.space.as_ref().is_some_and(|space| space.strict);
        !self.network && !is_strict
    }
}

impl MountPoint {
    /// A place and how it is seen.
    pub fn new(path: impl Into<PathBuf>, view: View) -> Self {
        Self {
            path: path.into().into(),
            view,
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        Path::new(&self.path)
    }
}
