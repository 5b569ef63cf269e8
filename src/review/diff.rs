//! The lines of a patch set: which files it has, and which of their lines are new.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::git::{GitError, Repository};

/// The new lines of each file of a patch set, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ChangedLines(BTreeMap<String, Vec<Range<u32>>>);

impl ChangedLines {
    /// Asks git for the difference of a commit and its first parent. No driver of an attribute is
    /// run.
    pub fn of(repository: &Repository, commit: &str) -> Result<Self, GitError> {
        let parent = repository.commit(&format!("{commit}^1"))?;
        let mut arguments = vec![
            "-c",
            "core.quotePath=true",
            "diff-tree",
            "-p",
            "-r",
            "-U0",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "--find-renames",
        ];
        match &parent {
            Some(parent) => arguments.extend([parent.as_str(), commit]),
            None => arguments.extend(["--root", "--no-commit-id", commit]),
        }
        arguments.push("--");
        Ok(Self::parse(&String::from_utf8_lossy(
            &repository.run(arguments)?,
        )))
    }

    /// Parses a unified difference. A file whose name git has to quote takes no comments.
    fn parse(text: &str) -> Self {
        let mut files: BTreeMap<String, Vec<Range<u32>>> = BTreeMap::new();
        let mut current: Option<String> = None;
        // Lines of content are counted, since they can look like headers.
        let (mut old, mut new) = (0, 0);
        for line in text.lines() {
            if old > 0 || new > 0 {
                match line.as_bytes().first() {
                    Some(b'-') => old -= i64::from(old > 0),
                    Some(b'+') => new -= i64::from(new > 0),
                    _ => {}
                }
                continue;
            }
            if let Some(path) = line.strip_prefix("+++ ") {
                current = path
                    .strip_prefix("b/")
                    .map(|path| path.trim_end_matches('\t').to_owned());
                if let Some(path) = &current {
                    files.entry(path.clone()).or_default();
                }
            } else if let Some((removed, added)) = hunk(line) {
                (old, new) = (i64::from(removed), i64::from(added.end - added.start));
                let file = current.as_ref().and_then(|path| files.get_mut(path));
                if let Some(ranges) = file.filter(|_| !added.is_empty()) {
                    ranges.push(added);
                }
            }
        }
        Self(files)
    }

    /// Returns true if the line is one of the new ones.
    pub fn has_line(&self, path: &str, line: u32) -> bool {
        let ranges = self.0.get(path);
        ranges.is_some_and(|ranges| ranges.iter().any(|range| range.contains(&line)))
    }

    /// Returns true if the patch set has the file.
    pub fn has_file(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }
}

/// Parses `@@ -A[,B] +C[,D] @@`: the number of old lines, and the new lines.
fn hunk(line: &str) -> Option<(u32, Range<u32>)> {
    let rest = line.strip_prefix("@@ -")?;
    let (old, rest) = rest.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let parts = |text: &str| -> Option<(u32, u32)> {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let (start, count) = parts(new)?;
    Some((parts(old)?.1, start..start.checked_add(count)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_lines_are_found_and_content_passes_for_no_header() {
        let text = "diff --git a/x.go b/x.go\n--- a/x.go\n+++ b/x.go\n@@ -2 +2,2 @@ func\n-old\n+++ b/evil\n+@@ -1 +1 @@\n\
            @@ -9,2 +10,0 @@\n--- a\n-b\ndiff --git a/new b/new\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n\
            --- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n--- a/q\n+++ \"b/new\\nline\"\n@@ -0,0 +1 @@\n+x\n";
        let lines = ChangedLines::parse(text);
        let names: Vec<_> = lines.0.keys().map(String::as_str).collect();
        assert_eq!(names, ["new", "x.go"]);
        let has: Vec<_> = (0..12)
            .filter(|line| lines.has_line("x.go", *line))
            .collect();
        assert_eq!(has, [2, 3]);
        assert!(lines.has_line("new", 1) && !lines.has_line("gone", 1));
        assert!(lines.has_file("x.go") && !lines.has_file("evil"));
    }
}
