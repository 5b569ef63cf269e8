//! `git credential`: the passwords that the user's git has for a server.

use super::{GitError, Repository};
use crate::env::Environment;

impl Repository {
    /// Calls `git credential fill|approve|reject` with a description on standard input, and returns
    /// its answer: empty if git has no credentials. Nobody is asked on the terminal, but a helper
    /// may ask in a window of its own.
    ///
    /// # Errors
    ///
    /// [`GitError`] if git cannot be called.
    pub fn credential(&self, action: &str, description: &str) -> Result<String, GitError> {
        let quiet = Environment::from([("GIT_TERMINAL_PROMPT".into(), "0".into())]);
        let answer = self.interactive(["credential", action], description.as_bytes(), &quiet)?;
        Ok(String::from_utf8_lossy(&answer.output).into_owned())
    }
}
