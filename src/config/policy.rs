//! The requested isolation of a job.

/// The network of a step's jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NetworkPolicy {
    /// No network. If that cannot be enforced, the run is an error.
    Off,
    /// No network if the host can enforce that. The report says what holds.
    #[default]
    Auto,
    /// The host's network.
    On,
}

/// The sandbox of a step's jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IsolatePolicy {
    /// No sandbox.
    Off,
    /// Processes and shared directories of their own, if the host allows it. The report says what
    /// holds.
    #[default]
    Auto,
    /// The same, with a read-only file system and without privileges. If that cannot be enforced,
    /// the run is an error.
    On,
}
