//! The host that is asked: its programs, wherever a host has them.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use super::command::{self, Call};
use super::journal::Journal;
use super::raw::{End, Keep, Raw};
use crate::env::Environment;

/// The directories that programs of a host lie in, apart from those of `PATH`.
const PLACES: &[&str] = &[
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
    "/opt/kata/bin",
    "/opt/kata/runtime-rs/bin",
    "/opt/kata/libexec",
    "/usr/libexec",
    "/usr/lib/qemu",
    "/usr/libexec/kata-qemu",
    "/usr/lib/kata-containers",
];

/// The host that is asked.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// The environment of the programs.
    pub environment: Environment,
    /// The journal.
    pub journal: Journal,
}

impl Host {
    /// Makes the environment of the programs: that of the user, with all places of programs, and
    /// without colours, pagers and other languages.
    pub fn new(user: &Environment, journal: Journal) -> Self {
        let mut environment = user.clone();
        let path = user.get("PATH").unwrap_or_default().to_owned();
        let own = std::env::split_paths(&path).filter(|place| place.is_absolute());
        let places = own.chain(PLACES.iter().map(PathBuf::from));
        if let Ok(path) = std::env::join_paths(places) {
            environment.set("PATH", path);
        }
        for (name, value) in [
            ("LC_ALL", "C"),
            ("SYSTEMD_PAGER", ""),
            ("PAGER", "cat"),
            ("NO_COLOR", "1"),
        ] {
            environment.set(name, value);
        }
        Self {
            environment,
            journal,
        }
    }

    /// Runs a program; the first word may name alternatives, separated by `|`.
    pub fn run(&self, words: &[String], keep: Keep, until: Instant) -> Raw {
        let Some((name, arguments)) = words.split_first() else {
            return Raw::ended(End::Absent);
        };
        let found = name
            .split('|')
            .find_map(|name| self.environment.find_program(name));
        let Some(program) = found else {
            return Raw::ended(End::Absent);
        };
        command::run(&Call {
            program: &program,
            arguments,
            environment: &self.environment,
            until,
            keep,
        })
    }
}

/// Returns the release of the running kernel.
pub(super) fn release() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    text.trim().to_owned()
}
