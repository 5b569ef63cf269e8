//! Questions to a repository. None of them writes. Each fails if git refuses to answer.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::{Git, GitError, Listed, Repository, listing};

impl Git {
    /// Returns the tops of the work trees that the directories are in, in order and each once.
    /// Directories below the same `.git` are in the same work tree, so git is asked for one of
    /// them.
    pub fn top_levels<'a>(&self, directories: impl IntoIterator<Item = &'a Path>) -> Vec<PathBuf> {
        let mut asked = BTreeSet::new();
        let tops: BTreeSet<PathBuf> = (directories.into_iter())
            .filter(|directory| asked.insert(nearest(directory)))
            .filter_map(|directory| self.at(directory).top_level().ok())
            .collect();
        tops.into_iter().collect()
    }

    /// Returns true if git, which no variable leads elsewhere, would find no repository there.
    fn would_find_none(&self, directory: &Path) -> bool {
        self.is_led_by_no_variable() && nearest(directory).is_none()
    }
}

/// Returns the nearest directory upwards that git could take for a repository or its work tree.
fn nearest(directory: &Path) -> Option<PathBuf> {
    let Ok(real) = directory.canonicalize() else {
        return Some(directory.to_owned());
    };
    let is_there = |path: PathBuf| path.symlink_metadata().is_ok();
    let mut above = real.ancestors();
    let found = above.find(|above| is_there(above.join(".git")) || is_there(above.join("HEAD")));
    found.map(Path::to_owned)
}

impl Repository {
    /// Returns the nearest directory upwards that git could take for a repository or its work tree;
    /// `None` where git would find none.
    pub fn nearest(&self) -> Option<PathBuf> {
        nearest(self.directory())
    }

    /// Fails without asking git where it would find no repository.
    fn expect_any(&self) -> Result<(), GitError> {
        match self.git().would_find_none(self.directory()) {
            true => Err(GitError::NoRepository {
                directory: self.directory().to_owned(),
            }),
            false => Ok(()),
        }
    }

    /// Returns the tracked files by their path. The directory must be the top of the work tree.
    ///
    /// # Errors
    ///
    /// [`GitError`] if git refuses, or lists more than any work tree holds.
    pub fn tracked(&self) -> Result<BTreeMap<PathBuf, Listed>, GitError> {
        Ok(listing::parse(&self.run(["ls-files", "-z", "--stage"])?))
    }

    /// Returns the top of the work tree.
    pub fn top_level(&self) -> Result<PathBuf, GitError> {
        self.expect_any()?;
        self.path("--show-toplevel")
    }

    /// Returns the path that `git rev-parse OPTION` answers, relative to the directory or absolute.
    pub fn path(&self, option: &str) -> Result<PathBuf, GitError> {
        let mut output = self.run(["rev-parse", option])?;
        // A path may end in a newline of its own: only git's is taken away.
        output.pop();
        Ok(OsString::from_vec(output).into())
    }

    /// Returns the commit that a revision names, as 40 (or 64) hexadecimal digits; `None` if there
    /// is no such revision.
    pub fn commit(&self, revision: &str) -> Result<Option<String>, GitError> {
        if revision.starts_with('-') {
            return Ok(None);
        }
        self.expect_any()?;
        let commit = format!("{revision}^{{commit}}");
        self.find(["rev-parse", "--verify", "--quiet", &commit])
    }

    /// Returns the value of a configuration key, as git resolves it: the last one given wins.
    pub fn config(&self, key: &str) -> Result<Option<String>, GitError> {
        self.find(["config", "--get", key])
    }

    /// Returns the commit of the work tree, with `-dirty` if tracked files differ from it; `None`
    /// before the first commit.
    pub fn revision(&self) -> Result<Option<String>, GitError> {
        let Some(commit) = self.commit("HEAD")? else {
            return Ok(None);
        };
        let status = ["status", "--porcelain", "-z", "--untracked-files=no"];
        let clean = self.run(status)?.is_empty();
        Ok(Some(if clean { commit } else { commit + "-dirty" }))
    }

    /// Returns the branch that is checked out; `None` on a detached HEAD.
    pub fn branch(&self) -> Result<Option<String>, GitError> {
        self.find(["symbolic-ref", "--quiet", "--short", "HEAD"])
    }

    /// Returns the names of the remotes.
    pub fn remotes(&self) -> Result<Vec<String>, GitError> {
        Ok(self.text(["remote"])?.lines().map(str::to_owned).collect())
    }

    /// Returns the URL of a remote as configured; `None` if there is no such remote.
    pub fn remote_url(&self, remote: &str) -> Result<Option<String>, GitError> {
        self.config(&format!("remote.{remote}.url"))
    }

    /// Returns the files that differ between `base` and `HEAD`, relative to the top of the work
    /// tree, without those that were deleted.
    ///
    /// These are the files that kata's checks of changed files look at. Source:
    /// `get_pr_changed_file_details_full` in `.ci/lib.sh` and `.ci/static-checks.sh` of kata's
    /// tests repository. It compares the two trees, not `HEAD` with the merge base, and looks at
    /// nothing that is not committed.
    pub fn changed_files(&self, base: &str) -> Result<Vec<String>, GitError> {
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
        let output = self.run(arguments)?;
        Ok(output
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect())
    }
}

impl Repository {
    /// Returns the best common ancestor of a commit and `HEAD`; `None` if there is none, as in a
    /// clone that is too shallow.
    pub fn merge_base(&self, commit: &str) -> Result<Option<String>, GitError> {
        self.find(["merge-base", commit, "HEAD"])
    }

    /// Returns the files of the work tree that differ from a commit, committed or not, relative to
    /// its top. Among them are deleted files, both names of a renamed file, and new files that are
    /// not ignored. The repository's directory must be the top of the work tree.
    pub fn changed_since(&self, commit: &str) -> Result<Vec<PathBuf>, GitError> {
        let mut paths = self.differing(commit)?;
        paths.extend(self.untracked()?);
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    /// Returns the tracked files of the work tree that differ from a commit; see
    /// [`Self::changed_since`].
    pub fn differing(&self, commit: &str) -> Result<Vec<PathBuf>, GitError> {
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
        Ok(paths(&self.run(arguments)?))
    }

    /// Returns the files that are neither tracked nor ignored; see [`Self::changed_since`].
    pub fn untracked(&self) -> Result<Vec<PathBuf>, GitError> {
        let arguments = ["ls-files", "--others", "--exclude-standard", "-z"];
        Ok(paths(&self.run(arguments)?))
    }
}

fn paths(output: &[u8]) -> Vec<PathBuf> {
    output
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| OsString::from_vec(name.to_vec()).into())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Git;
    use crate::git::test_repository::{TestRepository, environment};
    use std::path::Path;

    fn at(directory: &Path) -> Repository {
        Git::find(&environment()).expect("git").at(directory)
    }

    #[test]
    fn a_revision_is_dirty_only_by_tracked_files() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        let head = repository.git(&["rev-parse", "HEAD"]);
        std::fs::write(repository.path().join("untracked"), "").expect("a file");
        assert_eq!(at(repository.path()).revision()?, Some(head.clone()));
        std::fs::write(repository.path().join("file"), "two").expect("a file");
        assert_eq!(at(repository.path()).revision()?, Some(head + "-dirty"));
        Ok(())
    }

    #[test]
    fn asking_for_a_revision_does_not_write_the_index() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        let index = repository.path().join(".git/index");
        // Same content, other time: a status that may write would refresh the index.
        let file = std::fs::File::options()
            .write(true)
            .open(repository.path().join("file"));
        file.and_then(|file| file.set_modified(std::time::UNIX_EPOCH))
            .expect("a new time");
        let before = std::fs::read(&index).expect("the index");
        at(repository.path()).revision()?;
        assert_eq!(std::fs::read(&index).expect("the index"), before);
        Ok(())
    }

    #[test]
    fn a_repository_without_commits_has_no_revision() -> Result<(), GitError> {
        let directory = tempfile::tempdir().expect("a directory");
        at(directory.path()).run(["init", "--quiet"])?;
        assert_eq!(at(directory.path()).revision()?, None);
        Ok(())
    }

    #[test]
    fn outside_of_a_repository_that_is_said() {
        let directory = tempfile::tempdir().expect("a directory");
        let result = at(directory.path()).revision();
        assert!(
            matches!(result, Err(GitError::NoRepository { .. })),
            "{result:?}"
        );
    }

    /// Returns a git that keeps a line of each call in a file of the directory.
    fn counting(place: &Path) -> Git {
        use std::os::unix::fs::PermissionsExt;
        let mut environment = environment();
        let real = environment.find_program("git").expect("git");
        let log = place.join("calls").display().to_string();
        let script = format!(
            "#!/bin/sh\necho \"$*\" >> '{log}'\nexec {} \"$@\"\n",
            real.display()
        );
        std::fs::create_dir(place.join("bin")).expect("made");
        let program = place.join("bin/git");
        std::fs::write(&program, script).expect("written");
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("set");
        environment.set("PATH", place.join("bin"));
        Git::find(&environment).expect("git")
    }

    #[test]
    fn git_is_asked_once_a_repository_and_never_outside_of_one() {
        let place = tempfile::tempdir().expect("a directory");
        let repository = TestRepository::with_a_commit();
        let below = ["a", "b/c"].map(|name| repository.path().join(name));
        let outside = ["d", "e"].map(|name| place.path().join(name));
        for directory in below.iter().chain(&outside) {
            std::fs::create_dir_all(directory).expect("made");
        }
        let link = place.path().join("link");
        std::os::unix::fs::symlink(&below[0], &link).expect("a link");
        let git = counting(place.path());
        let calls = || std::fs::read_to_string(place.path().join("calls")).expect("calls");
        let before = calls().lines().count();
        let directories = below.iter().chain(&outside).chain([&link]);
        let tops = git.top_levels(directories.map(PathBuf::as_path));
        assert_eq!(tops, [repository.path()]);
        assert!(git.at(&outside[0]).revision().is_err());
        assert_eq!(calls().lines().count(), before + 1, "{}", calls());
        assert!(git.at(&link).revision().expect("asked").is_some());
        // A variable may lead there from anywhere.
        let led = git
            .at(&outside[0])
            .with_variable("GIT_DIR", repository.path().join(".git"));
        assert!(led.revision().expect("asked").is_some());
    }

    #[test]
    fn what_is_no_revision_resolves_to_nothing() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        let head = repository.git(&["rev-parse", "HEAD"]);
        assert_eq!(at(repository.path()).commit("master")?, Some(head));
        assert_eq!(at(repository.path()).commit("origin/master")?, None);
        assert_eq!(at(repository.path()).commit("--all")?, None);
        Ok(())
    }

    #[test]
    fn a_detached_head_is_on_no_branch() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        assert_eq!(at(repository.path()).branch()?.as_deref(), Some("master"));
        repository.git(&["checkout", "--quiet", "--detach"]);
        assert_eq!(at(repository.path()).branch()?, None);
        Ok(())
    }

    #[test]
    fn remotes_have_names_and_urls() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        assert_eq!(at(repository.path()).remotes()?, Vec::<String>::new());
        repository.git(&["remote", "add", "upstream", "https://example.org/proxy"]);
        assert_eq!(at(repository.path()).remotes()?, ["upstream"]);
        let url = at(repository.path()).remote_url("upstream")?;
        assert_eq!(url.as_deref(), Some("https://example.org/proxy"));
        assert_eq!(at(repository.path()).remote_url("origin")?, None);
        Ok(())
    }

    #[test]
    fn changed_files_are_those_of_the_commits_without_deleted_ones() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        let base = repository.commit("deleted", "");
        std::fs::remove_file(repository.path().join("deleted")).expect("removed");
        repository.commit("name with\nnewline", "");
        repository.commit("file", "two\n");
        std::fs::write(repository.path().join("uncommitted"), "").expect("a file");
        let changed = at(repository.path()).changed_files(&base)?;
        assert_eq!(changed, ["file", "name with\nnewline"]);
        assert_eq!(
            at(repository.path()).changed_files("HEAD")?,
            Vec::<String>::new()
        );
        Ok(())
    }

    #[test]
    fn what_changed_since_is_all_that_the_work_tree_differs_in() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        let top = repository.path();
        let write = |name: &str, text: &str| std::fs::write(top.join(name), text).expect("a file");
        write(".gitignore", "*.o\n");
        repository.commit("deleted", "");
        let base = repository.commit("renamed", "some text that stays\n");
        assert_eq!(at(top).changed_since(&base)?, Vec::<PathBuf>::new());
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
        assert_eq!(at(top).changed_since(&base)?, expected.map(PathBuf::from));
        Ok(())
    }

    #[test]
    fn upstream_commits_do_not_count_as_changes() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        let fork = repository.git(&["rev-parse", "HEAD"]);
        let upstream = repository.commit("upstream", "");
        repository.git(&["checkout", "--quiet", &fork]);
        repository.commit("ours", "");
        assert_eq!(at(repository.path()).merge_base(&upstream)?, Some(fork));
        repository.git(&["checkout", "--quiet", "--orphan", "other"]);
        repository.commit("root", "");
        assert_eq!(at(repository.path()).merge_base(&upstream)?, None);
        Ok(())
    }

    #[test]
    fn the_top_level_is_found_from_below() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        let below = repository.path().join("a/b");
        std::fs::create_dir_all(&below).expect("directories");
        assert_eq!(at(&below).top_level()?, repository.path());
        Ok(())
    }
}
