//! Patterns of paths whose change affects nothing.
//!
//! They read like those of a `.gitignore`. A pattern without a slash (one at the end aside) matches
//! a name at any depth. A pattern with a slash is a path from the directory that it is given for. A
//! pattern that matches a directory matches everything below it. `*` and `?` do not match a slash,
//! `**` does. There is no `!`.

use std::path::Path;

use globset::{Error, Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// A list of patterns.
#[derive(Debug, Clone)]
pub struct Ignore(GlobSet);

impl Ignore {
    /// Reads the patterns.
    ///
    /// # Errors
    ///
    /// The error of the first pattern that is invalid.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            for glob in globs(pattern)? {
                set.add(glob);
            }
        }
        set.build().map(Self)
    }

    /// Returns true if a change of the path affects nothing. The path is relative to the directory
    /// of the patterns.
    pub fn matches(&self, path: &Path) -> bool {
        self.0.is_match(path)
    }
}

/// Returns the globs for the path itself and for everything below it.
fn globs(pattern: &str) -> Result<[Glob; 2], Error> {
    let path = pattern.trim_end_matches('/');
    let anchored = match path.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None if path.contains('/') => path.to_owned(),
        None => format!("**/{path}"),
    };
    let glob = |text: &str| {
        GlobBuilder::new(text)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
    };
    Ok([glob(&anchored)?, glob(&format!("{anchored}/**"))?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Ignore::new([pattern]).unwrap().matches(Path::new(path))
    }

    #[test]
    fn a_pattern_without_a_slash_matches_at_any_depth() {
        for path in ["README.md", "docs/a.md", "a/b/c.md", "x.md/file"] {
            assert!(matches("*.md", path), "{path}");
        }
        assert!(!matches("*.md", "README.mdx") && !matches("*.md", "md"));
        assert!(matches("docs", "docs/design/a.png") && matches("docs/", "src/docs/a"));
        assert!(!matches("docs", "docs2/a") && !matches("docs", "mydocs"));
    }

    #[test]
    fn a_pattern_with_a_slash_is_a_path() {
        assert!(matches("/tests", "tests/a.rs") && !matches("/tests", "src/tests/a.rs"));
        assert!(matches("tools/packaging", "tools/packaging/kernel/x"));
        assert!(!matches("tools/packaging", "src/tools/packaging/x"));
        assert!(matches("a/*/c", "a/b/c") && !matches("a/*/c", "a/b/b/c"));
        assert!(matches("a/**/c", "a/b/b/c"));
    }

    #[test]
    fn letters_count_and_hidden_files_are_files() {
        assert!(!matches("*.md", "README.MD"));
        assert!(matches("*.yml", ".travis.yml") && matches(".github", ".github/workflows/a"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert!(Ignore::new(["[a"]).is_err());
        assert!(Ignore::new(["{a"]).is_err());
    }
}
