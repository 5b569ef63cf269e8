//! What a job left behind: the shape of it in events and in `result.json`.

use serde::{Deserialize, Serialize};

use crate::plan::JobId;

/// What a job left behind. Names are foreign text, as the system has them; what is no UTF-8 in them is replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftBehind {
    /// Files of its repository that are not ignored and not what they were before the job, in order of their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<LeftFile>,
    /// How many more of them there are: long lists are cut.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_files: u64,
    /// Jobs that ran in the same repository at the same time: a file may be theirs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<JobId>,
    /// Processes that were still there when the job's own process had ended, and were killed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<String>,
    /// Mounts that it made and did not undo, by mount point and kind of file system.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<String>,
    /// Sockets that something of it still listened on: `tcp 127.0.0.1:80`, `unix /run/x.sock`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sockets: Vec<String>,
    /// What of all this could not be found out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// A file that is not what it was before the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftFile {
    /// Relative to the component's directory; `../` for what lies beside it in its repository.
    pub path: String,
    /// What became of it.
    pub change: FileChange,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileChange {
    /// It was not there.
    Created,
    /// It has another content or another mode.
    Changed,
    /// It is not there any more.
    Deleted,
    /// It is the same, but git's index has something else of it.
    Staged,
}

impl FileChange {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Staged => "staged",
        }
    }
}

impl LeftBehind {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many files it left.
    pub fn file_count(&self) -> u64 {
        self.files.len() as u64 + self.more_files
    }

    /// The files in words, at most so many by name: `coverage.txt (created), 3 more`.
    pub fn files_in_words(&self, most: usize) -> String {
        let mut words: Vec<_> = (self.files.iter().take(most))
            .map(|file| format!("{} ({})", file.path, file.change.word()))
            .collect();
        match self.file_count() - words.len() as u64 {
            0 => {}
            more => words.push(format!("{more} more")),
        }
        words.join(", ")
    }

    /// All that it is known to have left, a text a kind, with at most so many of each by name: `mounts: /mnt (tmpfs)`.
    pub fn in_words(&self, most: usize) -> Vec<String> {
        let files =
            (self.file_count() > 0).then(|| format!("files: {}", self.files_in_words(most)));
        let others = [
            ("processes", &self.processes),
            ("mounts", &self.mounts),
            ("listening sockets", &self.sockets),
        ];
        let others = others
            .into_iter()
            .filter(|(_, all)| !all.is_empty())
            .map(|(kind, all)| format!("{kind}: {}", first(all, most)));
        files.into_iter().chain(others).collect()
    }

    /// Adds what another attempt left. Files are looked at once, around all attempts.
    pub fn merge(&mut self, other: &Self) {
        for (own, others) in [
            (&mut self.processes, &other.processes),
            (&mut self.mounts, &other.mounts),
            (&mut self.sockets, &other.sockets),
            (&mut self.unknown, &other.unknown),
        ] {
            for one in others {
                if !own.contains(one) {
                    own.push(one.clone());
                }
            }
        }
    }
}

fn first(all: &[String], most: usize) -> String {
    let named = all[..all.len().min(most)].join(", ");
    match all.len().saturating_sub(most) {
        0 => named,
        more => format!("{named}, {more} more"),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_counted() {
        let file = |path: &str, change| LeftFile {
            path: path.to_owned(),
            change,
        };
        let mut left = LeftBehind {
            files: vec![
                file("a", FileChange::Created),
                file("b", FileChange::Deleted),
            ],
            ..LeftBehind::default()
        };
        assert_eq!(left.files_in_words(5), "a (created), b (deleted)");
        assert_eq!(left.files_in_words(1), "a (created), 1 more");
        left.more_files = 7;
        assert_eq!(left.files_in_words(1), "a (created), 8 more");
    }
}
