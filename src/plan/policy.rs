//! The requested isolation of a job.

use std::path::PathBuf;

use crate::config::{IsolatePolicy, Limits, NetworkPolicy};

/// The requested isolation of a job. [`crate::exec`] finds out how much of it the host can enforce.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The network of the job.
    pub network: NetworkPolicy,
    /// The sandbox of the job.
    pub isolate: IsolatePolicy,
    /// Absolute paths that it may write besides its work tree and the caches.
    pub writable: Vec<PathBuf>,
    /// True if it calls sudo, which works in no sandbox of an ordinary user.
    pub calls_sudo: bool,
    /// The limits of its resources.
    pub limits: Limits,
}
