//! The table `[limits]`: the resources of a job.

/// The limits of one job. A value that is not given is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The memory of all its processes together, in bytes.
    pub memory: Option<u64>,
    /// The number of processes and threads at a time.
    pub processes: Option<u64>,
    /// The size of any file that it writes, in bytes.
    pub file_size: Option<u64>,
}

impl Limits {
    /// Lays these limits over others.
    pub(super) fn over(self, under: Self) -> Self {
        Self {
            memory: self.memory.or(under.memory),
            processes: self.processes.or(under.processes),
            file_size: self.file_size.or(under.file_size),
        }
    }
}
