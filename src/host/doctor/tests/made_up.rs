//! A made-up host: a directory as its root, and answers of its programs, kernel and network.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::env::Environment;
use crate::git::GitError;
use crate::host::doctor::host::{Ask, Asked, Host, Question, Refusal, Said, Unasked};
use crate::host::doctor::{Check, Diagnosis, Purpose, examine_host};
use crate::host::root::HostRoot;

/// The answer of a program.
#[derive(Debug, Clone)]
pub enum Answer {
    Says(String),
    Fails(String),
    Hangs,
}

/// A host that is made up.
#[derive(Debug, Clone)]
pub struct MadeUp {
    pub name: &'static str,
    pub files: BTreeMap<String, Vec<u8>>,
    pub links: BTreeMap<String, String>,
    /// The files that are programs.
    pub executables: Vec<String>,
    /// The answers by command line, `git config` as `git config …`.
    pub answers: BTreeMap<String, Answer>,
    /// The programs that are there, besides those with answers.
    pub programs: Vec<String>,
    pub kvm: Result<i32, Refusal>,
    pub magic: i64,
    pub may_write: bool,
    /// The places that refuse a connection, or do not answer.
    pub refused: BTreeMap<String, Answer>,
    pub sandbox: [Result<(), String>; 2],
    pub variables: Environment,
    pub user: u32,
}

impl MadeUp {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            files: BTreeMap::new(),
            links: BTreeMap::new(),
            executables: Vec::new(),
            answers: BTreeMap::new(),
            programs: Vec::new(),
            kvm: Ok(12),
            magic: 0x6367_7270,
            may_write: true,
            refused: BTreeMap::new(),
            sandbox: [Ok(()), Ok(())],
            variables: Environment::default(),
            user: 0,
        }
    }

    pub fn file(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.to_owned(), text.as_ref().to_owned());
        self
    }

    pub fn executable(mut self, path: &str, text: &str) -> Self {
        self.executables.push(path.to_owned());
        self.file(path, text)
    }

    pub fn without(mut self, begin: &str) -> Self {
        self.files.retain(|path, _| !path.starts_with(begin));
        self
    }

    /// Replaces a text in a file, which must be there.
    pub fn edit(mut self, path: &str, from: &str, to: &str) -> Self {
        let file = self.files.get_mut(path).unwrap_or_else(|| panic!("{path}"));
        let text = String::from_utf8(file.clone()).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        *file = text.replace(from, to).into_bytes();
        self
    }

    /// Makes a file one that cannot be read, whoever asks.
    pub fn unreadable(mut self, path: &str) -> Self {
        self.files.remove(path);
        let name = path.rsplit('/').next().unwrap();
        self.links.insert(path.to_owned(), name.to_owned());
        self
    }

    pub fn link(mut self, path: &str, to: &str) -> Self {
        self.links.insert(path.to_owned(), to.to_owned());
        self
    }

    /// Replaces a text in an answer, which must be there.
    pub fn edit_answer(mut self, command: &str, from: &str, to: &str) -> Self {
        let Some(Answer::Says(text)) = self.answers.get_mut(command) else {
            panic!("{command}");
        };
        assert!(text.contains(from), "{command} has no {from}");
        *text = text.replace(from, to);
        self
    }

    pub fn says(mut self, command: &str, output: &str) -> Self {
        self.answers
            .insert(command.to_owned(), Answer::Says(output.to_owned()));
        self
    }

    pub fn fails(mut self, command: &str, complaint: &str) -> Self {
        self.answers
            .insert(command.to_owned(), Answer::Fails(complaint.to_owned()));
        self
    }

    pub fn hangs(mut self, command: &str) -> Self {
        self.answers.insert(command.to_owned(), Answer::Hangs);
        self
    }

    pub fn program(mut self, name: &str) -> Self {
        self.programs.push(name.to_owned());
        self
    }

    /// Removes a program.
    pub fn lacks(mut self, name: &str) -> Self {
        self.programs.retain(|one| one != name);
        self.answers
            .retain(|command, _| command.split(' ').next() != Some(name));
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.set(name, value);
        self
    }

    pub fn user(mut self, user: u32) -> Self {
        self.user = user;
        self
    }

    /// Adds a setting of git for the user, as `git config --list` shows it.
    pub fn git(mut self, key: &str, value: &str) -> Self {
        let list = "git config --list -z --show-scope";
        let Some(Answer::Says(settings)) = self.answers.get_mut(list) else {
            panic!("git has no settings");
        };
        settings.push_str(&format!("global\0{key}\n{value}\0"));
        self
    }

    /// Examines it.
    pub fn examine(&self, purposes: &[Purpose]) -> Diagnosis {
        let place = tempfile::tempdir().unwrap();
        for (path, text) in &self.files {
            let path = place.path().join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let there = self
            .executables
            .iter()
            .filter(|path| self.files.contains_key(*path));
        for path in there {
            let path = place.path().join(path.trim_start_matches('/'));
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(path, mode).unwrap();
        }
        for (path, to) in &self.links {
            let path = place.path().join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(to, path).unwrap();
        }
        let host = Host {
            files: HostRoot::of(place.path()).unwrap(),
            ask: self,
            environment: self.variables.clone(),
            user: self.user,
            directory: "/home/ada/runtime".into(),
        };
        Diagnosis::of(purposes, examine_host(&host, purposes))
    }

    fn answer(&self, command: &str) -> Asked<Option<Said>> {
        let said = |is_success, output: &str, complaint: &str| Said {
            is_success,
            output: output.to_owned(),
            complaint: complaint.to_owned(),
        };
        match self.answers.get(command) {
            Some(Answer::Says(output)) => Ok(Some(said(true, output, ""))),
            Some(Answer::Fails(complaint)) => Ok(Some(said(false, "", complaint))),
            Some(Answer::Hangs) => Err(Unasked(format!(
                "`{command}` gave no answer within 10 s and was ended"
            ))),
            None => Ok(None),
        }
    }
}

impl Ask for MadeUp {
    fn program(&self, name: &str) -> Option<PathBuf> {
        let has = |command: &String| command.split(' ').next() == Some(name);
        let is_there = self.answers.keys().any(has) || self.programs.iter().any(|one| one == name);
        is_there.then(|| format!("/usr/bin/{name}").into())
    }

    fn run(&self, question: &Question) -> Asked<Option<Said>> {
        let command = format!("{} {}", question.program, question.arguments.join(" "));
        let command = command.trim_end();
        match (self.answer(command)?, self.program(&question.program)) {
            (None, Some(_)) => panic!("{}: {command} has no answer", self.name),
            (answer, _) => Ok(answer),
        }
    }

    fn git(&self, arguments: &[&str]) -> Result<Said, GitError> {
        let command = format!("git {}", arguments.join(" "));
        match self.answer(&command) {
            Ok(Some(said)) => Ok(said),
            Ok(None) => Err(GitError::Missing),
            Err(_) => Err(GitError::Probe(crate::probe::ProbeError::Deadline {
                command,
                directory: "/home/ada/runtime".to_owned(),
                deadline: std::time::Duration::from_secs(20),
            })),
        }
    }

    fn create_vm(&self) -> Result<i32, Refusal> {
        self.kvm.clone()
    }

    fn connect(&self, place: &str) -> Asked<Option<String>> {
        match self.refused.get(place) {
            None => Ok(None),
            Some(Answer::Hangs) => Err(Unasked(format!("{place} did not answer within 4 s"))),
            Some(Answer::Says(reason) | Answer::Fails(reason)) => Ok(Some(reason.clone())),
        }
    }

    fn file_system(&self, _: &str) -> Asked<i64> {
        Ok(self.magic)
    }

    fn may_write(&self, _: &str) -> bool {
        self.may_write
    }

    fn sandbox(&self, is_strict: bool) -> Result<(), String> {
        self.sandbox[usize::from(is_strict)].clone()
    }
}

/// Returns the checks that are not plainly `can`, as `subject.rule`.
pub fn findings(diagnosis: &Diagnosis) -> Vec<(String, &Check)> {
    let is_found =
        |check: &&Check| check.state != crate::host::doctor::State::Can || check.is_note();
    (diagnosis.checks.iter().filter(is_found))
        .map(|check| (format!("{}.{}", check.subject, check.rule), check))
        .collect()
}
