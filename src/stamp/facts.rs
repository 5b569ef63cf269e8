//! The facts that a stamp depends on besides its key. They are looked up again each time.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::PassedVariables;
use crate::dirs;
use crate::env::Environment;
use crate::event::digest;

/// Programs with versions that always matter. git is not among them, because in a hook PATH finds
/// another one.
const PROGRAMS: [&str; 13] = [
    "sh",
    "bash",
    "make",
    "cc",
    "gcc",
    "go",
    "cargo",
    "rustc",
    "python3",
    "sudo",
    "xurls",
    "golangci-lint",
    "dep",
];

/// The facts of a stamp.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampFacts {
    /// The commit of kata's tests repository, if the job uses it.
    pub tests: Option<String>,
    /// File and time of each program, by name. Asking each for its version would take longer than
    /// many checks.
    pub programs: BTreeMap<String, String>,
    /// Digests of the caller's variables, by the pattern of `pass_env` that let them through.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

impl StampFacts {
    /// Returns true if the facts still hold, with the tests repository at this commit.
    pub fn hold(&self, tests: Option<&str>, environment: &Environment) -> bool {
        (self.tests.is_none() || self.tests.as_deref() == tests)
            && self.programs == identities(self.programs.keys(), environment)
            && self.variables == variables(self.variables.keys(), environment)
    }
}

/// Returns a digest of the variables that fit each pattern of `pass_env`.
pub fn variables<'a>(
    patterns: impl IntoIterator<Item = &'a String>,
    environment: &Environment,
) -> BTreeMap<String, String> {
    let digest_of = |pattern: &String| {
        let fitting = PassedVariables::new([pattern]);
        let parts = (environment.iter())
            .filter(|(name, _)| fitting.contains(name))
            .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        digest(parts)
    };
    (patterns.into_iter())
        .map(|pattern| (pattern.clone(), digest_of(pattern)))
        .collect()
}

/// Returns the identities of the programs, of the listed ones and of other files that decide on
/// their versions.
pub fn identities<'a>(
    names: impl IntoIterator<Item = &'a String>,
    environment: &Environment,
) -> BTreeMap<String, String> {
    let fixed = PROGRAMS.iter().map(|name| (*name).to_owned());
    let named = names.into_iter().cloned();
    let mut programs: BTreeMap<_, _> = (fixed.chain(named))
        .filter(|name| !name.starts_with('/'))
        .map(|name| {
            let path = environment.find_program(&name);
            let is = path.map_or("absent".to_owned(), |path| identity(&path));
            (name, is)
        })
        .collect();
    for path in deciding(environment) {
        programs.insert(path.to_string_lossy().into_owned(), identity(&path));
    }
    programs
}

/// Returns the settings that choose versions. The programs of rustup are all the same file, so its
/// settings decide; so do those of `go env -w`.
fn deciding(environment: &Environment) -> Vec<PathBuf> {
    let rustup = environment.absolute("RUSTUP_HOME").map(Path::to_owned);
    let home = || environment.home().unwrap_or(Path::new(""));
    let rustup = rustup.unwrap_or_else(|| home().join(".rustup"));
    let configuration = dirs::config_home(environment).unwrap_or_else(|| ".config".into());
    vec![
        rustup.join("settings.toml"),
        rustup.join("toolchains"),
        rustup.join("update-hashes"),
        configuration.join("go/env"),
    ]
}

fn identity(path: &Path) -> String {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match real.metadata() {
        Ok(metadata) => format!(
            "{} {} {}.{}",
            real.display(),
            metadata.len(),
            metadata.mtime(),
            metadata.mtime_nsec()
        ),
        Err(_) => "absent".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn program(directory: &Path, name: &str, text: &str) {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    #[test]
    fn another_program_or_tests_repository_is_another_fact() {
        let bin = tempfile::tempdir().unwrap();
        program(bin.path(), "go", "1");
        let environment = Environment::from([("PATH".into(), bin.path().into())]);
        let names = ["jq".to_owned()];
        let facts = StampFacts {
            tests: Some("t".to_owned()),
            programs: identities(&names, &environment),
            ..StampFacts::default()
        };
        assert!(facts.hold(Some("t"), &environment));
        assert!(!facts.hold(Some("u"), &environment));
        assert!(!facts.hold(None, &environment));
        program(bin.path(), "jq", "");
        assert!(!facts.hold(Some("t"), &environment));
        std::fs::remove_file(bin.path().join("jq")).unwrap();
        program(bin.path(), "go", "1.2");
        assert!(!facts.hold(Some("t"), &environment));
    }

    #[test]
    fn another_value_of_a_variable_that_is_let_through_is_another_fact() {
        let environment = |libc: &str| Environment::from([("LIBC".into(), libc.into())]);
        let facts = StampFacts {
            programs: identities([], &environment("musl")),
            variables: variables(&["LIB*".to_owned()], &environment("musl")),
            ..StampFacts::default()
        };
        assert!(facts.hold(None, &environment("musl")));
        assert!(!facts.hold(None, &environment("gnu")));
        assert!(!facts.hold(None, &Environment::default()));
    }

    #[test]
    fn who_does_not_use_the_tests_repository_does_not_mind_it() {
        let environment = Environment::default();
        let facts = StampFacts {
            tests: None,
            programs: identities([], &environment),
            ..StampFacts::default()
        };
        assert!(facts.hold(Some("t"), &environment) && facts.hold(None, &environment));
    }
}
