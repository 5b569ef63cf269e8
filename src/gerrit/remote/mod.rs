//! Finds the destination of a push: remote, URL, project and branch.
//!
//! The order of sources: the request, the `[gerrit]` table of the pipeline, the repository's own
//! git configuration (`gitreview.*`), `.gitreview`, the user's git configuration, and git's own
//! default. The user's repository configuration comes before the file, because anybody who can make
//! a commit can change the file.
//!
//! For the branch alone the table comes after `gitreview.*` and `.gitreview`: the file belongs to
//! the checked out branch, the table stands for all.

mod gitreview;
mod resolve;
mod signs;
mod url;

use crate::config::Gerrit;

pub use gitreview::{GitReview, MalformedGitReview};
pub use resolve::{DestinationError, remote_with_url, resolve};
pub use signs::sign_of_gerrit;
pub use url::{PushUrl, Transport, UnusableUrl};

/// The request of a caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The name or URL of a remote.
    pub remote: Option<String>,
    /// The target branch, without `refs/heads/`.
    pub branch: Option<String>,
    /// The pipeline's table.
    pub table: Gerrit,
    /// The project's name, if the pipeline gives it.
    pub project: Option<String>,
    /// True if the push goes to the branch itself, not to review.
    pub direct: bool,
}

/// The destination of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The remote's name; `None` for a URL that no remote has.
    pub remote: Option<String>,
    /// The URL that git connects to.
    pub url: PushUrl,
    /// The target branch, without `refs/heads/`.
    pub branch: String,
}

impl Destination {
    /// Returns the repository argument of `git push`.
    pub fn repository(&self) -> &str {
        self.remote.as_deref().unwrap_or(self.url.for_git())
    }

    /// Returns the ref of the target branch in this repository.
    pub fn tracking(&self) -> Option<String> {
        let remote = self.remote.as_ref()?;
        Some(format!("refs/remotes/{remote}/{}", self.branch))
    }

    /// Returns the ref to push to, without options.
    pub fn reference(&self, direct: bool) -> String {
        match direct {
            true => format!("refs/heads/{}", self.branch),
            false => format!("refs/for/{}", self.branch),
        }
    }
}
