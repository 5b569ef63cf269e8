//! Calling git.
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::GitError;
use crate::env::Environment;
use crate::probe::{Answer, Probe, at_least, dotted, version_in};

/// The oldest git that is known to do all that is asked of it.
pub const LEAST_VERSION: &[u32] = &[2, 20];

/// What only looks at a repository takes milliseconds; a network file system gets its time.
const DEADLINE: Duration = Duration::from_secs(20);

/// A monitor of the file system is a program that the repository's configuration names, and a job may have written that.
/// The empty word is no in every version, and submodules are given it, too. Nor is a directory of the tree taken for a
/// repository that has no work tree, as anybody can commit one, with a configuration; before git 2.38 it is.
const GUARDS: [&str; 4] = [
    "-c",
    "core.fsmonitor=",
    "-c",
    "safe.bareRepository=explicit",
];

/// The git program with the environment it is called in.
#[derive(Debug, Clone)]
pub struct Git {
    program: PathBuf,
    environment: Environment,
    deadline: Duration,
}

impl Git {
    /// Finds git on the `PATH` of the environment and makes the environment fit for it.
    ///
    /// # Errors
    /// When there is none, it does not answer, or it is older than [`LEAST_VERSION`].
    pub fn find(environment: &Environment) -> Result<Self, GitError> {
        let program = environment.find_program("git").ok_or(GitError::Missing)?;
        let mut git = Self {
            program,
            environment: environment.clone(),
            deadline: DEADLINE,
        };
        git.environment.extend(
            [
                ("GIT_TERMINAL_PROMPT", "0"),
                ("GIT_OPTIONAL_LOCKS", "0"),
                ("LC_ALL", "C"),
            ]
            .map(|(name, value)| (name.into(), value.into())),
        );
        git.remove_local_variables()?;
        git.check_version()?;
        Ok(git)
    }

    /// The same, with more time for each call than looking takes.
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The same, without ever fetching what a partial clone lacks: whom to ask, and how, its configuration says.
    pub fn without_fetching(mut self) -> Self {
        let no_fetching = [("GIT_NO_LAZY_FETCH", "1"), ("GIT_ALLOW_PROTOCOL", "none")];
        self.environment
            .extend(no_fetching.map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Calls git and hands out its standard output.
    ///
    /// # Errors
    /// When it cannot be called, does not end in time, or ends with a code other than 0.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        directory: &Path,
        arguments: &[S],
    ) -> Result<Vec<u8>, GitError> {
        self.run_heard(directory, arguments)
            .map(|answer| answer.output)
    }

    /// The same, where it matters what git complained of and went on all the same.
    pub(super) fn run_heard<S: AsRef<OsStr>>(
        &self,
        directory: &Path,
        arguments: &[S],
    ) -> Result<Answer, GitError> {
        let (probe, answer) = self.ask(directory, arguments)?;
        match answer.status.success() {
            true => Ok(answer),
            false => Err(failure(&probe, &answer)),
        }
    }

    /// Calls git for something that may not be there, which it says with code 1 and no word.
    pub(super) fn run_optional<S: AsRef<OsStr>>(
        &self,
        directory: &Path,
        arguments: &[S],
    ) -> Result<Option<Vec<u8>>, GitError> {
        let (probe, answer) = self.ask(directory, arguments)?;
        match answer.status.code() {
            Some(0) => Ok(Some(answer.output)),
            Some(1) if answer.errors.is_empty() => Ok(None),
            _ => Err(failure(&probe, &answer)),
        }
    }

    fn ask<'a, S: AsRef<OsStr>>(
        &'a self,
        directory: &'a Path,
        arguments: &[S],
    ) -> Result<(Probe<'a>, Answer), GitError> {
        let probe = Probe {
            program: &self.program,
            arguments: (GUARDS.iter().map(OsString::from))
                .chain(arguments.iter().map(|word| word.as_ref().to_owned()))
                .collect(),
            directory,
            environment: &self.environment,
            deadline: self.deadline,
        };
        let answer = probe.run()?;
        Ok((probe, answer))
    }

    /// git itself knows which variables point it to a repository.
    fn remove_local_variables(&mut self) -> Result<(), GitError> {
        let names = self.run(Path::new("/"), &["rev-parse", "--local-env-vars"])?;
        for name in String::from_utf8_lossy(&names).lines() {
            self.environment.remove(name);
        }
        Ok(())
    }

    fn check_version(&self) -> Result<(), GitError> {
        let output = self.run(Path::new("/"), &["--version"])?;
        let text = String::from_utf8_lossy(&output);
        match version_in(&text) {
            Some(version) if at_least(&version, LEAST_VERSION) => Ok(()),
            _ => Err(GitError::TooOld {
                found: format!("`{}`", text.trim()),
                least: dotted(LEAST_VERSION),
            }),
        }
    }
}

fn failure(probe: &Probe<'_>, answer: &Answer) -> GitError {
    let directory = probe.directory.to_owned();
    let errors = String::from_utf8_lossy(&answer.errors);
    if errors.contains("dubious ownership") {
        return GitError::DubiousOwnership {
            repository: refused_repository(&errors).unwrap_or_else(|| directory.clone()),
            directory,
        };
    }
    if errors.contains("not a git repository") {
        return GitError::NoRepository { directory };
    }
    let asked = Probe {
        arguments: probe.arguments[GUARDS.len()..].to_vec(),
        ..probe.clone()
    };
    GitError::Failed {
        command: asked.command(),
        directory,
        status: answer.status,
        complaint: answer.complaint(),
    }
}

/// `fatal: detected dubious ownership in repository at '/path'`
fn refused_repository(errors: &str) -> Option<PathBuf> {
    let (_, rest) = errors.split_once("in repository at '")?;
    rest.split_once("'\n").map(|(path, _)| path.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::git::test_repository::{Repository, environment};

    #[test]
    fn without_git_on_the_path_that_is_said() {
        let error = Git::find(&Environment::default()).map_err(|error| error.to_string());
        assert_eq!(error.err().as_deref(), Some("git is not on PATH"));
    }

    #[test]
    fn an_old_git_is_refused_by_its_version() -> Result<(), Box<dyn std::error::Error>> {
        let bin = tempfile::tempdir()?;
        let program = bin.path().join("git");
        std::fs::write(
            &program,
            "#!/bin/sh\nfor last; do :; done\ntest \"$last\" = --version && echo git version 1.8.3.1\nexit 0\n",
        )?;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
        let environment = Environment::from([("PATH".into(), bin.path().as_os_str().to_owned())]);
        let error = Git::find(&environment).map_err(|error| error.to_string());
        assert_eq!(
            error.err().as_deref(),
            Some("git is `git version 1.8.3.1`, 2.20 or newer is needed")
        );
        Ok(())
    }

    #[test]
    fn variables_that_name_another_repository_are_not_followed() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        let mut environment = environment();
        environment.set("GIT_DIR", "/nonexistent");
        environment.set("GIT_WORK_TREE", "/nonexistent");
        let git = Git::find(&environment)?;
        assert_eq!(git.top_level(repository.path())?, repository.path());
        Ok(())
    }

    #[test]
    fn no_monitor_that_a_repository_names_is_run() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        let ran = repository.path().join("ran");
        let program = format!("touch '{}'", ran.display());
        repository.git(&["config", "core.fsmonitor", &program]);
        let git = Git::find(&environment())?;
        git.revision(repository.path())?;
        git.changed_since(repository.path(), "HEAD")?;
        assert!(!ran.exists());
        Ok(())
    }

    #[test]
    fn a_refusal_has_command_place_and_reason() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        let git = Git::find(&environment())?;
        let error = git.run(repository.path(), &["rev-parse", "--verify", "nothing"]);
        let message = error
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert_eq!(
            message.replace(&*repository.path().to_string_lossy(), "DIR"),
            "`git rev-parse --verify nothing` failed in DIR (exit status: 128): fatal: Needed a single revision"
        );
        Ok(())
    }

    #[test]
    fn a_repository_of_another_owner_is_recognised() -> Result<(), GitError> {
        let repository = Repository::with_a_commit();
        let mut environment = environment();
        // git's own way to test this without being root.
        environment.set("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
        let result = Git::find(&environment)?.top_level(repository.path());
        let Err(error @ GitError::DubiousOwnership { .. }) = result else {
            panic!("{result:?}");
        };
        let fix = error.fix().unwrap_or_default();
        assert_eq!(
            fix.replace(&*repository.path().to_string_lossy(), "DIR"),
            "git config --global --add safe.directory DIR"
        );
        Ok(())
    }
}
