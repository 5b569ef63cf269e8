//! What a job is kept from, as asked for.

/// Whether a step gets a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NetworkPolicy {
    /// None, or the run is an error.
    Off,
    /// None where the host can take it away; what holds is said.
    #[default]
    Auto,
    /// The host's.
    On,
}

/// Whether a step's jobs are kept in a sandbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IsolatePolicy {
    /// No.
    Off,
    /// Processes and shared directories of their own, where the host allows it; what holds is said.
    #[default]
    Auto,
    /// The same, with a read-only file system and without privileges; or the run is an error.
    On,
}
