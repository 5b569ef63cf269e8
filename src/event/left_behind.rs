//! The leftovers of a job, as events and `result.json` hold them.

use serde::{Deserialize, Serialize};

use crate::model::JobId;

/// The things that a job left behind. Names are untrusted text from the system; bytes that are not
/// UTF-8 are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftBehind {
    /// Files of its repository that the job changed and git does not ignore, ordered by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<LeftFile>,
    /// The number of further files: long lists are cut.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_files: u64,
    /// Jobs that ran in the same repository at the same time. A file may be theirs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<JobId>,
    /// Processes that outlived the job's own process and were killed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<String>,
    /// The number of further processes.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_processes: u64,
    /// Mounts that it made and did not undo, by mount point and type of file system.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<String>,
    /// The number of further mounts.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_mounts: u64,
    /// Sockets on which a process of the job still listened: `tcp 127.0.0.1:80`, `unix
    /// /run/x.sock`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sockets: Vec<String>,
    /// The number of further sockets.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_sockets: u64,
    /// Programs that it made to run as their owner, with their modes: the bits set-user-ID and
    /// set-group-ID were taken away. Looked for in a strict sandbox only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_id: Vec<String>,
    /// The number of further ones.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_set_id: u64,
    /// The things that could not be found out, with the reasons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// A file that differs from its state before the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftFile {
    /// The path relative to the component's directory; `../` leads to other directories of its
    /// repository.
    pub path: String,
    /// The kind of change.
    pub change: FileChange,
}

/// The kind of change of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileChange {
    /// The file is new.
    Created,
    /// The file has another content or another mode.
    Changed,
    /// The file is gone.
    Deleted,
    /// The file is the same, but git's index holds another version of it.
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
    /// Returns true if nothing was left.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the number of files, those cut off included.
    pub fn file_count(&self) -> u64 {
        self.files.len() as u64 + self.more_files
    }

    /// Describes the files in words, at most `most` of them by name: `coverage.txt (created), 3
    /// more`.
    pub fn describe_files(&self, most: usize) -> String {
        let mut words: Vec<_> = (self.files.iter().take(most))
            .map(|file| format!("{} ({})", file.path, file.change.word()))
            .collect();
        match self.file_count() - words.len() as u64 {
            0 => {}
            more => words.push(format!("{more} more")),
        }
        words.join(", ")
    }

    /// Describes all leftovers, one text a kind with at most `most` names each: `mounts: /mnt
    /// (tmpfs)`.
    pub fn describe(&self, most: usize) -> Vec<String> {
        let files =
            (self.file_count() > 0).then(|| format!("files: {}", self.describe_files(most)));
        let others = (self.describe_others(most).into_iter())
            .filter(|(_, names)| !names.is_empty())
            .map(|(kind, names)| format!("{kind}: {names}"));
        files.into_iter().chain(others).collect()
    }

    /// Describes processes, mounts, sockets and set-user-ID programs, each with its label and at
    /// most `most` names. The text of an empty kind is empty.
    pub fn describe_others(&self, most: usize) -> [(&'static str, String); 4] {
        [
            ("processes", &self.processes, self.more_processes),
            ("mounts", &self.mounts, self.more_mounts),
            ("listening sockets", &self.sockets, self.more_sockets),
            ("set-user-ID programs", &self.set_id, self.more_set_id),
        ]
        .map(|(kind, names, more)| (kind, first(names, more, most)))
    }

    /// Adds the leftovers of another attempt. Files are compared only once, around all attempts.
    pub fn merge(&mut self, other: &Self) {
        for (own, others) in [
            (&mut self.processes, &other.processes),
            (&mut self.mounts, &other.mounts),
            (&mut self.sockets, &other.sockets),
            (&mut self.set_id, &other.set_id),
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
        self.more_set_id += other.more_set_id;
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
        assert_eq!(left.describe_files(5), "a (created), b (deleted)");
        assert_eq!(left.describe_files(1), "a (created), 1 more");
        left.processes = ["x", "y", "z"].map(str::to_owned).to_vec();
        left.more_processes = 80;
        let expected = ("processes", "x, y, 81 more".to_owned());
        assert_eq!(left.describe_others(2)[0], expected);
        assert_eq!(left.describe(0)[1], "processes: 83");
        left.more_files = 7;
        assert_eq!(left.describe_files(1), "a (created), 8 more");
    }
}
