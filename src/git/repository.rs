//! A repository: git and the directory that it is called in.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::program::typed;
use super::{Git, GitError};
use crate::env::Environment;
use crate::probe::Answer;

/// The time that a call may take that writes: killed halfway, git leaves its lock files.
const WRITING: Duration = Duration::from_secs(600);

/// The time that another program may take to talk to a server.
const TALKING: Duration = Duration::from_secs(120);

/// A repository, by a directory in it.
#[derive(Debug, Clone)]
pub struct Repository {
    git: Git,
    directory: PathBuf,
}

impl Git {
    /// Returns the repository that git finds from a directory.
    pub fn at(&self, directory: impl Into<PathBuf>) -> Repository {
        Repository::new(self.clone(), directory.into())
    }
}

impl Repository {
    pub(super) fn new(git: Git, directory: PathBuf) -> Self {
        Self { git, directory }
    }

    /// Returns the repository that the user's git finds from this directory, and from `GIT_DIR` if
    /// that is set. A git that is not there is an error of each call.
    pub fn at(directory: impl Into<PathBuf>, environment: &Environment) -> Self {
        Git::of_user(environment).at(directory)
    }

    /// Returns the same repository with one more variable for git.
    pub fn with_variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.git.set(name, value);
        self
    }

    /// Returns the same repository with time for calls that write.
    pub fn for_writing(self) -> Self {
        Self {
            git: self.git.with_deadline(WRITING),
            ..self
        }
    }

    /// Returns the repository of another directory, with the same git.
    pub fn in_directory(self, directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            ..self
        }
    }

    /// Returns the git that is called.
    pub(super) fn git(&self) -> &Git {
        &self.git
    }

    /// Returns the directory that git is called in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the environment as it was given.
    pub fn environment(&self) -> &Environment {
        self.git.called_with()
    }

    /// Refuses a directory in which git could run what a strict job left.
    ///
    /// # Errors
    ///
    /// [`GitError::LeftBehind`] names the files.
    pub fn may_be_asked(&self) -> Result<(), GitError> {
        self.git.check(&self.directory)
    }

    /// Calls git and returns its answer, whatever its exit code.
    ///
    /// # Errors
    ///
    /// [`GitError`] if git cannot be called or does not end in time.
    pub fn answer<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Answer, GitError> {
        self.git.ask(&self.directory, &owned(arguments), b"")
    }

    /// Calls git and returns its standard output.
    ///
    /// # Errors
    ///
    /// [`GitError`], also if git's exit code is not 0.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Vec<u8>, GitError> {
        self.bytes(arguments, b"")
    }

    /// Calls git with an input and returns its standard output.
    ///
    /// # Errors
    ///
    /// [`GitError`], also if git's exit code is not 0.
    pub fn bytes<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Result<Vec<u8>, GitError> {
        self.heard(arguments, input).map(|answer| answer.output)
    }

    /// Calls git with an input and returns its answer, in which its complaints matter too.
    ///
    /// # Errors
    ///
    /// [`GitError`], also if git's exit code is not 0.
    pub(super) fn heard<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Result<Answer, GitError> {
        let arguments = owned(arguments);
        let answer = self.git.ask(&self.directory, &arguments, input)?;
        self.expect_success("git", &arguments, answer)
    }

    /// Calls git and returns its standard output as text, without the newline at its end.
    ///
    /// # Errors
    ///
    /// [`GitError`], also if git's exit code is not 0.
    pub fn text<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<String, GitError> {
        Ok(line(self.run(arguments)?))
    }

    /// Calls git for something that may not be there, which it says with exit code 1: then `None`.
    ///
    /// # Errors
    ///
    /// [`GitError`], also for every other exit code.
    pub fn find<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Option<String>, GitError> {
        let arguments = owned(arguments);
        let answer = self.git.ask(&self.directory, &arguments, b"")?;
        match answer.status.code() {
            Some(1) if !complains(&answer) => Ok(None),
            _ => self
                .expect_success("git", &arguments, answer)
                .map(|answer| Some(line(answer.output))),
        }
    }

    /// Calls git for the user and returns its answer, whatever its exit code.
    ///
    /// It is the one call that may ask on the terminal, and that has no deadline: for a push, and
    /// for what else talks to a server with the user's credentials.
    ///
    /// # Errors
    ///
    /// [`GitError`] if git cannot be called.
    pub fn interactive<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
        variables: &Environment,
    ) -> Result<Answer, GitError> {
        self.git
            .ask_user(&self.directory, &owned(arguments), input, variables)
    }

    /// Calls git for the user, as [`Self::interactive`] does, and returns its standard output as
    /// text.
    ///
    /// # Errors
    ///
    /// [`GitError`], also if git's exit code is not 0.
    pub fn interactive_text<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<String, GitError> {
        let arguments = owned(arguments);
        let answer = self.interactive(&arguments, b"", &Environment::default())?;
        let answer = self.expect_success("git", &arguments, answer)?;
        Ok(line(answer.output))
    }

    /// Calls another program as git would call it, with an input, and returns its standard output.
    /// It asks nobody.
    ///
    /// # Errors
    ///
    /// [`GitError`], also if its exit code is not 0.
    pub fn program(
        &self,
        program: &str,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<String, GitError> {
        let git = self.git.clone().with_deadline(TALKING);
        let answer = git.ask_program(program, &self.directory, owned(arguments), input)?;
        let answer = self.expect_success(program, arguments, answer)?;
        Ok(String::from_utf8_lossy(&answer.output).into_owned())
    }

    fn expect_success<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: &[S],
        answer: Answer,
    ) -> Result<Answer, GitError> {
        match answer.status.success() {
            true => Ok(answer),
            false => {
                let command = typed(program, arguments);
                Err(GitError::refused(command, &self.directory, &answer))
            }
        }
    }
}

fn complains(answer: &Answer) -> bool {
    let errors = String::from_utf8_lossy(&answer.errors);
    let is_complaint = |line: &str| line.starts_with("fatal: ") || line.starts_with("error: ");
    errors.lines().any(is_complaint)
}

fn owned<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Vec<OsString> {
    arguments
        .into_iter()
        .map(|one| one.as_ref().to_owned())
        .collect()
}

fn line(output: Vec<u8>) -> String {
    String::from_utf8_lossy(&output).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(directory: &Path) -> Repository {
        Repository::at(directory, &Environment::current())
    }

    #[test]
    fn a_call_that_fails_says_what_was_called_and_where() {
        let directory = tempfile::tempdir().unwrap();
        let repository = repository(directory.path());
        repository.run(["init", "--quiet"]).unwrap();
        let error = repository.text(["rev-parse", "https://a:b@h/"]);
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("git rev-parse https://h/") && !error.contains("a:b"),
            "{error}"
        );
    }

    #[test]
    fn large_input_does_not_block() {
        let directory = tempfile::tempdir().unwrap();
        let input = vec![b'x'; 1 << 20];
        let hash = repository(directory.path()).bytes(["hash-object", "--stdin"], &input);
        assert_eq!(hash.unwrap().len(), 41);
    }

    #[test]
    fn without_git_each_call_says_so() {
        let repository = Repository::at("/", &Environment::default());
        let error = repository.text(["--version"]).unwrap_err();
        assert_eq!(error.to_string(), "git is not on PATH");
        let error = repository.interactive_text(["--version"]).unwrap_err();
        assert!(matches!(error, GitError::Missing), "{error:?}");
    }
}
