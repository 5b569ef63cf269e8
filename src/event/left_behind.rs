//! What a job left behind: the shape of it in events and in `result.json`.

use serde::{Deserialize, Serialize};

use crate::model::JobId;

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
    /// How many more of them there were.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_processes: u64,
    /// Mounts that it made and did not undo, by mount point and kind of file system.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<String>,
    /// How many more of them there were.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_mounts: u64,
    /// Sockets that something of it still listened on: `tcp 127.0.0.1:80`, `unix /run/x.sock`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sockets: Vec<String>,
    /// How many more of them there were.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_sockets: u64,
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
        let others = (self.others(most).into_iter())
            .filter(|(_, names)| !names.is_empty())
            .map(|(kind, names)| format!("{kind}: {names}"));
        files.into_iter().chain(others).collect()
    }

    /// Processes, mounts and sockets in words, by what they are called and with at most so many of each by name; of what there
    /// is none, no word.
    pub fn others(&self, most: usize) -> [(&'static str, String); 3] {
        [
            ("processes", &self.processes, self.more_processes),
            ("mounts", &self.mounts, self.more_mounts),
            ("listening sockets", &self.sockets, self.more_sockets),
        ]
        .map(|(kind, names, more)| (kind, first(names, more, most)))
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
        self.more_processes += other.more_processes;
        self.more_mounts += other.more_mounts;
        self.more_sockets += other.more_sockets;
    }
}

fn first(names: &[String], more: u64, most: usize) -> String {
    let named = names[..names.len().min(most)].join(", ");
    match (names.len().saturating_sub(most) as u64 + more, most) {
        (0, _) => named,
        (all, 0) => all.to_string(),
        (more, _) => format!("{named}, {more} more"),
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
        left.processes = ["x", "y", "z"].map(str::to_owned).to_vec();
        left.more_processes = 80;
        let expected = ("processes", "x, y, 81 more".to_owned());
        assert_eq!(left.others(2)[0], expected);
        assert_eq!(left.in_words(0)[1], "processes: 83");
        left.more_files = 7;
        assert_eq!(left.files_in_words(1), "a (created), 8 more");
    }
}
