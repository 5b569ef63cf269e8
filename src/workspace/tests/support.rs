//! A directory with checkouts, and the pipelines to open in it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::config::{Component, Layout, Pipeline, Step};
use crate::env::Environment;
use crate::git::Git;
use crate::model::{Command, Readiness, Selection};
use crate::workspace::machine::Machine;
use crate::workspace::open::open_on;
use crate::workspace::{FoundComponent, Workspace, WorkspaceError};

/// A temporary directory with a HOME, programs first on PATH, and whatever a test puts there.
pub(super) struct World {
    _directory: tempfile::TempDir,
    root: PathBuf,
    pub(super) user: Environment,
    pub(super) machine: Machine,
}

impl World {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().canonicalize().expect("its path");
        let world = Self {
            user: Environment::default(),
            machine: Machine {
                user: 0,
                kvm: root.join("kvm"),
            },
            _directory: directory,
            root,
        };
        for name in ["home", "bin"] {
            fs::create_dir(world.path(name)).expect("a directory");
        }
        world.with_environment()
    }

    fn with_environment(mut self) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let programs = std::iter::once(self.path("bin")).chain(std::env::split_paths(&path));
        self.set("PATH", std::env::join_paths(programs).expect("a PATH"));
        self.set("HOME", self.path("home"));
        // Compiled once a machine, not once a test.
        if let Some(home) = std::env::var_os("HOME") {
            self.set("GOCACHE", Path::new(&home).join(".cache/go-build"));
            self.set("RUSTUP_HOME", Path::new(&home).join(".rustup"));
        }
        for name in ["GOCACHE", "RUSTUP_HOME"] {
            if let Some(value) = std::env::var_os(name) {
                self.set(name, value);
            }
        }
        self
    }

    pub(super) fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.user.set(name, value.as_ref().to_owned());
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    }

    /// Writes a shell script to the directory that is first on PATH.
    pub(super) fn program(&self, name: &str, script: &str) {
        let path = format!("bin/{name}");
        self.write(&path, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.path(&path), fs::Permissions::from_mode(0o755))
            .expect("executable");
    }

    pub(super) fn git(&self, directory: &str, arguments: &[&str]) -> String {
        let git = Git::find(&crate::git::test_repository::environment()).expect("git");
        let output = git
            .at(self.path(directory))
            .run(arguments)
            .expect("git does it");
        String::from_utf8(output).expect("text").trim().to_owned()
    }

    /// Makes a repository of everything in the directory, with `origin` and `origin/BRANCH` at its
    /// commit.
    pub(super) fn repository(&self, directory: &str, branch: &str, origin: &str) {
        self.git(directory, &["init", "--quiet", "--initial-branch", branch]);
        self.git(directory, &["add", "--all"]);
        self.git(directory, &["commit", "--quiet", "--message", "all"]);
        self.git(directory, &["remote", "add", "origin", origin]);
        let remote = format!("refs/remotes/origin/{branch}");
        self.git(directory, &["update-ref", &remote, "HEAD"]);
    }

    /// Makes a repository in the shape of kata v1's, with one Go test.
    pub(super) fn v1(&self, directory: &str, name: &str) {
        self.write(
            &format!("{directory}/Makefile"),
            "check:\n\ttrue\ntest:\n\tbash .ci/go-test.sh\n",
        );
        self.write(&format!("{directory}/.ci/go-test.sh"), "");
        self.write(
            &format!("{directory}/main.go"),
            "package main\n\nfunc main() {}\n",
        );
        let test = "package main\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) {}\n";
        self.write(&format!("{directory}/main_test.go"), test);
        let origin = format!("https://example.org/kata-containers/{name}.git");
        self.repository(directory, "master", &origin);
    }

    pub(super) fn tests_clone(&self, directory: &str) {
        self.write(&format!("{directory}/README.md"), "");
        self.repository(
            directory,
            "main",
            "https://example.org/kata-containers/tests",
        );
        self.git(directory, &["checkout", "--quiet", "-b", "1.x-eol"]);
        self.write(&format!("{directory}/.ci/go-test.sh"), "");
        self.write(&format!("{directory}/.ci/static-checks.sh"), "");
        self.git(directory, &["add", "--all"]);
        self.git(directory, &["commit", "--quiet", "--message", "scripts"]);
    }

    /// Makes the monorepo with libs, agent, runtime and a tool.
    pub(super) fn monorepo(&self, directory: &str) {
        self.write(&format!("{directory}/versions.yaml"), "");
        for component in ["src/libs", "src/agent", "src/runtime", "src/tools/kata-ctl"] {
            self.write(
                &format!("{directory}/{component}/Makefile"),
                "test:\n\ttrue\n",
            );
        }
        self.write(
            &format!("{directory}/src/runtime/pkg/file.go"),
            "package pkg\n",
        );
        self.repository(
            directory,
            "main",
            "https://example.org/kata-containers/kata-containers",
        );
    }

    pub(super) fn open(
        &self,
        pipeline: &Pipeline,
        directory: &str,
        components: &[&str],
    ) -> Result<Workspace, WorkspaceError> {
        let selection = Selection {
            components: components.iter().map(|name| name.to_string()).collect(),
            steps: Vec::new(),
            ..Selection::default()
        };
        self.open_selection(pipeline, directory, &selection)
    }

    pub(super) fn open_selection(
        &self,
        pipeline: &Pipeline,
        directory: &str,
        selection: &Selection,
    ) -> Result<Workspace, WorkspaceError> {
        open_on(
            &self.machine,
            pipeline,
            &self.path(directory),
            selection,
            &self.user,
        )
    }

    /// Opens the workspace and returns its only component.
    pub(super) fn only(&self, pipeline: &Pipeline, directory: &str) -> FoundComponent {
        let workspace = self.open(pipeline, directory, &[]).expect("a workspace");
        let [found] = workspace.components.as_slice() else {
            panic!("{workspace:#?}");
        };
        found.clone()
    }

    /// Returns the text with the name of this directory replaced.
    pub(super) fn told(&self, text: impl ToString) -> String {
        text.to_string()
            .replace(&*self.root.to_string_lossy(), "ROOT")
    }

    /// Returns the preflight's finding as a person reads it.
    pub(super) fn finding(&self, readiness: &Readiness) -> String {
        self.told(match readiness {
            Readiness::Ready => "ready".to_owned(),
            Readiness::Unmet { what, fix } => format!("unmet: {what}\nfix: {fix}"),
            Readiness::Broken { what, fix } => format!("broken: {what}\nfix: {fix}"),
        })
    }
}

/// Makes an optional component, as shipped pipelines have them.
pub(super) fn component(name: &str, path: &str, requires: &[&str]) -> Component {
    Component {
        name: name.to_owned(),
        path: path.into(),
        optional: true,
        requires: requires
            .iter()
            .map(|word| word.parse().expect("a requirement"))
            .collect(),
        ..Component::default()
    }
}

fn step(name: &str) -> Step {
    Step::new(name, Command::Run(vec!["make".to_owned(), name.to_owned()]))
}

/// Makes a shipped pipeline with these components.
pub(super) fn pipeline(name: &str, layout: Layout, components: Vec<Component>) -> Pipeline {
    Pipeline {
        layout,
        env: BTreeMap::from([
            ("KATA_DEV_MODE".to_owned(), "true".to_owned()),
            ("KATA_CI_NO_NETWORK".to_owned(), "true".to_owned()),
        ]),
        steps: vec![step("check"), step("test")],
        components,
        ..Pipeline::new(name)
    }
}

/// Makes a pipeline like `kata-v1`.
pub(super) fn kata_v1() -> Pipeline {
    let requires = ["go", "tests-clone", "origin"];
    let components =
        ["runtime", "agent", "shim", "proxy"].map(|name| component(name, name, &requires));
    pipeline("kata-v1", Layout::Gopath, components.into())
}

/// Makes a pipeline like `kata-monorepo`.
pub(super) fn kata_monorepo() -> Pipeline {
    let paths = [
        "src/libs",
        "src/agent",
        "src/dragonball",
        "src/runtime",
        "src/tools/kata-ctl",
    ];
    let components =
        paths.map(|path| component(path.rsplit('/').next().unwrap_or(path), path, &[]));
    pipeline("kata-monorepo", Layout::Plain, components.into())
}

/// Makes a pipeline like `makefile`.
pub(super) fn any_makefile() -> Pipeline {
    pipeline("makefile", Layout::Plain, Vec::new())
}

/// Makes a pipeline of one component with these requirements in the directory `place`.
pub(super) fn one(requires: &[&str]) -> Pipeline {
    Pipeline {
        steps: vec![step("check")],
        ..pipeline(
            "one",
            Layout::Plain,
            vec![component("place", "place", requires)],
        )
    }
}

pub(super) fn names(workspace: &Workspace) -> Vec<&str> {
    workspace
        .components
        .iter()
        .map(|found| found.component.name.as_str())
        .collect()
}
