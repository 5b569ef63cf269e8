//! Detects the shipped pipeline that fits a directory.
//!
//! It knows the monorepo kata-containers/kata-containers and any directories with Makefiles; the
//! repositories of kata v1 are known to `v1.rs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::fs::{absolute, has_makefile, is_inside, subdirectories};
use super::{WorkspaceError, v1};
use crate::config::Component;
use crate::env::Environment;
use crate::git::Git;

/// The result of the detection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The name of the shipped pipeline that fits: `kata-v1`, `kata-monorepo` or `makefile`.
    pub pipeline: &'static str,
    /// The absolute directory that holds the components.
    pub root: PathBuf,
    /// The component that the directory lies in. Only this one runs, unless others are named.
    pub component: Option<String>,
}

/// Detects the kind of directory. The order is: the monorepo (anywhere inside), kata v1's
/// repositories in a GOPATH, the same side by side, directories with a Makefile.
///
/// # Errors
///
/// The directory is none of them, or cannot be read.
pub fn detect(directory: &Path) -> Result<Detected, WorkspaceError> {
    let directory = absolute(directory)?;
    // Without git a checkout is known only by its directory's name. The preflight reports a missing
    // git.
    let git = Git::find(&Environment::current()).ok();
    if let Some(root) = monorepo_root(&directory) {
        return Ok(Detected {
            pipeline: "kata-monorepo",
            component: monorepo_component(&directory, &root),
            root,
        });
    }
    if let Some(place) = v1::locate(&directory, git.as_ref())? {
        return Ok(Detected {
            pipeline: "kata-v1",
            root: place.root,
            component: place.component,
        });
    }
    let components = makefile_components(&directory)?;
    let Some(first) = components.first() else {
        return Err(WorkspaceError::Nothing { directory });
    };
    let itself = is_inside(&directory, &first.path);
    Ok(Detected {
        pipeline: "makefile",
        component: itself.then(|| first.name.clone()),
        root: directory,
    })
}

/// Returns the root of the monorepo that the directory is in. It is recognised by files that all
/// its branches since 2.0 have.
fn monorepo_root(directory: &Path) -> Option<PathBuf> {
    directory
        .ancestors()
        .find(|root| {
            root.join("versions.yaml").is_file()
                && has_makefile(&root.join("src/agent"))
                && has_makefile(&root.join("src/runtime"))
        })
        .map(Path::to_owned)
}

/// Returns the name of the component that the directory is in: `src/NAME`, or `src/tools/NAME`.
fn monorepo_component(directory: &Path, root: &Path) -> Option<String> {
    let below = directory.strip_prefix(root).ok()?;
    let name = below
        .strip_prefix("src/tools")
        .or_else(|_| below.strip_prefix("src"))
        .ok()?
        .iter()
        .next()?;
    let component = ["src/tools", "src"]
        .map(|parent| root.join(parent).join(name))
        .into_iter()
        .find(|component| directory.starts_with(component))?;
    has_makefile(&component).then(|| name.to_string_lossy().into_owned())
}

/// Returns every subdirectory with a Makefile as a component, else the directory itself; empty
/// without a Makefile.
pub(super) fn makefile_components(directory: &Path) -> Result<Vec<Component>, WorkspaceError> {
    let mut directories: Vec<_> = subdirectories(directory)?
        .into_iter()
        .filter(|path| has_makefile(path))
        .collect();
    if directories.is_empty() && has_makefile(directory) {
        directories.push(directory.to_owned());
    }
    let mut taken = BTreeMap::new();
    Ok(directories
        .into_iter()
        .map(|path| component(unique(name(&path), &mut taken), path))
        .collect())
}

/// Returns the directory's name, with `-` for characters that a component's name must not have: `.`
/// and `/`, blanks and control characters.
pub(super) fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.replace(
        |letter: char| letter == '.' || letter.is_whitespace() || letter.is_control(),
        "-",
    );
    match name.trim_start_matches('-') {
        "" => "root".to_owned(),
        name => name.to_owned(),
    }
}

/// Makes a name unique: the second of two directories with the same name is `NAME-2`.
pub(super) fn unique(name: String, taken: &mut BTreeMap<String, usize>) -> String {
    let count = taken.entry(name.clone()).or_default();
    *count += 1;
    match *count {
        1 => name,
        count => unique(format!("{name}-{count}"), taken),
    }
}

fn component(name: String, path: PathBuf) -> Component {
    Component {
        name,
        path,
        ..Component::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_nothing_that_would_be_taken_for_a_job_id_or_an_option() {
        assert_eq!(name(Path::new("/a/foo.bar")), "foo-bar");
        assert_eq!(name(Path::new("/a/--foo bar")), "foo-bar");
        assert_eq!(name(Path::new("/")), "root");
    }

    #[test]
    fn names_are_unique() {
        let mut taken = BTreeMap::new();
        let names: Vec<_> = ["a", "a-2", "a", "a"]
            .map(|name| unique(name.to_owned(), &mut taken))
            .into();
        assert_eq!(names, ["a", "a-2", "a-2-2", "a-3"]);
    }
}
