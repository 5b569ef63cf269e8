//! Lists the packages of a component before its jobs, so that a package that never ran is known to
//! be missing.
//!
//! If go or cargo cannot tell, the list is `None`, and results say "unknown".

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::config::{Component, Requirement};
use crate::env::Environment;
use crate::probe::Probe;
use crate::workspace::toolchain;

/// The time limit, long enough for a large tree with a cold cache.
const DEADLINE: Duration = Duration::from_secs(20);

/// The packages that kata's `.ci/go-test.sh` leaves out of `go list ./...`; source:
/// `all_test_packages` there, branch 1.x-eol.
const LEFT_OUT: [&str; 4] = [
    "/vendor/",
    "github.com/kata-containers/agent/protocols/grpc",
    "github.com/kata-containers/tests/functional",
    "github.com/kata-containers/tests/integration/docker",
];

/// The packages of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Packages {
    /// See [`crate::plan::Job::packages`].
    pub(super) names: Option<Vec<String>>,
    /// See [`crate::plan::Job::go_root`].
    pub(super) go_root: Option<String>,
}

/// Returns the environment of a probe: that of the jobs, with nothing that makes go or rustup
/// download anything.
pub(super) fn offline(environment: &Environment, directory: &Path) -> Environment {
    let mut environment = environment.clone();
    if named_go(&environment).is_none() {
        environment.set("GOTOOLCHAIN", "local");
    }
    let settings = [
        ("GOPROXY", "off"),
        ("RUSTUP_AUTO_INSTALL", "0"),
        ("CARGO_NET_OFFLINE", "true"),
        // go 1.18 asks git for the state of the tree, whose filters would run.
        ("GIT_DIR", "/dev/null"),
    ];
    environment.extend(settings.map(|(name, value)| (name.into(), value.into())));
    environment.set("PWD", directory);
    environment
}

/// Returns the toolchain of Go that a variable names. Such a go starts no other one, and without a
/// proxy downloads none.
pub(super) fn named_go(environment: &Environment) -> Option<&str> {
    let choice = environment.get("GOTOOLCHAIN")?.to_str()?;
    let is_name = choice.starts_with("go1") && !choice.contains(['+', '/']);
    is_name.then_some(choice)
}

/// Lists the packages: asks cargo if it is required or there is a `Cargo.toml`, else go. (The
/// monorepo's libs have their manifest above them.) A cargo that the tree itself provides is not
/// asked.
pub(super) fn packages(
    component: &Component,
    directory: &Path,
    environment: &Environment,
) -> Packages {
    let environment = offline(environment, directory);
    let cargo = |requirement: &Requirement| matches!(requirement, Requirement::Program { name, .. } if name == "cargo");
    if component.requires.iter().any(cargo) || directory.join("Cargo.toml").is_file() {
        let asks = !toolchain::is_named_by_path(directory, &environment);
        return Packages {
            names: asks.then(|| crates(directory, &environment)).flatten(),
            go_root: None,
        };
    }
    go_packages(directory, &environment).unwrap_or_default()
}

/// Lists Go packages with one query for names and directories. Both are needed for the import path
/// of the component itself, which may have no Go files at its top, as kata's runtimes.
///
/// With `-e` a package is listed although it, or an import of it, is broken or missing. Otherwise
/// the list is the same.
fn go_packages(directory: &Path, environment: &Environment) -> Option<Packages> {
    let format = "{{.ImportPath}}\t{{.Dir}}";
    let output = ask(
        "go",
        &["list", "-e", "-f", format, "./..."],
        directory,
        environment,
    )?;
    let listed: Vec<_> = output
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let names: Vec<_> = listed
        .iter()
        .map(|(name, _)| name.to_string())
        .filter(|name| !LEFT_OUT.iter().any(|left_out| name.contains(left_out)))
        .collect();
    let go_root = listed
        .iter()
        .find_map(|(name, place)| import_path(name, place, directory))?;
    Some(Packages {
        names: (!names.is_empty()).then_some(names),
        go_root: Some(go_root),
    })
}

/// Returns the import path of a directory, from a package in or below it and that package's
/// directory. Names of packages that are in no GOPATH and no module (`_/path`) are no import paths.
fn import_path(name: &str, place: &str, directory: &Path) -> Option<String> {
    if name.starts_with(['_', '.', '/']) || name == "command-line-arguments" {
        return None;
    }
    let place = Path::new(place).canonicalize().ok()?;
    let below = place
        .strip_prefix(directory.canonicalize().ok()?)
        .ok()?
        .to_str()?;
    let root = name.strip_suffix(below)?.trim_end_matches('/');
    (!root.is_empty()).then(|| root.to_owned())
}

/// The fields of cargo's metadata (format version 1) that are read.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    #[serde(default)]
    test: bool,
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}

impl Target {
    /// Returns true if `cargo test` runs unit tests of the target by default. Crates in `tests/`
    /// are left out: those in `src/` come first, so the others are not needed to notice that tests
    /// did not run.
    fn has_unit_tests(&self) -> bool {
        let kinds = [
            "lib",
            "rlib",
            "dylib",
            "cdylib",
            "staticlib",
            "proc-macro",
            "bin",
        ];
        self.test
            && self.required_features.is_empty()
            && self.kind.iter().any(|kind| kinds.contains(&kind.as_str()))
    }
}

/// Returns the crates whose manifest lies in the directory, as the compiler calls them. In a larger
/// workspace the other crates do not belong to the component: kata's Makefiles also choose by the
/// manifest's path (`PACKAGES` in utils.mk of the monorepo).
fn crates(directory: &Path, environment: &Environment) -> Option<Vec<String>> {
    let arguments = [
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ];
    let output = ask("cargo", &arguments, directory, environment)?;
    let metadata: Metadata = serde_json::from_str(&output).ok()?;
    let directory = directory.canonicalize().ok()?;
    let inside = |package: &Package| {
        let manifest = package.manifest_path.canonicalize();
        manifest.is_ok_and(|manifest| manifest.starts_with(&directory))
    };
    let names: BTreeSet<_> = metadata
        .packages
        .iter()
        .filter(|package| inside(package))
        .flat_map(|package| &package.targets)
        .filter(|target| target.has_unit_tests())
        .map(|target| target.name.replace('-', "_"))
        .collect();
    (!names.is_empty()).then(|| names.into_iter().collect())
}

/// Returns the output of a program that exits with 0; `None` for any other end.
fn ask(
    program: &str,
    arguments: &[&str],
    directory: &Path,
    environment: &Environment,
) -> Option<String> {
    let answer = Probe {
        program: &environment.find_program(program)?,
        arguments: arguments.iter().map(OsString::from).collect(),
        directory,
        environment,
        deadline: DEADLINE,
    }
    .run()
    .ok()?;
    let output = String::from_utf8(answer.output).ok()?;
    answer.status.success().then_some(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_import_path_of_a_directory_follows_from_a_package_below_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let below = directory.path().join("pkg/a");
        std::fs::create_dir_all(&below).expect("directories");
        let path = |name: &str, place: &Path| {
            import_path(name, &place.to_string_lossy(), directory.path())
        };
        assert_eq!(
            path("example.org/x/pkg/a", &below).as_deref(),
            Some("example.org/x")
        );
        assert_eq!(
            path("example.org/x", directory.path()).as_deref(),
            Some("example.org/x")
        );
        assert_eq!(path("example.org/other", &below), None);
        assert_eq!(path("example.org/x", Path::new("/")), None);
        assert_eq!(path("_/tmp/x/pkg/a", &below), None);
    }
}
