//! The journal of posts, in the state.

use super::{SharedStore, locked};
use crate::review::PostKey;
use crate::review::post::{Journal, JournalError, PostState};
use crate::review::watch::store::IntentState;

/// The journal of a change's posts. The same commit can be a change of two branches, so the change
/// is a part of each entry.
pub(super) struct StoreJournal<'a> {
    pub store: &'a SharedStore,
    pub change: u64,
}

impl StoreJournal<'_> {
    fn entry(&self, key: &PostKey) -> String {
        format!("{}~{}~{}", self.change, key.sha, key.run)
    }
}

impl Journal for StoreJournal<'_> {
    fn state(&mut self, key: &PostKey) -> Result<PostState, JournalError> {
        Ok(match locked(self.store).post_state(&self.entry(key))? {
            IntentState::Unknown => PostState::New,
            IntentState::Intended => PostState::Intended,
            IntentState::Posted => PostState::Posted,
        })
    }

    fn newest_run(&mut self, sha: &str) -> Result<Option<u32>, JournalError> {
        let newest = locked(self.store).newest(self.change, sha)?;
        Ok(newest.map(|run| run.number))
    }

    fn intend(&mut self, key: &PostKey) -> Result<(), JournalError> {
        let entry = self.entry(key);
        Ok(locked(self.store).intend(&entry, self.change, &key.sha)?)
    }

    fn posted(&mut self, key: &PostKey) -> Result<(), JournalError> {
        let entry = self.entry(key);
        Ok(locked(self.store).posted(&entry)?)
    }
}
