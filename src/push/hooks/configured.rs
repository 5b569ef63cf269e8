//! The hooks of git's own configuration: `hook.NAME.event` and `hook.NAME.command`. Git runs them
//! before the file of the hook.

use super::hook::Hook;
use super::manager::is_call;
use crate::git::configuration::Configuration;
use crate::git::{GitError, Repository};
use crate::probe::{at_least, version_in};

/// The first git that runs them.
const SINCE: &[u32] = &[2, 54];

/// A hook of git's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfiguredHook {
    /// The name in `hook.NAME.event`.
    pub(super) name: String,
    /// True if it calls kata-ci.
    pub(super) is_ours: bool,
}

/// Returns the enabled hooks of git's configuration for this event.
pub(super) fn configured(configuration: &Configuration, hook: Hook) -> Vec<ConfiguredHook> {
    let all = configuration.named("hook", "event");
    all.into_iter()
        .filter(|(_, event)| *event == hook.name())
        .filter(|(name, _)| {
            let enabled = configuration.get(&format!("hook.{name}.enabled"));
            !matches!(enabled, Some("false" | "no" | "off" | "0"))
        })
        .map(|(name, _)| {
            let command = configuration.get(&format!("hook.{name}.command"));
            ConfiguredHook {
                is_ours: command.is_some_and(|command| is_call(command, hook)),
                name: name.to_owned(),
            }
        })
        .collect()
}

/// Returns true if this git runs the hooks of its configuration.
pub(super) fn are_run(repository: &Repository) -> Result<bool, GitError> {
    let version = version_in(&repository.text(["--version"])?);
    Ok(version.is_some_and(|version| at_least(&version, SINCE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::test_repository::{TestRepository, environment};

    #[test]
    fn enabled_hooks_of_the_event_count() {
        let place = TestRepository::with_a_commit();
        for (key, value) in [
            ("hook.lint.event", "pre-push"),
            ("hook.lint.command", "make lint"),
            ("hook.Kata.CI.event", "pre-push"),
            ("hook.Kata.CI.command", "kata-ci hook pre-push"),
            ("hook.off.event", "pre-push"),
            ("hook.off.enabled", "false"),
            ("hook.message.event", "commit-msg"),
        ] {
            place.git(&["config", key, value]);
        }
        let repository = Repository::at(place.path(), &environment());
        let found = configured(&Configuration::of(&repository).unwrap(), Hook::PrePush);
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.name.as_str(), one.is_ours))
            .collect();
        assert_eq!(found, [("lint", false), ("Kata.CI", true)]);
    }
}
