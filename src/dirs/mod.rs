//! The directories of a user, by the XDG base directory specification.
//!
//! A variable that holds no absolute path does not count, as the specification has it. Nothing is
//! made here, and nothing of the process's own environment is read.

use std::path::{Path, PathBuf};

use crate::env::Environment;

/// The name of kata-ci's own directory in each of them.
const OWN: &str = "kata-ci";

/// Returns kata-ci's directory for configuration that the user writes: in `$XDG_CONFIG_HOME`, else
/// in `~/.config`. `None` without a home.
pub fn config(environment: &Environment) -> Option<PathBuf> {
    Some(config_home(environment)?.join(OWN))
}

/// Returns the directory that all programs have their configuration in.
pub fn config_home(environment: &Environment) -> Option<PathBuf> {
    base(environment, "XDG_CONFIG_HOME", ".config")
}

/// Returns kata-ci's directory for what outlives a run (kept runs, stamps, earlier pushes): in
/// `$XDG_STATE_HOME`, else in `~/.local/state`. `None` without a home.
pub fn state(environment: &Environment) -> Option<PathBuf> {
    Some(base(environment, "XDG_STATE_HOME", ".local/state")?.join(OWN))
}

/// Returns kata-ci's directory for what can be made anew (checkouts, views): in `$XDG_CACHE_HOME`,
/// else in `~/.cache`, else in the system's temporary directory.
///
/// The directory is on disk, because checkouts are large. Mostly it is outside of /tmp, because
/// jobs get a private /tmp.
pub fn cache(environment: &Environment) -> PathBuf {
    let named = environment.absolute("XDG_CACHE_HOME").map(Path::to_owned);
    // A user of a service often has a home that is not there, and nobody is to make one.
    let home = || environment.home().filter(|home| home.is_dir());
    named
        .or_else(|| Some(home()?.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join(OWN)
}

/// Returns the directory that all programs have their caches in, whether it exists or not.
pub fn cache_home(environment: &Environment) -> Option<PathBuf> {
    base(environment, "XDG_CACHE_HOME", ".cache")
}

fn base(environment: &Environment, name: &str, below_home: &str) -> Option<PathBuf> {
    let named = environment.absolute(name).map(Path::to_owned);
    named.or_else(|| Some(environment.home()?.join(below_home)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Environment {
        let owned = |(name, value): &(&str, &str)| (name.into(), value.into());
        variables.iter().map(owned).collect()
    }

    type Look = fn(&Environment) -> Option<PathBuf>;

    const LOOKS: [(&str, &str, Look); 3] = [
        ("XDG_CONFIG_HOME", "/home/dev/.config/kata-ci", config),
        ("XDG_STATE_HOME", "/home/dev/.local/state/kata-ci", state),
        ("XDG_CACHE_HOME", "/home/dev/.cache", cache_home),
    ];

    #[test]
    fn a_variable_wins_over_the_home_unless_it_is_relative() {
        for (name, at_home, look) in LOOKS {
            for ignored in ["", "relative/xdg"] {
                let environment = of(&[("HOME", "/home/dev"), (name, ignored)]);
                assert_eq!(look(&environment), Some(at_home.into()));
            }
            let environment = of(&[("HOME", "/home/dev"), (name, "/xdg")]);
            assert!(look(&environment).unwrap().starts_with("/xdg"), "{name}");
            assert_eq!(look(&Environment::default()), None);
        }
    }

    #[test]
    fn a_cache_is_made_in_no_home_that_is_not_there() {
        let gone = of(&[("HOME", "/nonexistent/home")]);
        assert_eq!(cache(&gone), std::env::temp_dir().join("kata-ci"));
        let named = of(&[("HOME", "/nonexistent"), ("XDG_CACHE_HOME", "/cache")]);
        assert_eq!(cache(&named), Path::new("/cache/kata-ci"));
        let home = tempfile::tempdir().unwrap();
        let there = of(&[("HOME", home.path().to_str().unwrap())]);
        assert_eq!(cache(&there), home.path().join(".cache/kata-ci"));
    }
}
