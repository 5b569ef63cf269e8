//! Questions to a repository. None of them writes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::{Git, GitError};

impl Git {
    /// The top of the work tree a directory belongs to.
    pub fn top_level(&self, directory: &Path) -> Result<PathBuf, GitError> {
        self.path(directory, "--show-toplevel")
    }

    /// The path that `git rev-parse OPTION` answers with, relative to the directory or absolute.
    pub fn path(&self, directory: &Path, option: &str) -> Result<PathBuf, GitError> {
        let mut output = self.run(directory, &["rev-parse", option])?;
        // A path may end in a newline of its own: only git's is taken away.
        output.pop();
        Ok(OsString::from_vec(output).into())
    }

    /// The commit a revision names, as 40 (or 64) hexadecimal digits; none when there is no such revision.
    pub fn resolve(&self, directory: &Path, revision: &str) -> Result<Option<String>, GitError> {
        if revision.starts_with('-') {
            return Ok(None);
        }
        let commit = format!("{revision}^{{commit}}");
        let output =
            self.run_optional(directory, &["rev-parse", "--verify", "--quiet", &commit])?;
        Ok(output.map(line))
    }

    /// The commit of the work tree, with `-dirty` where tracked files differ from it; none before the first commit.
    pub fn revision(&self, directory: &Path) -> Result<Option<String>, GitError> {
        let Some(commit) = self.resolve(directory, "HEAD")? else {
            return Ok(None);
        };
        let status = ["status", "--porcelain", "-z", "--untracked-files=no"];
        let clean = self.run(directory, &status)?.is_empty();
        Ok(Some(if clean { commit } else { commit + "-dirty" }))
    }

    /// The branch that is checked out; none on a detached HEAD.
    pub fn branch(&self, directory: &Path) -> Result<Option<String>, GitError> {
        let arguments = ["symbolic-ref", "--quiet", "--short", "HEAD"];
        Ok(self.run_optional(directory, &arguments)?.map(line))
    }

    /// Names of the remotes.
    pub fn remotes(&self, directory: &Path) -> Result<Vec<String>, GitError> {
        let output = self.run(directory, &["remote"])?;
        Ok(String::from_utf8_lossy(&output)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// The URL of a remote as configured; none when there is no such remote.
    pub fn remote_url(&self, directory: &Path, remote: &str) -> Result<Option<String>, GitError> {
        let key = format!("remote.{remote}.url");
        Ok(self
            .run_optional(directory, &["config", "--get", &key])?
            .map(line))
    }

    /// Files that are different in `HEAD` than in `base`, deleted ones left out, relative to the top of the work tree:
    /// what kata's checks of changed files look at. Source: `get_pr_changed_file_details_full` in `.ci/lib.sh` and
    /// `.ci/static-checks.sh` of kata's tests repository, which compares the two trees, not `HEAD` with the merge base,
    /// and nothing that is not committed.
    pub fn changed_files(&self, directory: &Path, base: &str) -> Result<Vec<String>, GitError> {
        let arguments = [
            "diff-tree",
            "-r",
            "-z",
            "--name-only",
            "--diff-filter=ACMRUX",
            base,
            "HEAD",
            "--",
        ];
        let output = self.run(directory, &arguments)?;
        Ok(output
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect())
    }
}

impl Git {
    /// The best common ancestor of a commit and `HEAD`; none where there is none, as in a clone that is too shallow.
    pub fn merge_base(&self, directory: &Path, commit: &str) -> Result<Option<String>, GitError> {
        let output = self.run_optional(directory, &["merge-base", commit, "HEAD"])?;
        Ok(output.map(line))
    }

    /// Files of the work tree that differ from a commit, committed or not, relative to its top: what was deleted, both
    /// names of what was renamed, and new files that are not ignored are among them. `top` is the top of the work tree.
    pub fn changed_since(&self, top: &Path, commit: &str) -> Result<Vec<PathBuf>, GitError> {
        let mut paths = self.differing(top, commit)?;
        paths.extend(self.untracked(top)?);
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    /// Tracked files of the work tree that differ from a commit; see [`Git::changed_since`].
    pub fn differing(&self, top: &Path, commit: &str) -> Result<Vec<PathBuf>, GitError> {
        let arguments = [
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--ignore-submodules=none",
            commit,
            "--",
        ];
        Ok(paths(&self.run(top, &arguments)?))
    }

    /// Files that are neither tracked nor ignored, relative to the top of the work tree, which `top` is.
    pub fn untracked(&self, top: &Path) -> Result<Vec<PathBuf>, GitError> {
        let arguments = ["ls-files", "--others", "--exclude-standard", "-z"];
        Ok(paths(&self.run(top, &arguments)?))
    }
}

fn paths(output: &[u8]) -> Vec<PathBuf> {
    output
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| OsString::from_vec(name.to_vec()).into())
        .collect()
}

fn line(output: Vec<u8>) -> String {
    String::from_utf8_lossy(&output)
        .trim_end_matches('\n')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::test_repository::{Repository, environment};

    fn git() -> Git {
        Git::find(&environment()).expect("git")
    }

    #[test]
    fn a_revision_is_dirty_only_by_tracked_files() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        let head = repository.git(&["rev-parse", "HEAD"]);
        std::fs::write(repository.path().join("untracked"), "").expect("a file");
        assert_eq!(git().revision(repository.path())?, Some(head.clone()));
        std::fs::write(repository.path().join("file"), "two").expect("a file");
        assert_eq!(git().revision(repository.path())?, Some(head + "-dirty"));
        Ok(())
    }

    #[test]
    fn asking_for_a_revision_does_not_write_the_index() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        let index = repository.path().join(".git/index");
        // Same content, other time: a status that may write would refresh the index.
        let file = std::fs::File::options()
            .write(true)
            .open(repository.path().join("file"));
        file.and_then(|file| file.set_modified(std::time::UNIX_EPOCH))
            .expect("a new time");
        let before = std::fs::read(&index).expect("the index");
        git().revision(repository.path())?;
        assert_eq!(std::fs::read(&index).expect("the index"), before);
        Ok(())
    }

    #[test]
    fn a_repository_without_commits_has_no_revision() -> Result<(), GitError> {
        let directory = tempfile::tempdir().expect("a directory");
        git().run(directory.path(), &["init", "--quiet"])?;
        assert_eq!(git().revision(directory.path())?, None);
        Ok(())
    }

    #[test]
    fn outside_of_a_repository_that_is_said() {
        let directory = tempfile::tempdir().expect("a directory");
        let result = git().revision(directory.path());
        assert!(
            matches!(result, Err(GitError::NoRepository { .. })),
            "{result:?}"
        );
    }

    #[test]
    fn what_is_no_revision_resolves_to_nothing() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        let head = repository.git(&["rev-parse", "HEAD"]);
        assert_eq!(git().resolve(repository.path(), "master")?, Some(head));
        assert_eq!(git().resolve(repository.path(), "origin/master")?, None);
        assert_eq!(git().resolve(repository.path(), "--all")?, None);
        Ok(())
    }

    #[test]
    fn a_detached_head_is_on_no_branch() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        assert_eq!(git().branch(repository.path())?.as_deref(), Some("master"));
        repository.git(&["checkout", "--quiet", "--detach"]);
        assert_eq!(git().branch(repository.path())?, None);
        Ok(())
    }

    #[test]
    fn remotes_have_names_and_urls() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        assert_eq!(git().remotes(repository.path())?, Vec::<String>::new());
        repository.git(&["remote", "add", "upstream", "https://example.org/proxy"]);
        assert_eq!(git().remotes(repository.path())?, ["upstream"]);
        let url = git().remote_url(repository.path(), "upstream")?;
        assert_eq!(url.as_deref(), Some("https://example.org/proxy"));
        assert_eq!(git().remote_url(repository.path(), "origin")?, None);
        Ok(())
    }

    #[test]
    fn changed_files_are_those_of_the_commits_without_deleted_ones() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        let base = repository.commit("deleted", "");
        std::fs::remove_file(repository.path().join("deleted")).expect("removed");
        repository.commit("name with\nnewline", "");
        repository.commit("file", "two\n");
        std::fs::write(repository.path().join("uncommitted"), "").expect("a file");
        let changed = git().changed_files(repository.path(), &base)?;
        assert_eq!(changed, ["file", "name with\nnewline"]);
        assert_eq!(
            git().changed_files(repository.path(), "HEAD")?,
            Vec::<String>::new()
        );
        Ok(())
    }

    #[test]
    fn what_changed_since_is_all_that_the_work_tree_differs_in() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        let top = repository.path();
        let write = |name: &str, text: &str| std::fs::write(top.join(name), text).expect("a file");
        write(".gitignore", "*.o\n");
        repository.commit("deleted", "");
        let base = repository.commit("renamed", "some text that stays\n");
        assert_eq!(git().changed_since(top, &base)?, Vec::<PathBuf>::new());
        repository.commit("committed", "");
        repository.git(&["mv", "renamed", "new name\n"]);
        std::fs::remove_file(top.join("deleted")).expect("removed");
        write("file", "edited\n");
        write("staged", "");
        repository.git(&["add", "staged"]);
        write("untracked", "");
        write("ignored.o", "");
        let expected = [
            "committed",
            "deleted",
            "file",
            "new name\n",
            "renamed",
            "staged",
            "untracked",
        ];
        assert_eq!(
            git().changed_since(top, &base)?,
            expected.map(PathBuf::from)
        );
        Ok(())
    }

    #[test]
    fn upstream_commits_do_not_count_as_changes() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        let fork = repository.git(&["rev-parse", "HEAD"]);
        let upstream = repository.commit("upstream", "");
        repository.git(&["checkout", "--quiet", &fork]);
        repository.commit("ours", "");
        assert_eq!(git().merge_base(repository.path(), &upstream)?, Some(fork));
        repository.git(&["checkout", "--quiet", "--orphan", "other"]);
        repository.commit("root", "");
        assert_eq!(git().merge_base(repository.path(), &upstream)?, None);
        Ok(())
    }

    #[test]
    fn the_top_level_is_found_from_below() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        let below = repository.path().join("a/b");
        std::fs::create_dir_all(&below).expect("directories");
        assert_eq!(git().top_level(&below)?, repository.path());
        Ok(())
    }
}
