//! The preflight's answer about one component.

/// Whether a job can run at all, as the preflight of its component found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing is missing.
    Ready,
    /// A requirement is not met on this machine: what, and the fix. The job is skipped.
    Unmet {
        /// What is missing.
        what: String,
        /// How to get it.
        fix: String,
    },
    /// The workspace is broken: what, and the fix. The job is an error.
    Broken {
        /// What is wrong.
        what: String,
        /// How to mend it.
        fix: String,
    },
}
