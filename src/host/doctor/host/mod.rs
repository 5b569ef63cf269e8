//! The host as it is asked: files below a directory that stands for `/`, and everything that is no
//! file by [`Ask`].
//!
//! Invariants: nothing is written. A file that cannot be read is no file that is missing. Nobody
//! waits for a pipe or a device, reads without end, or follows links in circles. A path never
//! leaves the directory that stands for `/`.

mod ask;
mod files;

use std::path::PathBuf;

use crate::env::Environment;
use crate::host::root::HostRoot;

pub(crate) use ask::{Ask, Question, Refusal, Said, ThisHost};

/// The reason why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unasked(pub String);

/// An answer, if there is one.
pub(crate) type Asked<T> = Result<T, Unasked>;

/// A host with its user.
pub(crate) struct Host<'a> {
    /// Its files.
    pub files: HostRoot,
    /// Its programs, its kernel and its network.
    pub ask: &'a dyn Ask,
    /// The environment of the user.
    pub environment: Environment,
    /// The effective user id.
    pub user: u32,
    /// The directory that the user works in.
    pub directory: PathBuf,
}

impl Host<'_> {
    /// Returns a command as this user has to type it, if it needs root.
    pub fn as_root(&self, command: &str) -> String {
        match self.user {
            0 => command.to_owned(),
            _ => format!("sudo {command}"),
        }
    }

    /// Returns the command that installs a package, which distributions name differently.
    pub fn install(&self, debian: &str, fedora: &str) -> String {
        let has = |name: &&&str| self.ask.program(name).is_some();
        match ["apt-get", "dnf", "zypper"].iter().find(has) {
            Some(&"apt-get") | None => self.as_root(&format!("apt-get install -y {debian}")),
            Some(manager) => self.as_root(&format!("{manager} install -y {fedora}")),
        }
    }

    /// Asks a program that takes no input, with the usual time limit.
    pub fn say(&self, program: &str, arguments: &[&str]) -> Asked<Option<Said>> {
        self.ask.run(&Question::of(program, arguments))
    }
}
