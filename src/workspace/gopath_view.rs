//! The layout that kata v1 needs: a GOPATH, with modules off.
//!
//! If the checkouts do not lie in a GOPATH, a view of them is made: a GOPATH in a directory of the
//! run's own that holds copies of the checkouts and of kata's tests repository.
//!
//! Symbolic links would not do: `make -C` follows them, go then finds itself outside of the GOPATH,
//! and v1's `make check` ends with "cannot find package" (seen with go 1.19 and 1.26). They would
//! also let a run change the user's trees. So would bind mounts, which moreover need root.
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::preflight::{TestsClone, gopath};
use super::scratch::{OwnDirectory, unique_name};
use super::v1::{IMPORT_ROOT, gopath_of};
use super::{CheckoutSet, Placed, WorkspaceError, copy};
use crate::config::Layout;
use crate::dirs;
use crate::env::Environment;
use crate::git::Git;

/// The existing layout, or the one that was made.
#[derive(Debug)]
pub(super) struct GopathLayout {
    /// See [`super::Workspace::environment`].
    pub(super) environment: Environment,
    /// See [`super::Workspace::view`].
    pub(super) view: Option<OwnDirectory>,
    /// The path of kata's tests repository, as the user knows it.
    pub(super) tests_clone: TestsClone,
}

impl GopathLayout {
    /// Prepares the layout for the selected components.
    pub(super) fn prepare(
        layout: Layout,
        root: &Path,
        selected: &[&Placed],
        user: &Environment,
    ) -> Result<Self, WorkspaceError> {
        let own = gopath(user).map(|gopath| gopath.join(IMPORT_ROOT).join("tests"));
        if layout == Layout::Plain {
            return Ok(Self {
                environment: Environment::default(),
                view: None,
                tests_clone: TestsClone {
                    candidates: own.into_iter().collect(),
                },
            });
        }
        if let Some(gopath) = common_gopath(selected) {
            return Ok(Self {
                environment: environment(gopath, user, None),
                view: None,
                tests_clone: TestsClone {
                    candidates: vec![gopath.join(IMPORT_ROOT).join("tests")],
                },
            });
        }
        let tests_clone = TestsClone {
            candidates: std::iter::once(root.join("tests")).chain(own).collect(),
        };
        let view = make(
            root,
            selected,
            tests_clone.found().map(PathBuf::as_path),
            user,
        )?;
        Ok(Self {
            environment: environment(view.path(), user, gopath(user)),
            view: Some(view),
            tests_clone,
        })
    }

    /// Returns the layout of clean checkouts, which lie in a GOPATH already.
    pub(super) fn of_checkouts(
        layout: Layout,
        checkouts: &mut CheckoutSet,
        user: &Environment,
    ) -> Result<Self, WorkspaceError> {
        let root = checkouts.parent().to_owned();
        let own = gopath(user).map(|gopath| gopath.join(IMPORT_ROOT).join("tests"));
        // A plan may have brought it to a machine that has no other one.
        let brought = checkouts.import_root().join("tests");
        let tests_clone = TestsClone {
            candidates: std::iter::once(root.join("tests"))
                .chain(own)
                .chain([brought])
                .collect(),
        };
        let environment = match layout {
            Layout::Plain => Environment::default(),
            Layout::Gopath => {
                if let Some(clone) = tests_clone.found() {
                    checkouts.bring_tests_clone(clone)?;
                }
                let own = gopath_of(&root.join("any")).map(Path::to_owned);
                environment(checkouts.gopath(), user, own.or_else(|| gopath(user)))
            }
        };
        Ok(Self {
            environment,
            view: None,
            tests_clone,
        })
    }

    /// Returns the directory that the component's jobs run in.
    pub(super) fn directory(&self, placed: &Placed) -> PathBuf {
        match &self.view {
            Some(view) => view.path().join(IMPORT_ROOT).join(&placed.component.name),
            None => placed.directory.clone(),
        }
    }
}

/// Returns kata's tests repository for repositories that lie in a directory, if it exists. `user`
/// is the environment that kata-ci was called with.
pub fn tests_clone(parent: &Path, user: &Environment) -> Option<PathBuf> {
    let own = gopath(user).map(|gopath| gopath.join(IMPORT_ROOT).join("tests"));
    let candidates = std::iter::once(parent.join("tests")).chain(own).collect();
    TestsClone { candidates }.found().cloned()
}

/// Returns the GOPATH that all components lie in.
fn common_gopath<'a>(placed: &[&'a Placed]) -> Option<&'a Path> {
    let (first, rest) = placed.split_first()?;
    let gopath = gopath_of(&first.directory)?;
    rest.iter()
        .all(|placed| gopath_of(&placed.directory) == Some(gopath))
        .then_some(gopath)
}

/// Sets GOPATH, turns modules off, and puts the GOPATH's programs first on PATH. In a view the
/// user's own GOPATH still provides its programs, last, and its module cache.
fn environment(path: &Path, user: &Environment, own: Option<PathBuf>) -> Environment {
    let mut programs = path.join("bin").into_os_string();
    let mut add = |entry: &OsStr| {
        programs.push(":");
        programs.push(entry);
    };
    if let Some(path) = user.get(OsStr::new("PATH")).filter(|path| !path.is_empty()) {
        add(path);
    }
    let mut environment = Environment::from([
        ("GOPATH".into(), path.as_os_str().to_owned()),
        ("GO111MODULE".into(), "off".into()),
    ]);
    if let Some(own) = own {
        add(own.join("bin").as_os_str());
        let cache = match user
            .get(OsStr::new("GOMODCACHE"))
            .filter(|cache| !cache.is_empty())
        {
            Some(cache) => cache.to_owned(),
            None => own.join("pkg/mod").into(),
        };
        environment.set("GOMODCACHE", cache);
    }
    environment.set("PATH", programs);
    environment
}

fn make(
    workspace: &Path,
    selected: &[&Placed],
    tests_clone: Option<&Path>,
    user: &Environment,
) -> Result<OwnDirectory, WorkspaceError> {
    // The preflight reports a missing git.
    let git = Git::find(user).ok();
    let parent = dirs::cache(user);
    let view = directory(&parent, workspace).map_err(|source| WorkspaceError::View {
        path: parent,
        source,
    })?;
    let root = view.path().join(IMPORT_ROOT);
    let components = selected.iter().map(|placed| {
        (
            placed.directory.as_path(),
            root.join(&placed.component.name),
        )
    });
    let tests_clone = tests_clone.map(|clone| (clone, root.join("tests")));
    for (source, target) in components.chain(tests_clone) {
        copy::tree(source, &target)
            .and_then(|()| copy::detach(source, &target, git.as_ref()))
            .map_err(|source| WorkspaceError::View {
                path: target,
                source,
            })?;
    }
    Ok(view)
}

fn directory(parent: &Path, workspace: &Path) -> io::Result<OwnDirectory> {
    let name = unique_name(workspace);
    let view = OwnDirectory::create(&parent.join("views"), &name)?;
    std::fs::create_dir(view.path().join("bin"))?;
    Ok(view)
}
