//! A failure that is no case.

/// A failure that the output of a job proves outside of any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenFailure {
    /// The failure in words: one line of clean text.
    pub what: String,
    /// True if a missing program cannot have caused it.
    pub is_own: bool,
}
