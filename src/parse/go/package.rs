//! Turns Go import paths into the package names of cases.

use crate::parse::CaseContext;

/// The import path above all of kata's repositories.
const KATA: &str = "github.com/kata-containers/";

/// Kata's repository of checks and tools. What it builds and tests on the way is no case of a
/// component.
const KATA_TESTS: &str = "github.com/kata-containers/tests";

/// Returns the package name of a case: the path below the component, empty for the component's own
/// directory.
///
/// Returns `None` for a package outside of the component. Packages that Go cannot place
/// (`command-line-arguments`, `_/absolute/path`) belong to the component, because nothing else runs
/// them. Without a known root only kata's own checkers are outside, and a kata path loses its
/// repository.
pub(in crate::parse) fn package<'a>(
    context: &CaseContext,
    import_path: &'a str,
) -> Option<&'a str> {
    let path = import_path.split(' ').next().unwrap_or(import_path);
    if path == "command-line-arguments" || path.starts_with("_/") {
        return Some(path);
    }
    match &context.go_root {
        Some(root) => below(path, root),
        None if below(path, KATA_TESTS).is_some() => None,
        None => Some(path.strip_prefix(KATA).map_or(path, |rest| {
            rest.split_once('/').map_or("", |(_, below)| below)
        })),
    }
}

fn below<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(root)?;
    if rest.is_empty() {
        return Some("");
    }
    rest.strip_prefix('/')
}

/// Returns true if the text can be an import path: words with slashes and dots, no blanks.
pub(in crate::parse) fn is_import_path(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('.')
        && text.bytes().all(|byte| {
            byte.is_ascii_graphic()
                && !matches!(byte, b'"' | b'\'' | b'(' | b')' | b'[' | b']' | b'=')
        })
}
