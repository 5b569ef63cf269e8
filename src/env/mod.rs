//! The environment of a process: names and values of variables, as given to kata-ci or to a program
//! that it starts.
//!
//! A run, a push or a probe is handed its environment; [`Environment::current`] takes that of this
//! process, where a request begins.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Variables by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Returns the environment that this process was started with.
    pub fn current() -> Self {
        std::env::vars_os().collect()
    }

    /// Returns the value of a variable, which may be empty.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.0.get(name.as_ref()).map(OsString::as_os_str)
    }

    /// Returns the value of a variable unless it is empty, which means unset to most programs.
    pub fn variable(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Returns the value of a variable that holds an absolute path. A relative one does not count.
    pub fn absolute(&self, name: impl AsRef<OsStr>) -> Option<&Path> {
        self.get(name)
            .map(Path::new)
            .filter(|path| path.is_absolute())
    }

    /// Returns the user's home directory, whether it exists or not.
    pub fn home(&self) -> Option<&Path> {
        self.absolute("HOME")
    }

    /// Returns the absolute path of a program on `PATH`.
    ///
    /// A relative entry of `PATH` would mean another program in each directory, so it does not
    /// count.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        let absolute = std::env::split_paths(self.get("PATH")?).filter(|entry| entry.is_absolute());
        let path = std::env::join_paths(absolute).ok()?;
        which::which_in(name, Some(path), "/").ok()
    }

    /// Returns true if the variable is set, to whatever value.
    pub fn contains(&self, name: impl AsRef<OsStr>) -> bool {
        self.0.contains_key(name.as_ref())
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.0.insert(name.into(), value.into());
    }

    /// Unsets a variable.
    pub fn remove(&mut self, name: impl AsRef<OsStr>) {
        self.0.remove(name.as_ref());
    }

    /// Returns the variables, ordered by name.
    pub fn iter(&self) -> btree_map::Iter<'_, OsString, OsString> {
        self.0.iter()
    }

    /// Returns the names, ordered.
    pub fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.0.keys().map(OsString::as_os_str)
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl Extend<(OsString, OsString)> for Environment {
    fn extend<I: IntoIterator<Item = (OsString, OsString)>>(&mut self, variables: I) {
        self.0.extend(variables);
    }
}

impl<const COUNT: usize> From<[(OsString, OsString); COUNT]> for Environment {
    fn from(variables: [(OsString, OsString); COUNT]) -> Self {
        variables.into_iter().collect()
    }
}

impl IntoIterator for Environment {
    type Item = (OsString, OsString);
    type IntoIter = btree_map::IntoIter<OsString, OsString>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Environment {
    type Item = (&'a OsString, &'a OsString);
    type IntoIter = btree_map::Iter<'a, OsString, OsString>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Environment {
        let owned = |(name, value): &(&str, &str)| (name.into(), value.into());
        variables.iter().map(owned).collect()
    }

    #[test]
    fn an_empty_variable_is_set_but_says_nothing() {
        let environment = of(&[("EMPTY", ""), ("HOME", "relative")]);
        assert!(environment.contains("EMPTY") && !environment.contains("OTHER"));
        assert_eq!(environment.variable("EMPTY"), None);
        assert_eq!(environment.home(), None);
        let environment = of(&[("HOME", "/home/dev")]);
        assert_eq!(environment.home(), Some(Path::new("/home/dev")));
    }

    #[test]
    fn programs_are_found_on_the_path_given_only() {
        let on = |path: &str| of(&[("PATH", path)]).find_program("sh");
        assert!(on("/usr/bin:/bin").is_some());
        assert_eq!(on("/nonexistent"), None);
        assert_eq!(on("usr/bin:bin"), None);
        assert_eq!(Environment::default().find_program("sh"), None);
    }
}
