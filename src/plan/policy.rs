//! What a job is kept from.

use std::path::PathBuf;

use crate::config::{IsolatePolicy, Limits, NetworkPolicy};

/// What a job is kept from, as asked for; what the host can keep it from is for [`crate::exec`] to find out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Whether it gets a network.
    pub network: NetworkPolicy,
    /// Whether it gets a sandbox.
    pub isolate: IsolatePolicy,
    /// Absolute paths that it may write besides its work tree and the caches.
    pub writable: Vec<PathBuf>,
    /// It calls sudo, which no sandbox of an ordinary user's lets through.
    pub calls_sudo: bool,
    /// What it may use.
    pub limits: Limits,
}
