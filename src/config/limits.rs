//! `[limits]`: what a job may use.

/// The most that one job may use; what is not given is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory of all its processes together, in bytes.
    pub memory: Option<u64>,
    /// Processes and threads at a time.
    pub processes: Option<u64>,
    /// Size of any file it writes, in bytes.
    pub file_size: Option<u64>,
}

impl Limits {
    /// These limits on top of others.
    pub(super) fn over(self, under: Self) -> Self {
        Self {
            memory: self.memory.or(under.memory),
            processes: self.processes.or(under.processes),
            file_size: self.file_size.or(under.file_size),
        }
    }
}
