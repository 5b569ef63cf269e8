//! The programs that all work needs, whatever the components ask for.

use super::check::{Check, Checks, Purpose};
use super::host::Host;
use crate::git::LEAST_VERSION;
use crate::probe::{at_least, dotted, version_in};

pub(super) const PURPOSES: &[Purpose] = &[
    Purpose::Build,
    Purpose::Check,
    Purpose::Test,
    Purpose::Push,
    Purpose::Review,
];

/// The work that make is for.
const MAKING: [Purpose; 4] = [
    Purpose::Build,
    Purpose::Check,
    Purpose::Test,
    Purpose::Review,
];

pub(super) fn examine(host: &Host<'_>) -> Vec<Check> {
    let mut checks = Checks::of("tools", PURPOSES);
    let git = host.say("git", &["--version"]);
    if let Some(answer) = checks.answer("git", git) {
        let told = answer.map(|said| said.output);
        git_version(told.as_deref(), &host.install("git", "git"), &mut checks);
    }
    checks.matter_for(&MAKING);
    match host.ask.program("make") {
        Some(path) => checks.can("make", format!("make is {}", path.display())),
        None => checks.cannot("make", "make is not on PATH", host.install("make", "make")),
    }
    checks.done()
}

/// Judges the answer to `git --version`.
fn git_version(told: Option<&str>, install: &str, checks: &mut Checks) {
    let Some(told) = told else {
        checks.cannot("git", "git is not on PATH", install);
        return;
    };
    let least = dotted(LEAST_VERSION);
    match version_in(told) {
        Some(version) if at_least(&version, LEAST_VERSION) => {
            checks.can("git", format!("git is {}", dotted(&version)));
        }
        Some(version) => checks.cannot(
            "git",
            format!("git is {}, {least} or newer is needed", dotted(&version)),
            install,
        ),
        None => checks.unasked(
            "git",
            format!("git does not tell its version: `{}`", told.trim()),
        ),
    }
}
