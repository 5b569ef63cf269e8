//! Where a pipeline's components are reviewed: the table `[gerrit]`.

/// The Gerrit of a pipeline; what is not given is for git's configuration to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gerrit {
    /// Its web address.
    pub url: Option<String>,
    /// The git remote that is pushed to.
    pub remote: Option<String>,
    /// The branch changes are for.
    pub branch: Option<String>,
    /// The label that is voted on.
    pub label: Option<String>,
}
