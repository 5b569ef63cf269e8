//! Records earlier pushes from this machine: number, patch set and commit of each Change-Id on a
//! project's branch.
//!
//! The record is a convenience in `$XDG_STATE_HOME/kata-ci/gerrit`. If it is missing or cannot be
//! read, every change counts as new. Only the server knows for certain.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::report::{ChangeReport, CommitRow, CommitState};
use crate::dirs;
use crate::env::Environment;
use crate::fs;

/// The most bytes of a record that are read.
const LARGEST: u64 = 16 << 20;

/// A change after the last push from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    number: Option<u64>,
    patch_set: Option<u32>,
    commit: String,
    #[serde(default)]
    topic: Option<String>,
}

/// The record of a project's branch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    file: Option<PathBuf>,
    entries: BTreeMap<String, Entry>,
}

impl Known {
    /// Reads the record of a `HOST/PROJECT/BRANCH`.
    pub fn load(project_branch: &str, environment: &Environment) -> Self {
        let Some(directory) = state_directory(environment) else {
            return Self::default();
        };
        let file = directory.join(format!("{}.json", file_name(project_branch)));
        let entries = crate::fs::read(&file, LARGEST)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self {
            file: Some(file),
            entries,
        }
    }

    /// Returns the state of this commit's change.
    pub fn state(&self, change_id: &str, commit: &str) -> CommitState {
        match self.entries.get(change_id) {
            None => CommitState::New,
            Some(entry) if entry.commit == commit => CommitState::Unchanged,
            Some(_) => CommitState::NextPatchSet,
        }
    }

    /// Returns the patch set that a push of this commit makes, if the record tells.
    pub fn next_patch_set(&self, change_id: &str, commit: &str) -> Option<u32> {
        let entry = self.entries.get(change_id)?;
        match entry.commit == commit {
            true => entry.patch_set,
            false => Some(entry.patch_set? + 1),
        }
    }

    /// Returns the topic of the last push of a change.
    pub fn topic(&self, change_id: &str) -> Option<&str> {
        self.entries.get(change_id)?.topic.as_deref()
    }

    /// Records the changes that were pushed with this topic.
    pub fn record(&mut self, commits: &[CommitRow], changes: &[ChangeReport], topic: Option<&str>) {
        for row in commits {
            let Some(id) = &row.change_id else { continue };
            let change = changes
                .iter()
                .find(|change| change.commit.as_ref() == Some(&row.commit));
            let entry = Entry {
                number: change.map(|change| change.change.number),
                patch_set: change.and_then(|change| change.patch_set),
                commit: row.commit.clone(),
                topic: topic.or(self.topic(id)).map(str::to_owned),
            };
            self.entries.insert(id.clone(), entry);
        }
    }

    /// Writes the record atomically.
    ///
    /// # Errors
    /// Fails if it cannot be written; nothing else depends on it.
    pub fn save(&self) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        fs::replace(file, 0o600, &serde_json::to_vec(&self.entries)?)
    }
}

fn state_directory(environment: &Environment) -> Option<PathBuf> {
    Some(dirs::state(environment)?.join("gerrit"))
}

/// Returns the file name: letters, digits, `.` and `-` unchanged, everything else as `_XX`, so that
/// no two records share a file.
fn file_name(project_branch: &str) -> String {
    project_branch
        .bytes()
        .fold(String::new(), |mut name, byte| {
            if byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-' {
                name.push(char::from(byte));
            } else {
                name.push_str(&format!("_{byte:02x}"));
            }
            name
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(commit: &str) -> CommitRow {
        CommitRow {
            commit: commit.to_owned(),
            subject: "a: b".to_owned(),
            change_id: Some("I1".to_owned()),
            state: CommitState::New,
        }
    }

    #[test]
    fn what_was_pushed_is_known_afterwards() {
        let mut known = Known::default();
        assert_eq!(known.state("I1", "c1"), CommitState::New);
        known.record(&[row("c1")], &[], Some("t"));
        known.record(&[row("c1")], &[], None);
        assert_eq!(
            known.topic("I1"),
            Some("t"),
            "a topic stays until there is another"
        );
        assert_eq!(known.state("I1", "c1"), CommitState::Unchanged);
        assert_eq!(known.state("I1", "c2"), CommitState::NextPatchSet);
        assert_eq!(known.next_patch_set("I1", "c2"), None);
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/er/x.json");
        let mut known = Known {
            file: Some(file.clone()),
            entries: BTreeMap::new(),
        };
        known.record(&[row("c1")], &[], None);
        known.save().unwrap();
        let read: BTreeMap<String, Entry> =
            serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!(read, known.entries);
    }

    proptest! {
        #[test]
        fn places_have_files_of_their_own(one in "\\PC{0,12}", other in "\\PC{0,12}") {
            prop_assert_eq!(one == other, file_name(&one) == file_name(&other));
            prop_assert!(!file_name(&one).contains('/'));
        }
    }
}
