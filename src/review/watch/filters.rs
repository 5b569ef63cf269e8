//! The changes that the watcher looks after.
//!
//! The server knows groups and everything that a query can say. Projects, branches and paths are
//! globs, which are matched here.

use globset::{GlobBuilder, GlobMatcher};

use super::snapshot::Snapshot;

/// The choice of changes, as the operator writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// A query of the server's own.
    pub query: Option<String>,
    /// The projects, as globs; empty for all.
    pub projects: Vec<String>,
    /// The branches, as globs; empty for all.
    pub branches: Vec<String>,
    /// The groups that the owner is in one of; empty for all.
    pub owner_groups: Vec<String>,
    /// The paths, as globs, of which the change touches one; empty for all.
    pub paths: Vec<String>,
    /// True to run work in progress as well.
    pub wip: bool,
    /// True to run private changes as well.
    pub private: bool,
}

/// The choice, ready to be applied.
#[derive(Debug, Clone)]
pub struct Filters {
    choice: Choice,
    projects: Vec<GlobMatcher>,
    branches: Vec<GlobMatcher>,
    paths: Vec<GlobMatcher>,
}

impl Filters {
    /// Compiles the globs.
    ///
    /// # Errors
    /// The message about a glob that is none, or about a group or query that would end the query
    /// it becomes a part of.
    pub fn new(choice: Choice) -> Result<Self, String> {
        check_query(choice.query.as_deref().unwrap_or(""))?;
        for group in &choice.owner_groups {
            if group.contains(['"', '{', '}']) {
                return Err(format!("`{group}` cannot be the name of a group"));
            }
        }
        Ok(Self {
            projects: globs(&choice.projects)?,
            branches: globs(&choice.branches)?,
            paths: globs(&choice.paths)?,
            choice,
        })
    }

    /// Returns true if the paths of a change must be known.
    pub fn need_paths(&self) -> bool {
        !self.paths.is_empty()
    }

    /// Returns the query for all open changes that may be looked after. The rest is up to
    /// [`Self::refusal`].
    pub fn query(&self) -> String {
        let mut query = "status:open".to_owned();
        let exact = |name: &String| !name.contains(['*', '?', '[', '{', '\\', '"']);
        if !self.choice.projects.is_empty() && self.choice.projects.iter().all(exact) {
            query += &any_of("project", &self.choice.projects);
        }
        if !self.choice.owner_groups.is_empty() {
            query += &any_of("ownerin", &self.choice.owner_groups);
        }
        if let Some(own) = &self.choice.query {
            query += &format!(" ({own})");
        }
        query
    }

    /// Returns true if only the server can say whether a change is looked after.
    pub fn need_server(&self) -> bool {
        self.choice.query.is_some() || !self.choice.owner_groups.is_empty()
    }

    /// Returns true if changes of a project may be looked after.
    pub fn choose_project(&self, project: &str) -> bool {
        matches(&self.projects, [project])
    }

    /// Returns the reason why a change is not looked after, as far as can be said here; `None` if
    /// it is.
    pub fn refusal(&self, change: &Snapshot) -> Option<&'static str> {
        if !change.is_open() {
            return Some("the change is closed");
        }
        if change.is_wip && !self.choice.wip {
            return Some("the change is work in progress");
        }
        if change.is_private && !self.choice.private {
            return Some("the change is private");
        }
        if !self.choose_project(&change.project) {
            return Some("the project is not looked after");
        }
        if !matches(&self.branches, [change.branch.as_str()]) {
            return Some("the branch is not looked after");
        }
        let paths = change.paths.iter().map(String::as_str);
        (!matches(&self.paths, paths)).then_some("none of its paths is looked after")
    }
}

/// Refuses a query that does not stay inside of parentheses.
fn check_query(query: &str) -> Result<(), String> {
    let refused = || format!("`{query}` is no query: quotes and parentheses do not match");
    let (mut depth, mut quote) = (0_u32, None);
    for character in query.chars() {
        match (quote, character) {
            (None, '"') => quote = Some('"'),
            (None, '{') => quote = Some('}'),
            (Some(end), character) if character == end => quote = None,
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.checked_sub(1).ok_or_else(refused)?,
            _ => {}
        }
    }
    match depth == 0 && quote.is_none() {
        true => Ok(()),
        false => Err(refused()),
    }
}

fn any_of(operator: &str, values: &[String]) -> String {
    let terms = values.iter().map(|value| format!("{operator}:\"{value}\""));
    format!(" ({})", terms.collect::<Vec<_>>().join(" OR "))
}

/// Compiles globs in which `*` does not cross a `/`.
fn globs(patterns: &[String]) -> Result<Vec<GlobMatcher>, String> {
    let compile = |pattern: &String| {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        glob.map(|glob| glob.compile_matcher())
            .map_err(|error| error.to_string())
    };
    patterns.iter().map(compile).collect()
}

fn matches<'a>(globs: &[GlobMatcher], names: impl IntoIterator<Item = &'a str>) -> bool {
    let fits = |name| globs.iter().any(|glob| glob.is_match(name));
    globs.is_empty() || names.into_iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> Snapshot {
        Snapshot {
            project: "kata/proxy".into(),
            branch: "stable-1.2".into(),
            status: "NEW".into(),
            paths: vec!["src/main.go".into()],
            ..Snapshot::default()
        }
    }

    fn refusal(choice: Choice, change: &Snapshot) -> Option<&'static str> {
        Filters::new(choice).unwrap().refusal(change)
    }

    fn list(one: &str) -> Vec<String> {
        vec![one.to_owned()]
    }

    #[test]
    fn everything_open_that_is_ready_and_public_is_looked_after_by_default() {
        assert_eq!(refusal(Choice::default(), &change()), None);
        let spoiled = [
            Snapshot {
                status: "MERGED".into(),
                ..change()
            },
            Snapshot {
                status: "ABANDONED".into(),
                ..change()
            },
            Snapshot {
                is_wip: true,
                ..change()
            },
            Snapshot {
                is_private: true,
                ..change()
            },
        ];
        for change in spoiled {
            assert!(refusal(Choice::default(), &change).is_some(), "{change:?}");
        }
        let asked = Choice {
            wip: true,
            private: true,
            ..Choice::default()
        };
        let both = Snapshot {
            is_wip: true,
            is_private: true,
            ..change()
        };
        assert_eq!(refusal(asked, &both), None);
    }

    #[test]
    fn globs_choose_projects_branches_and_paths() {
        for (projects, branches, paths, fits) in [
            ("kata/*", "stable-*", "src/**", true),
            ("kata/proxy", "stable-1.2", "**/*.go", true),
            ("*", "stable-*", "src/**", false),
            ("kata/*", "master", "src/**", false),
            ("kata/*", "stable-*", "*.go", false),
        ] {
            let choice = Choice {
                projects: list(projects),
                branches: list(branches),
                paths: list(paths),
                ..Choice::default()
            };
            assert_eq!(
                refusal(choice, &change()).is_none(),
                fits,
                "{projects} {branches} {paths}"
            );
        }
        let choice = Choice {
            paths: list("["),
            ..Choice::default()
        };
        assert!(Filters::new(choice).is_err());
    }

    #[test]
    fn the_operators_query_stays_in_its_parentheses() {
        let choice = Choice {
            query: Some("hashtag:ci OR (label:Ready AND message:{a ) b})".into()),
            projects: vec!["a".into(), "b/c".into()],
            owner_groups: list("Release Team"),
            ..Choice::default()
        };
        let filters = Filters::new(choice).unwrap();
        assert_eq!(
            filters.query(),
            "status:open (project:\"a\" OR project:\"b/c\") (ownerin:\"Release Team\") \
             (hashtag:ci OR (label:Ready AND message:{a ) b}))"
        );
        for query in ["a) OR (b", "\"a", "(a", "a)", "{a"] {
            let choice = Choice {
                query: Some(query.into()),
                ..Choice::default()
            };
            assert!(Filters::new(choice).is_err(), "{query}");
        }
        let choice = Choice {
            owner_groups: list("a\" OR status:merged"),
            ..Choice::default()
        };
        assert!(Filters::new(choice).is_err());
    }
}
