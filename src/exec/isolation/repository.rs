//! Finds the repository of a directory without calling git. Its `.git` is a directory, or a file
//! that names one (for a linked work tree or a submodule). See gitrepository-layout(5).

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The repository of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::exec) struct Repository {
    /// The top of the work tree; the directory itself outside of any repository.
    pub top: PathBuf,
    /// Directories that git writes to: its own, and the one it shares with other work trees.
    pub git_directories: Vec<PathBuf>,
}

impl Repository {
    /// Searches in and above the directory. A repository that contains the user's whole home does
    /// not count.
    pub fn of(directory: &Path, home: &Path) -> Self {
        let top = directory
            .ancestors()
            .find(|above| above.join(".git").exists());
        match top.filter(|top| !home.starts_with(top)) {
            Some(top) => Self {
                top: top.to_owned(),
                git_directories: git_directories(top),
            },
            None => Self {
                top: directory.to_owned(),
                git_directories: Vec::new(),
            },
        }
    }
}

/// Names of files that make git run programs. Its configuration names programs, and `commondir`
/// says where the configuration is.
const SETTINGS: [&str; 4] = ["config", "config.worktree", "commondir", "hooks"];

/// Largest file with a path or the name of a branch, in bytes.
const LARGEST: u64 = 8192;

/// Deepest level to search for submodules, because their names can have slashes.
const DEPTH: usize = 4;

impl Repository {
    /// Returns the files and directories that can make git run programs, whether they exist or not:
    /// those of this repository, of its submodules and of its other work trees. They include a file
    /// `.git`, which says where the repository is.
    pub fn settings(&self) -> Vec<PathBuf> {
        let mut repositories = self.git_directories.clone();
        for git in &self.git_directories {
            nested(&git.join("modules"), DEPTH, &mut repositories);
            nested(&git.join("worktrees"), 1, &mut repositories);
        }
        let named = Some(self.top.join(".git")).filter(|git| git.is_file());
        repositories
            .iter()
            .flat_map(|git| SETTINGS.map(|name| git.join(name)))
            .chain(named)
            .collect()
    }
}

/// Finds the repositories below a directory.
fn nested(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.join("HEAD").exists() {
            nested(&path.join("modules"), depth, found);
            found.push(path);
        } else if depth > 1 && !path.is_symlink() {
            nested(&path, depth - 1, found);
        }
    }
}

fn git_directories(top: &Path) -> Vec<PathBuf> {
    let git = top.join(".git");
    let Ok(text) = text_of(&git) else {
        return vec![git];
    };
    let Some(named) = text.strip_prefix("gitdir:").map(str::trim) else {
        return Vec::new();
    };
    let own = top.join(named);
    let common = text_of(&own.join("commondir"))
        .ok()
        .map(|text| own.join(text.trim()));
    common
        .into_iter()
        .chain([own])
        .filter_map(|path| path.canonicalize().ok())
        .collect()
}

/// Reads a small file of a repository. A job may have changed it. Anything that is not a file could
/// block the reader, so it is an error; of a large file only the beginning is read.
pub(in crate::exec) fn text_of(path: &Path) -> io::Result<String> {
    let mut text = Vec::new();
    crate::fs::open(path)?
        .take(LARGEST)
        .read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_found_from_below_and_without_one_it_is_the_directory() {
        let place = tempfile::tempdir().unwrap();
        let below = place.path().join("repository/src/agent");
        fs::create_dir_all(&below).unwrap();
        assert_eq!(Repository::of(&below, Path::new("/root")).top, below);
        let git = place.path().join("repository/.git");
        fs::create_dir(&git).unwrap();
        let found = Repository::of(&below, Path::new("/root"));
        assert_eq!(found.top, place.path().join("repository"));
        assert_eq!(found.git_directories, [git]);
    }

    #[test]
    fn a_home_under_git_is_not_taken_for_the_work_tree() {
        let place = tempfile::tempdir().unwrap();
        let component = place.path().join("component");
        fs::create_dir_all(place.path().join(".git")).unwrap();
        fs::create_dir(&component).unwrap();
        let found = Repository::of(&component, place.path());
        assert_eq!((found.top, found.git_directories), (component, Vec::new()));
    }

    #[test]
    fn settings_are_those_of_submodules_and_other_work_trees_too() {
        let place = tempfile::tempdir().unwrap();
        let git = place.path().join(".git");
        for directory in ["modules/a/b", "modules/a/b/modules/c", "worktrees/side"] {
            fs::create_dir_all(git.join(directory)).unwrap();
            fs::write(git.join(directory).join("HEAD"), "").unwrap();
        }
        let settings = Repository::of(place.path(), Path::new("/root")).settings();
        for name in [
            "config",
            "commondir",
            "hooks",
            "modules/a/b/config",
            "modules/a/b/modules/c/hooks",
            "worktrees/side/commondir",
        ] {
            assert!(settings.contains(&git.join(name)), "{name}: {settings:?}");
        }
    }

    #[test]
    fn what_is_no_file_keeps_nobody_waiting() {
        let place = tempfile::tempdir().unwrap();
        let fifo = place.path().join(".git");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(
            Repository::of(place.path(), Path::new("/root")).git_directories,
            [fifo]
        );
        let large = place.path().join("large");
        fs::File::create(&large).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(text_of(&large).unwrap().len() as u64, LARGEST);
    }

    #[test]
    fn a_work_tree_beside_writes_to_its_own_and_the_common_directory() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().canonicalize().unwrap();
        let own = place.join("main/.git/worktrees/side");
        fs::create_dir_all(&own).unwrap();
        fs::write(own.join("commondir"), "../..\n").unwrap();
        let side = place.join("side");
        fs::create_dir(&side).unwrap();
        fs::write(side.join(".git"), format!("gitdir: {}\n", own.display())).unwrap();
        let found = Repository::of(&side, Path::new("/root"));
        assert_eq!(found.git_directories, [place.join("main/.git"), own]);
        assert!(found.settings().contains(&side.join(".git")));
    }
}
