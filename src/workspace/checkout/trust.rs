//! The trust of a run: which other runs may use its builds.

use sha2::{Digest, Sha256};

/// Runs of the same trust share builds, and no others do.
///
/// A job can put anything into its builds, with any date. A strict run tests a commit that nobody
/// vouches for, so its builds are not for other runs, unless all commits belong to the same author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust(Option<String>);

impl Trust {
    /// Returns the trust of runs whose jobs may touch the user's files anyway.
    pub fn of_the_user() -> Self {
        Self(Some("own".to_owned()))
    }

    /// Returns the trust of strict runs of one author's commits. The name must be unique, such as
    /// that of an account.
    pub fn of_author(author: &str) -> Self {
        let digest = Sha256::digest(author.as_bytes());
        let digits = digest.iter().map(|byte| format!("{byte:02x}"));
        Self(Some(format!("author-{}", digits.collect::<String>())))
    }

    /// Returns the trust of strict runs with an unknown author: each begins without builds and
    /// leaves none.
    pub fn of_nobody() -> Self {
        Self(None)
    }

    /// Returns the name of the directory of its builds; `None` if it shares none.
    pub(super) fn directory(&self) -> Option<&str> {
        self.0.as_deref()
    }
}
