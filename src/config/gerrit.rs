//! The table `[gerrit]`: the server that reviews a pipeline's components.

/// The Gerrit of a pipeline. Git's configuration decides about values that are not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gerrit {
    /// The web address.
    pub url: Option<String>,
    /// The git remote to push to.
    pub remote: Option<String>,
    /// The target branch of changes.
    pub branch: Option<String>,
    /// The label to vote on.
    pub label: Option<String>,
    /// The rules that commits must meet before they are pushed.
    pub commit_rules: Option<CommitRules>,
}

/// Rules that commits must meet besides Gerrit's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommitRules {
    /// None.
    #[default]
    None,
    /// kata's: `Fixes: #N`, a subsystem before the subject, a sign-off.
    Kata,
}

impl Gerrit {
    /// Lays this table over another.
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
