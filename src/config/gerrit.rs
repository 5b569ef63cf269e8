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
    /// Rules that commits have to meet before they are pushed.
    pub commit_rules: Option<CommitRules>,
}

/// Which rules commits have to meet besides Gerrit's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommitRules {
    /// None.
    #[default]
    None,
    /// kata's: `Fixes: #N`, a subsystem before the subject, a sign-off.
    Kata,
}

impl Gerrit {
    /// This table on top of another.
    pub(super) fn over(self, under: Self) -> Self {
        Self {
            url: self.url.or(under.url),
            remote: self.remote.or(under.remote),
            branch: self.branch.or(under.branch),
            label: self.label.or(under.label),
            commit_rules: self.commit_rules.or(under.commit_rules),
        }
    }
}
