//! The variables of the caller that jobs get because the configuration names them (`pass_env`).

use std::collections::BTreeSet;
use std::ffi::OsStr;

use globset::{Glob, GlobSet, GlobSetBuilder};

/// Variables that change make behind a Makefile's back.
const OF_MAKE: &[&str] = &[
    "MAKEFLAGS",
    "MFLAGS",
    "GNUMAKEFLAGS",
    "MAKEFILES",
    "MAKEOVERRIDES",
    "MAKELEVEL",
];

/// Variables that change git or another kata-ci begin like this.
const PREFIXES: &[&str] = &["GIT_", "KATACI_"];

/// Patterns of variables. `*` and `?` have their usual meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassEnv {
    /// Patterns of all files.
    pub patterns: BTreeSet<String>,
    /// Patterns of the user's configuration. Strict jobs get these variables only, because whoever
    /// wrote the pipeline of a strict job may not choose which secrets it sees.
    pub by_user: BTreeSet<String>,
}

impl PassEnv {
    /// Returns the patterns of both. A file adds to another and takes nothing away.
    pub(super) fn over(mut self, under: Self) -> Self {
        self.patterns.extend(under.patterns);
        self.by_user.extend(under.by_user);
        self
    }

    /// Returns the variables that a job gets.
    pub fn of_job(&self, is_strict: bool) -> PassedVariables {
        match is_strict {
            true => PassedVariables::new(&self.by_user),
            false => PassedVariables::new(&self.patterns),
        }
    }
}

/// The variables that fit one of several patterns.
#[derive(Debug, Clone, Default)]
pub struct PassedVariables {
    names: BTreeSet<String>,
    globs: GlobSet,
}

impl PassedVariables {
    /// Makes the set. Patterns that are invalid were refused before, and match nothing here.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a String>) -> Self {
        let mut globs = GlobSetBuilder::new();
        let mut names = BTreeSet::new();
        for pattern in patterns {
            names.insert(pattern.clone());
            if let Ok(glob) = Glob::new(pattern) {
                globs.add(glob);
            }
        }
        Self {
            names,
            globs: globs.build().unwrap_or_default(),
        }
    }

    /// Returns true if a variable is in the set. Variables that change make, git or kata-ci itself
    /// must be named in full.
    pub fn contains(&self, name: &OsStr) -> bool {
        let Some(name) = name.to_str() else {
            return false;
        };
        self.names.contains(name) || (!is_delicate(name) && self.globs.is_match(name))
    }
}

fn is_delicate(name: &str) -> bool {
    OF_MAKE.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(patterns: &[&str], name: &str) -> bool {
        let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.into()).collect();
        PassedVariables::new(&patterns).contains(OsStr::new(name))
    }

    #[test]
    fn a_name_and_a_pattern_let_through_what_they_say() {
        let patterns = ["LIBC", "KATA_*", "GO?RCH"];
        for name in ["LIBC", "KATA_X", "KATA_", "GOARCH"] {
            assert!(passes(&patterns, name), "{name}");
        }
        for name in ["LIBC2", "libc", "XKATA_A", "GOAARCH", ""] {
            assert!(!passes(&patterns, name), "{name}");
        }
    }

    #[test]
    fn a_pattern_never_lets_through_what_changes_make_git_or_kata_ci() {
        for name in ["MAKEFLAGS", "GIT_DIR", "KATACI_ISOLATE"] {
            assert!(!passes(&["*"], name), "{name}");
            assert!(!passes(&["MAKE*", "GIT_*", "KATACI_*"], name), "{name}");
            assert!(passes(&[name], name), "{name}");
        }
        assert!(passes(&["*"], "TOKEN"));
    }

    #[test]
    fn a_strict_job_gets_what_the_user_names() {
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let user = PassEnv {
            patterns: set(&["MINE"]),
            by_user: set(&["MINE"]),
        };
        let pipeline = PassEnv {
            patterns: set(&["TOKEN"]),
            by_user: set(&[]),
        };
        let both = pipeline.over(user);
        let gets = |is_strict, name| both.of_job(is_strict).contains(OsStr::new(name));
        assert!(gets(false, "MINE") && gets(false, "TOKEN"));
        assert!(gets(true, "MINE") && !gets(true, "TOKEN"));
    }
}
