//! Intents to post, requests to run again, and what was last seen of each change.

use rusqlite::{OptionalExtension, params};

use super::{ChangeRow, Store, StoreError, now};

/// The state of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentState {
    /// Nothing is known of it.
    Unknown,
    /// The message was about to be posted; the server may have it.
    Intended,
    /// The server has it.
    Posted,
}

impl Store {
    /// Returns the state of the post with this key.
    pub fn post_state(&self, key: &str) -> Result<IntentState, StoreError> {
        let posted: Option<Option<String>> = self
            .connection
            .query_row("SELECT posted_at FROM posts WHERE key = ?1", [key], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(match posted {
            None => IntentState::Unknown,
            Some(None) => IntentState::Intended,
            Some(Some(_)) => IntentState::Posted,
        })
    }

    /// Records that a message is about to be posted. It is on the disk when this returns.
    pub fn intend(&mut self, key: &str, change: u64, sha: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT OR IGNORE INTO posts (key, change, sha, intended_at) VALUES (?1, ?2, ?3, ?4)",
            params![key, change, sha, now()],
        )?;
        Ok(())
    }

    /// Records that the server has the message.
    pub fn posted(&mut self, key: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE posts SET posted_at = ?2 WHERE key = ?1",
            params![key, now()],
        )?;
        Ok(())
    }

    /// Returns true if a request to run again was answered.
    pub fn is_answered(&self, message: &str) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM rechecks WHERE message = ?1";
        let found = self.connection.query_row(sql, [message], |_| Ok(()));
        Ok(found.optional()?.is_some())
    }

    /// Records that a request to run again was answered, and how.
    pub fn answer(&mut self, message: &str, change: u64, answer: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT OR IGNORE INTO rechecks (message, change, answer) VALUES (?1, ?2, ?3)",
            params![message, change, answer],
        )?;
        Ok(())
    }

    /// Records what the server last said of a change. A change joins its topic when it is first
    /// seen there, and when it is restored.
    pub fn see(&mut self, change: &ChangeRow) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT INTO changes
             (number, project, branch, subject, owner, status, patch_set, sha, updated, topic, joined_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (number) DO UPDATE SET
                joined_at = CASE
                    WHEN topic <> excluded.topic OR (status = 'ABANDONED' AND excluded.status = 'NEW')
                    THEN excluded.joined_at ELSE joined_at END,
                (project, branch, subject, owner, status, patch_set, sha, updated, topic) =
                (excluded.project, excluded.branch, excluded.subject, excluded.owner, excluded.status,
                 excluded.patch_set, excluded.sha, excluded.updated, excluded.topic)",
            params![
                change.number,
                change.project,
                change.branch,
                change.subject,
                change.owner,
                change.status,
                change.patch_set,
                change.sha,
                change.updated,
                change.topic,
                super::now()
            ],
        )?;
        Ok(())
    }

    /// Returns what the server last said of a change.
    pub fn change(&self, number: u64) -> Result<Option<ChangeRow>, StoreError> {
        let sql = format!(
            "SELECT {} FROM changes WHERE number = ?1",
            ChangeRow::COLUMNS
        );
        let found = self.connection.query_row(&sql, [number], ChangeRow::read);
        Ok(found.optional()?)
    }
}
