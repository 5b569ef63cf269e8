//! Whose jobs a run's builds come from.

use sha2::{Digest, Sha256};

/// Runs of the same trust use each other's builds, and no others.
///
/// A job can put into its builds whatever it likes, with whatever date. So what a strict run built, which is there because
/// nobody vouches for its commit, is for no other run; unless it is known whose commits both are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust(Option<String>);

impl Trust {
    /// Of runs whose jobs are trusted with the user's files: nothing keeps them from those.
    pub fn of_the_user() -> Self {
        Self(Some("own".to_owned()))
    }

    /// Of strict runs of one author's commits. The name is one that nobody else can take, such as that of an account.
    pub fn of_author(author: &str) -> Self {
        let digest = Sha256::digest(author.as_bytes());
        let digits = digest.iter().map(|byte| format!("{byte:02x}"));
        Self(Some(format!("author-{}", digits.collect::<String>())))
    }

    /// Of strict runs of nobody knows whose commits: each begins with no builds, and leaves none.
    pub fn of_nobody() -> Self {
        Self(None)
    }

    /// The name of the directory of its builds; none where there are no such.
    pub(super) fn directory(&self) -> Option<&str> {
        self.0.as_deref()
    }
}
