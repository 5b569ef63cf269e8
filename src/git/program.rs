//! The git program, and the environment that it is called in.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::strict_runs::StrictRuns;
use super::{GitError, listing, obstacle};
use crate::env::Environment;
use crate::probe::{Answer, Probe, ProbeError, at_least, dotted, stdin_with, version_in};

/// The oldest git that is known to do all that is asked of it.
pub const LEAST_VERSION: &[u32] = &[2, 20];

/// The time that a question may take: looking takes milliseconds, but a network file system needs
/// its time.
const LOOKING: Duration = Duration::from_secs(20);

/// Configuration that each call but the one for the user gets.
///
/// A monitor of the file system is a program that the repository's configuration names, and a job
/// may have written that. The empty word means no in every version, and submodules get it too.
/// Anybody can commit a directory that looks like a bare repository, with a configuration: it is
/// not taken for one (before git 2.38 it is).
const GUARDS: [&str; 4] = [
    "-c",
    "core.fsmonitor=",
    "-c",
    "safe.bareRepository=explicit",
];

/// The variables that a program knows, once it has told them and is new enough. They are the same
/// as long as this process lives.
static ANSWERS: Mutex<BTreeMap<PathBuf, Vec<String>>> = Mutex::new(BTreeMap::new());

/// The git program with the environment that it is called in.
#[derive(Debug, Clone)]
pub struct Git {
    /// `None` if there is no git on `PATH`.
    program: Option<PathBuf>,
    /// The environment as given, for calls that may ask the user.
    called_with: Environment,
    /// The environment of all other calls.
    environment: Environment,
    /// The variables that point to a repository, by name. Git itself knows them.
    local_variables: Vec<String>,
    deadline: Duration,
    /// The work trees in which it is not asked.
    strict_runs: StrictRuns,
}

impl Git {
    /// Finds git on the `PATH` of the environment, checks its version, and removes variables that
    /// point to a repository.
    ///
    /// # Errors
    ///
    /// [`GitError`] if there is none, it does not answer, or it is older than [`LEAST_VERSION`].
    pub fn find(environment: &Environment) -> Result<Self, GitError> {
        let mut git = Self::of_user(environment);
        let program = git.program()?.to_owned();
        let known = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = known.get(&program).cloned();
        drop(known);
        git.local_variables = match answer {
            Some(variables) => variables,
            None => {
                let variables = git.ask_local_variables()?;
                git.check_version()?;
                let mut known = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(program, variables.clone());
                variables
            }
        };
        git.remove_local_variables();
        Ok(git)
    }

    /// Finds git on the `PATH` of another environment, such as that of jobs. The same program is
    /// not asked for its version again, and where strict jobs have run is known as to this one.
    ///
    /// # Errors
    ///
    /// See [`Git::find`].
    pub fn find_in(&self, environment: &Environment) -> Result<Self, GitError> {
        let mut git = Self::of_user(environment);
        if git.program != self.program {
            git = Self::find(environment)?;
        }
        git.local_variables = self.local_variables.clone();
        git.remove_local_variables();
        Ok(git.remembering(&self.strict_runs))
    }

    /// Returns the same git with these records of strict jobs.
    pub fn remembering(self, strict_runs: &StrictRuns) -> Self {
        Self {
            strict_runs: strict_runs.clone(),
            ..self
        }
    }

    /// The user's git, which finds its repository as the user's own call would: variables that
    /// point to a repository stay. Neither is a version asked for, so that a hook answers at once.
    pub(crate) fn of_user(environment: &Environment) -> Self {
        let mut called_with = environment.clone();
        called_with.set("LC_ALL", "C");
        let mut guarded = called_with.clone();
        guarded.set("GIT_TERMINAL_PROMPT", "0");
        guarded.set("GIT_OPTIONAL_LOCKS", "0");
        // A push sends the commits themselves, not what a job has others replaced by.
        guarded.set("GIT_NO_REPLACE_OBJECTS", "1");
        Self {
            program: environment.find_program("git"),
            called_with,
            environment: guarded,
            local_variables: Vec::new(),
            deadline: LOOKING,
            strict_runs: StrictRuns::of(environment),
        }
    }

    /// Returns the same git, which is asked wherever strict jobs have run. Its questions must lead
    /// to no program.
    pub(super) fn everywhere(self) -> Self {
        Self {
            strict_runs: StrictRuns::none(),
            ..self
        }
    }

    /// Returns the same git with another deadline for each call.
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Returns the same git, which never fetches what a partial clone lacks: the repository's
    /// configuration says whom it would ask, and how.
    pub fn without_fetching(mut self) -> Self {
        for (name, value) in [("GIT_NO_LAZY_FETCH", "1"), ("GIT_ALLOW_PROTOCOL", "none")] {
            self.set(name, value);
        }
        self
    }

    /// Sets a variable for all calls.
    pub(super) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        let value = value.into();
        self.called_with.set(name, &value);
        self.environment.set(name, value);
    }

    /// Returns true if the variables that point to a repository are known, and none of them is set.
    pub(super) fn is_led_by_no_variable(&self) -> bool {
        let is_set = |name: &String| self.environment.contains(name);
        !self.local_variables.is_empty() && !self.local_variables.iter().any(is_set)
    }

    /// Returns the environment as it was given.
    pub(super) fn called_with(&self) -> &Environment {
        &self.called_with
    }

    /// Calls git with an input. It asks nobody, and is killed at the deadline.
    pub(super) fn ask(
        &self,
        directory: &Path,
        arguments: &[OsString],
        input: &[u8],
    ) -> Result<Answer, GitError> {
        self.check(directory)?;
        obstacle::look(directory)?;
        let guarded = GUARDS.iter().map(OsString::from).chain(arguments.to_vec());
        let answer = self
            .probe(self.program()?, guarded.collect(), directory)
            .run_with(input);
        if let Err(ProbeError::Deadline { .. }) = &answer {
            obstacle::look_below(directory)?;
        }
        Ok(answer?)
    }

    /// Calls another program as git would call it. It asks nobody, and is killed at the deadline.
    pub(super) fn ask_program(
        &self,
        program: &str,
        directory: &Path,
        arguments: Vec<OsString>,
        input: &[u8],
    ) -> Result<Answer, GitError> {
        self.check(directory)?;
        let path = self.environment.find_program(program);
        let path = path.unwrap_or_else(|| program.into());
        Ok(self.probe(&path, arguments, directory).run_with(input)?)
    }

    /// Calls git for the user, with an input and further variables: it may ask on the terminal, and
    /// takes the time that it takes.
    ///
    /// Without a terminal on standard input it must not wait for an answer.
    pub(super) fn ask_user(
        &self,
        directory: &Path,
        arguments: &[OsString],
        input: &[u8],
        variables: &Environment,
    ) -> Result<Answer, GitError> {
        self.check(directory)?;
        obstacle::look(directory)?;
        let mut command = Command::new(self.program()?);
        command
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .envs(&self.called_with)
            .envs(variables);
        if !io::stdin().is_terminal() {
            command.env("GIT_TERMINAL_PROMPT", "0");
        }
        let output = stdin_with(input).and_then(|stdin| command.stdin(stdin).output());
        let output = output.map_err(|source| ProbeError::Start {
            command: typed("git", arguments),
            directory: directory.display().to_string(),
            source,
        })?;
        Ok(Answer {
            status: output.status,
            output: output.stdout,
            errors: output.stderr,
        })
    }

    /// Refuses a directory in which git could run what a strict job left.
    pub(super) fn check(&self, directory: &Path) -> Result<(), GitError> {
        self.strict_runs.check_with(directory, |repository| {
            obstacle::look(repository)?;
            let arguments = GUARDS.iter().chain(&["ls-files", "-z", "--stage"]);
            let arguments = arguments.map(OsString::from).collect();
            let answer = (self.probe(self.program()?, arguments, repository)).run_with(b"")?;
            let listed = listing::parse(&answer.output).into_iter();
            let submodules = listed.filter(|(_, listed)| listed.is_repository());
            Ok(submodules.map(|(path, _)| repository.join(path)).collect())
        })
    }

    fn probe<'a>(
        &'a self,
        program: &'a Path,
        arguments: Vec<OsString>,
        directory: &'a Path,
    ) -> Probe<'a> {
        Probe {
            program,
            arguments,
            directory,
            environment: &self.environment,
            deadline: self.deadline,
        }
    }

    fn program(&self) -> Result<&Path, GitError> {
        self.program.as_deref().ok_or(GitError::Missing)
    }

    fn ask_local_variables(&self) -> Result<Vec<String>, GitError> {
        let names = self.at("/").text(["rev-parse", "--local-env-vars"])?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    fn remove_local_variables(&mut self) {
        for name in &self.local_variables {
            self.environment.remove(name);
            self.called_with.remove(name);
        }
    }

    fn check_version(&self) -> Result<(), GitError> {
        let text = self.at("/").text(["--version"])?;
        match version_in(&text) {
            Some(version) if at_least(&version, LEAST_VERSION) => Ok(()),
            _ => Err(GitError::TooOld {
                found: format!("`{text}`"),
                least: dotted(LEAST_VERSION),
            }),
        }
    }
}

/// Returns a call as a person would type it.
pub(super) fn typed<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> String {
    let mut typed = program.to_owned();
    for argument in arguments {
        typed.push(' ');
        typed.push_str(&argument.as_ref().to_string_lossy());
    }
    typed
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::git::test_repository::{TestRepository, environment};

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
        let repository = TestRepository::with_a_commit();
        let mut environment = environment();
        environment.set("GIT_DIR", "/nonexistent");
        environment.set("GIT_WORK_TREE", "/nonexistent");
        let git = Git::find(&environment)?;
        assert_eq!(git.at(repository.path()).top_level()?, repository.path());
        Ok(())
    }

    #[test]
    fn no_monitor_that_a_repository_names_is_run() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        let ran = repository.path().join("ran");
        let program = format!("touch '{}'", ran.display());
        repository.git(&["config", "core.fsmonitor", &program]);
        let git = Git::find(&environment())?;
        git.at(repository.path()).revision()?;
        git.at(repository.path()).changed_since("HEAD")?;
        assert!(!ran.exists());
        Ok(())
    }

    #[test]
    fn a_refusal_has_command_place_and_reason() -> Result<(), GitError> {
        let repository = TestRepository::with_a_commit();
        let git = Git::find(&environment())?;
        let error = git
            .at(repository.path())
            .run(["rev-parse", "--verify", "nothing"]);
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
        let repository = TestRepository::with_a_commit();
        let mut environment = environment();
        // git's own way to test this without being root.
        environment.set("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
        let result = Git::find(&environment)?.at(repository.path()).top_level();
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
