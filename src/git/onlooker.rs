//! The questions that git may be asked where a job has run.
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use super::listing::parse;
use super::{Git, GitError, Listing};
use crate::env::Environment;

/// Variables that git needs to find itself, its user's rules, and the end of a repository. No other
/// is handed on: it may hold a secret.
const VARIABLES: [&str; 8] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
];

/// Configuration that leads to no program. No question of an onlooker leads to one anyway; in
/// another version of git it might.
const NOWHERE: [&str; 10] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.attributesFile=/dev/null",
    "-c",
    "core.sshCommand=false",
    "-c",
    "credential.helper=",
    "-c",
    "protocol.allow=never",
];

/// Git for a tree in which a job has run.
///
/// It lists files and compares them as they are. It starts no filter, hook, monitor, alias or
/// helper that the tree names, and fetches nothing.
#[derive(Debug, Clone)]
pub struct Onlooker(Git);

impl Onlooker {
    /// Finds git on the `PATH` of the environment. It gets next to nothing else of that.
    ///
    /// # Errors
    /// See [`Git::find`].
    pub fn find(environment: &Environment, deadline: Duration) -> Result<Self, GitError> {
        let mut bare: Environment = VARIABLES
            .iter()
            .filter_map(|name| {
                let value = environment.get(name)?;
                Some((OsString::from(name), value.to_owned()))
            })
            .collect();
        bare.set("GIT_ATTR_NOSYSTEM", "1");
        let git = Git::find(&bare)?;
        Ok(Self(
            git.with_deadline(deadline).without_fetching().everywhere(),
        ))
    }

    /// Returns the tracked files, and new ones that are not ignored, of the work tree with this
    /// top.
    ///
    /// # Errors
    /// When git refuses or lists more than any work tree holds.
    pub fn files(&self, top: &Path) -> Result<Listing, GitError> {
        let arguments = words(&[
            "ls-files",
            "-z",
            "--stage",
            "--others",
            "--exclude-standard",
        ]);
        let answer = self.0.at(top).heard(&arguments, b"")?;
        let complaints = String::from_utf8_lossy(&answer.errors);
        let unread = (complaints.lines())
            .filter_map(|line| line.strip_prefix("warning: "))
            .filter(|text| text.contains("could not open directory"));
        Ok(Listing {
            files: parse(&answer.output),
            unread: unread.map(str::to_owned).collect(),
        })
    }

    /// Returns the objects that the files would be as they are: nothing is converted. All of them
    /// have to exist.
    ///
    /// # Errors
    /// When git cannot read one of them.
    pub fn objects(&self, top: &Path, files: &[&Path]) -> Result<Vec<String>, GitError> {
        let mut arguments = words(&["hash-object", "--no-filters", "--"]);
        arguments.extend(files.iter().map(|path| path.as_os_str()));
        let output = self.0.at(top).run(&arguments)?;
        let text = String::from_utf8_lossy(&output);
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Returns the object that is checked out, by the refs alone: the object itself may be missing.
    /// `None` before the first commit.
    ///
    /// # Errors
    /// When git refuses.
    pub fn head(&self, top: &Path) -> Result<Option<String>, GitError> {
        let arguments = words(&["rev-parse", "--verify", "--quiet", "HEAD"]);
        self.0.at(top).find(&arguments)
    }
}

fn words<'a>(question: &[&'a str]) -> Vec<&'a OsStr> {
    let all = NOWHERE.iter().chain(question);
    all.map(|word| OsStr::new(*word)).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::time::Duration;

    use super::*;
    use crate::git::test_repository::{TestRepository, environment};

    #[test]
    fn tracked_new_and_ignored_files_are_told_apart() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        repository.commit("tracked\tfile", "x\n");
        let path = |name: &[u8]| repository.path().join(OsStr::from_bytes(name));
        std::fs::write(path(b".gitignore"), "ignored\n").unwrap();
        std::fs::write(path(b"ignored"), "").unwrap();
        std::fs::create_dir(path(b"new")).unwrap();
        std::fs::write(path(b"new/\n\xff"), "").unwrap();
        let git = Onlooker::find(&environment(), Duration::from_secs(20))?;
        let files = git.files(repository.path())?.files;
        let is_tracked = |name: &[u8]| {
            let listed = files.get(Path::new(OsStr::from_bytes(name)));
            listed.map(|listed| listed.object().is_some())
        };
        assert_eq!(is_tracked(b"tracked\tfile"), Some(true));
        assert_eq!(is_tracked(b"new/\n\xff"), Some(false));
        assert_eq!(is_tracked(b".gitignore"), Some(false));
        assert_eq!(is_tracked(b"ignored"), None);
        Ok(())
    }

    #[test]
    fn a_file_as_it_is_has_the_object_that_git_has_of_it() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        repository.commit("-a", "x\n");
        let git = Onlooker::find(&environment(), Duration::from_secs(20))?;
        let files = git.files(repository.path())?.files;
        let objects = git.objects(repository.path(), &[Path::new("-a")])?;
        assert_eq!(
            files[Path::new("-a")].object(),
            objects.first().map(String::as_str)
        );
        assert!(
            git.objects(repository.path(), &[Path::new("gone")])
                .is_err()
        );
        Ok(())
    }

    #[test]
    fn what_the_configuration_names_is_not_run() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        let ran = repository.path().join("ran");
        let program = format!("touch '{}'", ran.display());
        for key in [
            "core.fsmonitor",
            "filter.evil.clean",
            "filter.evil.process",
            "diff.evil.command",
        ] {
            repository.git(&["config", key, &program]);
        }
        let attributes = repository.path().join(".gitattributes");
        std::fs::write(attributes, "* filter=evil diff=evil\n").unwrap();
        std::fs::write(repository.path().join("touched"), "x\n").unwrap();
        let git = Onlooker::find(&environment(), Duration::from_secs(20))?;
        git.files(repository.path())?;
        git.objects(repository.path(), &[Path::new("touched")])?;
        assert!(!ran.exists());
        Ok(())
    }
}
