//! Finds components in directories with Makefiles.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::WorkspaceError;
use super::fs::{has_makefile, subdirectories};
use crate::config::Component;

/// Returns every subdirectory with a Makefile as a component, else the directory itself; empty
/// without a Makefile.
pub(super) fn components(directory: &Path) -> Result<Vec<Component>, WorkspaceError> {
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
fn name(path: &Path) -> String {
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
fn unique(name: String, taken: &mut BTreeMap<String, usize>) -> String {
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
