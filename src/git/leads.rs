//! Finds the paths that git's configuration leads to in a work tree: configurations that it
//! includes, hooks, and words of commands. Whoever may write there leads git.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::{GitError, Repository};

/// Keys whose value is a directory of programs.
const DIRECTORIES: [&str; 1] = ["core.hookspath"];

impl Repository {
    /// Returns the paths below the work tree that its configuration names, whether they exist or
    /// not. The directory must be the top of the work tree.
    ///
    /// # Errors
    /// When git refuses.
    pub fn leads(&self) -> Result<Vec<PathBuf>, GitError> {
        let listed = self.run(["config", "--list", "-z", "--show-origin"])?;
        Ok(named(self.directory(), &String::from_utf8_lossy(&listed)))
    }
}

/// `ORIGIN \0 KEY \n VALUE \0 …`, with `file:PATH` for an origin.
fn named(top: &Path, listed: &str) -> Vec<PathBuf> {
    let mut found = BTreeSet::new();
    let mut fields = listed.split('\0');
    while let (Some(origin), Some(entry)) = (fields.next(), fields.next()) {
        let file = normal(&top.join(origin.strip_prefix("file:").unwrap_or_default()));
        let beside = file.parent().unwrap_or(top);
        let (key, value) = entry.split_once('\n').unwrap_or((entry, ""));
        let is_word = |letter: char| letter.is_whitespace() || "'\"=;|&()<>`!".contains(letter);
        let words = value.split(is_word).chain([value]);
        for word in words.filter(|word| !word.is_empty()) {
            let paths = [top, beside].map(|directory| normal(&directory.join(word)));
            let is_there = |path: &&PathBuf| is_led(key, word, path);
            found.extend(paths.iter().filter(is_there).cloned());
        }
        found.insert(file);
    }
    let own = top.join(".git");
    found.retain(|path| path.starts_with(top) && path != top && !path.starts_with(&own));
    found.into_iter().collect()
}

/// Returns true if a word of a value can be a path: with a slash it may come later.
fn is_led(key: &str, word: &str, path: &Path) -> bool {
    let is_path = word.contains('/') || path.is_file();
    DIRECTORIES.contains(&key) || key.ends_with(".path") || (is_path && !path.is_dir())
}

/// Resolves `.` and `..` by the names alone.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use crate::git::Git;
    use crate::git::test_repository::{TestRepository, environment};

    #[test]
    fn configurations_hooks_and_programs_in_the_tree_are_named() {
        let repository = TestRepository::with_a_commit();
        for name in ["tool", "clean"] {
            std::fs::write(repository.path().join(name), "").unwrap();
        }
        std::fs::create_dir(repository.path().join("directory")).unwrap();
        for (key, value) in [
            ("include.path", "../.gitconfig"),
            ("core.hooksPath", ".githooks"),
            ("filter.a.clean", "python3 'tools/clean.py' directory %f"),
            ("filter.b.clean", "clean"),
            ("alias.x", "!./tool --all"),
            ("remote.origin.url", "https://example.org/tool/x"),
            ("user.name", "Ada Nobody"),
        ] {
            repository.git(&["config", key, value]);
        }
        let git = Git::find(&environment()).unwrap();
        let found = git.at(repository.path()).leads().unwrap();
        let found: Vec<_> = (found.iter())
            .map(|path| {
                path.strip_prefix(repository.path())
                    .unwrap()
                    .to_str()
                    .unwrap()
            })
            .collect();
        for name in [".gitconfig", ".githooks", "tools/clean.py", "clean", "tool"] {
            assert!(found.contains(&name), "{name}: {found:?}");
        }
        assert!(!found.contains(&"directory"), "{found:?}");
    }
}
