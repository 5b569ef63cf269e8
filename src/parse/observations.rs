//! What the output told besides cases: packages and crates that were met, and hints why nothing was tested.

use std::collections::{BTreeMap, HashSet};

/// Collected over the whole output.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Import paths of Go packages that ended or were met.
    pub go_packages: HashSet<String>,
    /// See [`super::Observations::go_ends`].
    pub go_ends: BTreeMap<String, u32>,
    /// Crates that tests were run of, `-` as `_`.
    pub crates: HashSet<String>,
    /// A block of libtest without a crate's name was met.
    pub nameless_crate: bool,
    /// Tests that libtest filtered out.
    pub filtered: u64,
    /// A command line with `--ignored`.
    pub ignored_flag: bool,
    /// Packages of Go without tests, and with none that fits.
    pub without_files: u64,
    /// Packages of Go in which no test fitted the filter.
    pub without_match: u64,
    /// kata's go-test.sh found no packages.
    pub no_golang: bool,
    /// dragonball's Makefile found no virtualization.
    pub no_virtualization: bool,
    /// What make itself said at its top level: nothing to be done, or up to date.
    pub make_idle: Option<String>,
}

impl Seen {
    /// A package of Go was met.
    pub(super) fn go_package(&mut self, import_path: &str) {
        if !self.go_packages.contains(import_path) {
            self.go_packages.insert(import_path.to_owned());
        }
    }

    /// A run of a Go package's tests ended.
    pub(super) fn go_end(&mut self, import_path: &str) {
        self.go_package(import_path);
        *self.go_ends.entry(import_path.to_owned()).or_default() += 1;
    }

    /// A crate was met.
    pub(super) fn crate_name(&mut self, name: &str) {
        self.crates.insert(name.replace('-', "_"));
    }

    /// What a Go package's own line notes.
    pub(super) fn go_note(&mut self, note: Option<&str>) {
        match note {
            Some("no test files") => self.without_files += 1,
            Some("no tests to run") => self.without_match += 1,
            _ => {}
        }
    }
}
