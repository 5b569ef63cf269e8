//! The journal of posts: the intent before each, and the end.

use super::key::PostKey;

/// The error of a journal.
pub type JournalError = Box<dyn std::error::Error + Send + Sync>;

/// The state of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostState {
    /// Nobody has begun it.
    New,
    /// Begun. Nobody knows whether it reached the server: that is looked up there.
    Intended,
    /// On the server.
    Posted,
}

/// The journal of posts.
///
/// Each entry is durable before the call returns, so that a crash at any point loses none.
pub trait Journal {
    /// Returns the state of a post.
    ///
    /// # Errors
    /// When the journal cannot be read.
    fn state(&mut self, key: &PostKey) -> Result<PostState, JournalError>;

    /// Returns the highest number that was given to a run of this commit; `None` for no run.
    ///
    /// # Errors
    /// When the journal cannot be read.
    fn newest_run(&mut self, sha: &str) -> Result<Option<u32>, JournalError>;

    /// Records that the post is about to be made.
    ///
    /// # Errors
    /// When the journal cannot be written; then nothing is posted.
    fn intend(&mut self, key: &PostKey) -> Result<(), JournalError>;

    /// Records that the post is on the server.
    ///
    /// # Errors
    /// When the journal cannot be written.
    fn posted(&mut self, key: &PostKey) -> Result<(), JournalError>;
}

/// The journal of a command that posts once: the messages on the server are all it needs, since
/// they are looked through for the key before each post.
#[derive(Debug, Clone, Copy, Default)]
pub struct MessagesOnly;

impl Journal for MessagesOnly {
    fn state(&mut self, _: &PostKey) -> Result<PostState, JournalError> {
        Ok(PostState::New)
    }

    fn newest_run(&mut self, _: &str) -> Result<Option<u32>, JournalError> {
        Ok(None)
    }

    fn intend(&mut self, _: &PostKey) -> Result<(), JournalError> {
        Ok(())
    }

    fn posted(&mut self, _: &PostKey) -> Result<(), JournalError> {
        Ok(())
    }
}
