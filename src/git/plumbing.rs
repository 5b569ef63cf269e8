//! Calls of git(1) in one repository: arguments as they are, never through a shell; typed errors without credentials.
//!
//! The user's own configuration, agent and environment hold: what git does here is what it does for the user. Only the
//! language of its messages is fixed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::env::Environment;

/// A call of git that did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// git could not be started, or its pipes broke.
    #[error("`{command}` could not be run in {directory}: {source}", directory = directory.display())]
    Spawn {
        /// The call as typed.
        command: String,
        /// Where.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// git ran and said no.
    #[error("`{command}` in {directory} ended with {status}: {message}", directory = directory.display())]
    Failed {
        /// The call as typed.
        command: String,
        /// Where.
        directory: PathBuf,
        /// Exit code or signal, in words.
        status: String,
        /// What it wrote to standard error, without credentials.
        message: String,
    },
}

/// A repository, by a directory in it.
#[derive(Debug, Clone)]
pub struct Repository {
    directory: PathBuf,
    environment: Option<Environment>,
}

impl Repository {
    /// The repository that git finds from this directory (and from `GIT_DIR`, as git does).
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            environment: None,
        }
    }

    /// With this environment for git in place of kata-ci's own.
    pub fn with_environment(self, environment: Environment) -> Self {
        Self {
            environment: Some(environment),
            ..self
        }
    }

    /// With one more variable for git.
    pub fn with_variable(self, name: &str, value: impl Into<OsString>) -> Self {
        let mut environment = self
            .environment
            .clone()
            .unwrap_or_else(|| Environment::current());
        environment.set(name, value);
        self.with_environment(environment)
    }

    /// A variable as git gets it.
    pub fn variable(&self, name: &str) -> Option<OsString> {
        match &self.environment {
            Some(environment) => environment.get(name).map(OsStr::to_owned),
            None => std::env::var_os(name),
        }
    }

    /// Another one, by a directory in it, with the same environment.
    pub fn in_directory(self, directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            ..self
        }
    }

    /// The directory git is called in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A git call to be completed by the caller.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.program("git");
        command.args(arguments);
        command
    }

    /// A call of a program that git calls, too, in the same place and environment.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        if let Some(environment) = &self.environment {
            command.env_clear().envs(environment);
        }
        command.current_dir(&self.directory).env("LC_ALL", "C");
        command
    }

    /// Runs git to its end with this on its standard input.
    ///
    /// # Errors
    /// [`GitError::Spawn`] only: the exit code is the caller's to read.
    pub fn output<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Result<Output, GitError> {
        let mut command = self.command(arguments);
        capture(&mut command, input).map_err(|source| GitError::Spawn {
            command: typed(&command),
            directory: self.directory.clone(),
            source,
        })
    }

    /// Runs git to its end with more environment. It may ask the user on the terminal, which does not go through standard
    /// input; where there is none it must not wait for an answer.
    ///
    /// # Errors
    /// [`GitError::Spawn`] only: the exit code is the caller's to read.
    pub fn interactive<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        environment: &BTreeMap<&str, &str>,
    ) -> Result<Output, GitError> {
        let mut command = self.command(arguments);
        command.envs(environment);
        if !io::stdin().is_terminal() {
            command.env("GIT_TERMINAL_PROMPT", "0");
        }
        capture(&mut command, b"").map_err(|source| GitError::Spawn {
            command: typed(&command),
            directory: self.directory.clone(),
            source,
        })
    }

    /// What such a program says to this input, if it ends well.
    ///
    /// # Errors
    /// [`GitError`], also where its exit code is not 0.
    pub fn said(&self, mut command: Command, input: &[u8]) -> Result<String, GitError> {
        let output = capture(&mut command, input).map_err(|source| GitError::Spawn {
            command: typed(&command),
            directory: self.directory.clone(),
            source,
        })?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(self.refused(&command, &output)),
        }
    }

    /// Bytes of standard output of a call that must succeed.
    ///
    /// # Errors
    /// [`GitError`], also where git's exit code is not 0.
    pub fn bytes<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Result<Vec<u8>, GitError> {
        let arguments = owned(arguments);
        let output = self.output(&arguments, input)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(self.failed(&arguments, &output))
    }

    /// Standard output of a call that must succeed, without the new line at its end.
    ///
    /// # Errors
    /// [`GitError`], also where git's exit code is not 0.
    pub fn text<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<String, GitError> {
        let bytes = self.bytes(arguments, b"")?;
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    /// Like [`Self::text`]; none where git ends with exit code 1, its answer "there is none" to many questions.
    ///
    /// # Errors
    /// [`GitError`] for every other exit code.
    pub fn find<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Option<String>, GitError> {
        let arguments = owned(arguments);
        let output = self.output(&arguments, b"")?;
        match output.status.code() {
            Some(0) => Ok(Some(
                String::from_utf8_lossy(&output.stdout)
                    .trim_end()
                    .to_owned(),
            )),
            Some(1) => Ok(None),
            _ => Err(self.failed(&arguments, &output)),
        }
    }

    /// The value of a configuration key, as git resolves it (the last one given wins).
    ///
    /// # Errors
    /// [`GitError`] where the configuration cannot be read.
    pub fn config(&self, key: &str) -> Result<Option<String>, GitError> {
        self.find(["config", "--get", key])
    }

    /// The commit a revision names; none where it names nothing.
    ///
    /// # Errors
    /// [`GitError`] where git could not look.
    pub fn commit(&self, revision: &str) -> Result<Option<String>, GitError> {
        let commit = format!("{revision}^{{commit}}");
        self.find([
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ])
    }

    /// The top of the work tree.
    ///
    /// # Errors
    /// [`GitError`] outside of a work tree.
    pub fn top_level(&self) -> Result<PathBuf, GitError> {
        Ok(self.text(["rev-parse", "--show-toplevel"])?.into())
    }

    fn failed(&self, arguments: &[OsString], output: &Output) -> GitError {
        self.refused(&self.command(arguments), output)
    }

    fn refused(&self, command: &Command, output: &Output) -> GitError {
        GitError::Failed {
            command: typed(command),
            directory: self.directory.clone(),
            status: output.status.to_string(),
            message: without_credentials(String::from_utf8_lossy(&output.stderr).trim()),
        }
    }
}

fn owned<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Vec<OsString> {
    arguments
        .into_iter()
        .map(|one| one.as_ref().to_owned())
        .collect()
}

/// A thread writes while this one reads: neither pipe can fill up and stop the other.
fn capture(command: &mut Command, input: &[u8]) -> io::Result<Output> {
    let stdin = if input.is_empty() {
        Stdio::null()
    } else {
        Stdio::piped()
    };
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let pipe = child.stdin.take();
    std::thread::scope(|scope| {
        let writer = std::thread::Builder::new().spawn_scoped(scope, move || {
            if let Some(mut pipe) = pipe {
                // A child that ends without reading is no error: its exit code tells.
                let _ = pipe.write_all(input);
            }
        });
        if let Err(error) = writer {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
        child.wait_with_output()
    })
}

/// The call as a person would type it, without credentials.
fn typed(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    without_credentials(&words.join(" "))
}

/// The text with `user:password@` taken out of every URL in it; a user without a password stays.
pub fn without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        clean.push_str(head);
        let end = tail
            .find(|letter: char| letter == '/' || letter.is_whitespace() || "'\"".contains(letter))
            .unwrap_or(tail.len());
        let (authority, after) = tail.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => clean.push_str(host),
            _ => clean.push_str(authority),
        }
        rest = after;
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_taken_out_of_urls() {
        let said = "fatal: 'https://ada:s3:cret@host/a' and http://x:y@h, ssh://ada@host:29418/a";
        let clean = "fatal: 'https://host/a' and http://h, ssh://ada@host:29418/a";
        assert_eq!(without_credentials(said), clean);
    }

    #[test]
    fn a_call_that_fails_says_what_was_called_and_where() {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository::at(directory.path());
        let error = repository
            .text(["rev-parse", "https://a:b@h/"])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("git rev-parse https://h/") && !error.contains("a:b"),
            "{error}"
        );
    }

    #[test]
    fn large_input_does_not_block() {
        let directory = tempfile::tempdir().unwrap();
        let input = vec![b'x'; 1 << 20];
        let repository = Repository::at(directory.path());
        let hash = repository.bytes(["hash-object", "--stdin"], &input);
        assert_eq!(hash.unwrap().len(), 41);
    }
}
