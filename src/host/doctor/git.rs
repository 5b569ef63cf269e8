//! The user's git: who commits, which repository it looks into, and the hooks that it calls.

use std::path::Path;

use super::check::{Check, Checks, Purpose};
use super::host::{Host, Said};
use crate::git::GitError;
use crate::git::range::Person;
use crate::probe::quoted;

pub(super) const PURPOSES: &[Purpose] = &[
    Purpose::Check,
    Purpose::Test,
    Purpose::Push,
    Purpose::Review,
];

/// One setting of git, as it counts in the user's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// The place: `global`, `local`, `system` …
    pub scope: String,
    /// The name, with section and key in lower case.
    pub key: String,
    /// The value.
    pub value: String,
}

/// The settings of git.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings(Vec<Setting>);

impl Settings {
    /// Asks git.
    pub fn of(host: &Host<'_>) -> Result<Self, GitError> {
        let scoped = host.ask.git(&["config", "--list", "-z", "--show-scope"])?;
        if scoped.is_success {
            return Ok(Self::scoped(&scoped.output));
        }
        // Older than 2.26.
        let plain = host.ask.git(&["config", "--list", "-z"])?;
        let entries = plain.output.split_terminator('\0');
        Ok(Self(
            entries.map(|entry| Setting::of("global", entry)).collect(),
        ))
    }

    fn scoped(output: &str) -> Self {
        let fields: Vec<_> = output.split_terminator('\0').collect();
        let pairs = fields.chunks_exact(2);
        Self(pairs.map(|pair| Setting::of(pair[0], pair[1])).collect())
    }

    /// Returns the setting of a key that counts: the last one.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.0.iter().rev().find(|setting| setting.key == key)
    }

    /// Returns all settings whose keys begin and end like this.
    pub fn like<'a>(
        &'a self,
        begin: &'a str,
        end: &'a str,
    ) -> impl Iterator<Item = &'a Setting> + 'a {
        let is_like = move |one: &&Setting| {
            let rest = one.key.strip_prefix(begin);
            rest.is_some_and(|rest| rest.ends_with(end))
        };
        self.0.iter().filter(is_like)
    }
}

impl Setting {
    fn of(scope: &str, entry: &str) -> Self {
        // A key without a value has no line break, and means true.
        let (key, value) = entry.split_once('\n').unwrap_or((entry, "true"));
        Self {
            scope: scope.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    /// Returns the option of `git config` for the place of the setting.
    pub fn option(&self) -> String {
        match self.scope.as_str() {
            "global" | "local" | "system" | "worktree" => format!("--{}", self.scope),
            _ => "--global".to_owned(),
        }
    }
}

/// Adds an error of git. A git that is not there is a fault of another check.
pub(super) fn add_error(checks: &mut Checks, rule: &'static str, error: &GitError) {
    let text = error.to_string();
    match (error, error.fix()) {
        (GitError::DubiousOwnership { .. }, Some(fix)) => checks.cannot(rule, text, fix),
        (GitError::Missing, _) | (_, None) => checks.unasked(rule, text),
        (_, Some(fix)) => checks.unasked_but(rule, text, fix),
    }
}

pub(super) fn examine(host: &Host<'_>) -> Vec<Check> {
    let mut checks = Checks::of("git", PURPOSES);
    let repository = host.ask.git(&["rev-parse", "--show-toplevel"]);
    let is_inside = repository_of(repository, host, &mut checks);
    checks.matter_for(&[Purpose::Push]);
    match host.ask.git(&["var", "GIT_COMMITTER_IDENT"]) {
        Ok(said) => identity(&said, &mut checks),
        Err(error) => add_error(&mut checks, "identity", &error),
    }
    if is_inside {
        let path = host
            .ask
            .git(&["rev-parse", "--git-path", "hooks/commit-msg"]);
        if let Ok(said) = path.as_ref().map(|said| said.output.trim()) {
            hooks(host, &host.directory.join(said), &mut checks);
        }
    }
    checks.done()
}

/// Judges the answer to `git rev-parse --show-toplevel`. Returns true for a work tree.
fn repository_of(answer: Result<Said, GitError>, host: &Host<'_>, checks: &mut Checks) -> bool {
    match answer {
        Ok(said) if said.is_success => {
            checks.can(
                "repository",
                format!("git looks into {}", said.output.trim()),
            );
            return true;
        }
        Ok(said) if said.complaint.contains("dubious ownership") => {
            let at = host.directory.display();
            checks.cannot(
                "safe-directory",
                format!("git refuses {at}: it belongs to another user"),
                safe_directory(&said.complaint, &host.directory),
            );
        }
        Ok(said) if said.complaint.contains("not a git repository") => {
            checks.matter_for(&[Purpose::Push]);
            checks.unasked_but(
                "repository",
                format!("no repository to push from: {} is in none", host.directory.display()),
                "git clone https://github.com/kata-containers/kata-containers && kata-ci doctor -C kata-containers",
            );
        }
        Ok(said) => checks.unasked("repository", format!("git says: {}", said.complaint)),
        Err(error) => add_error(checks, "repository", &error),
    }
    false
}

/// Returns the command that lets git look into the repository that it named.
fn safe_directory(complaint: &str, directory: &Path) -> String {
    let named = complaint.split_once("in repository at '");
    let named = named.and_then(|(_, rest)| rest.split_once('\''));
    let path = named.map_or(directory, |(path, _)| Path::new(path));
    format!("git config --global --add safe.directory {}", quoted(path))
}

/// Returns the command that asks for a value and sets it.
fn ask_and_set(what: &str, key: &str) -> String {
    format!("printf '{what}: ' && read -r it && git config --global {key} \"$it\"")
}

/// Judges the answer to `git var GIT_COMMITTER_IDENT`.
fn identity(said: &Said, checks: &mut Checks) {
    let email = || ask_and_set("e-mail", "user.email");
    let person = Person::parse(&said.output);
    match person {
        _ if !said.is_success => checks.cannot(
            "identity",
            format!("git does not know who commits: {}", said.complaint),
            format!("{} && {}", ask_and_set("name", "user.name"), email()),
        ),
        person if person.has_made_up_address() => checks.cannot(
            "identity",
            format!(
                "git commits as `{} <{}>`, an address that no server knows",
                person.name, person.email
            ),
            email(),
        ),
        person => checks.can(
            "identity",
            format!("git commits as {} <{}>", person.name, person.email),
        ),
    }
}

/// Judges the hook that gives commits a Change-Id.
fn hooks(host: &Host<'_>, path: &Path, checks: &mut Checks) {
    let text = path.to_string_lossy();
    let Some(kind) = checks.answer("hooks", host.files.kind(&text)) else {
        return;
    };
    if let Ok(settings) = Settings::of(host)
        && let Some(setting) = settings.get("core.hookspath")
        && matches!(path.parent().map(|at| host.files.has(at)), Some(false))
    {
        checks.note(
            "hooks-path",
            format!(
                "core.hooksPath is {}, which is not there: git calls no hook",
                setting.value
            ),
            format!("git config {} --unset-all core.hooksPath", setting.option()),
        );
        return;
    }
    match kind {
        Some(kind) if kind.mode & 0o111 == 0 => checks.note(
            "hook-mode",
            format!("{text} is not executable, so git passes over it"),
            format!("chmod +x {}", quoted(path)),
        ),
        Some(_) => checks.can("hooks", format!("{text} is called for each commit")),
        None => checks.can(
            "hooks",
            "no hook commit-msg gives commits a Change-Id; `kata-ci push --fix` does",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_a_place_and_the_last_one_counts() {
        let output = "system\0http.proxy\na\0global\0core.bare\0local\0http.proxy\nb\nc\0";
        let settings = Settings::scoped(output);
        let proxy = settings.get("http.proxy").unwrap();
        assert_eq!(
            (proxy.value.as_str(), proxy.option().as_str()),
            ("b\nc", "--local")
        );
        assert_eq!(settings.get("core.bare").unwrap().value, "true");
        assert_eq!(settings.like("http.", ".proxy").count(), 0);
    }
}
