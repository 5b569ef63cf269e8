//! The table `[review]`: the operator's decisions about reviews. Only the operator's own
//! configuration has it, since a change could give itself trust otherwise.

use std::path::PathBuf;

use super::fields::{Fields, Value};
use super::scalars;

/// The most inline comments of a review, unless the table says otherwise.
const COMMENTS: u32 = 20;

/// The table `[review]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Groups whose members' code runs without the strict sandbox. The code of all others is a
    /// stranger's.
    pub trusted: Vec<String>,
    /// Groups whose members may ask for another run.
    pub recheck: Vec<String>,
    /// The file with `USER:TOKEN`; `None` to ask `git credential`.
    pub credentials: Option<PathBuf>,
    /// The address of a report, with `{run}`, `{change}` and `{patch_set}` in it.
    pub report_url: Option<String>,
    /// True if somebody has to resolve the inline comments.
    pub unresolved: bool,
    /// The most inline comments of a review.
    pub comments: u32,
    /// A query for the changes that are looked after.
    pub query: Option<String>,
    /// Their projects, as globs; empty for all.
    pub projects: Vec<String>,
    /// Their branches, as globs; empty for all.
    pub branches: Vec<String>,
    /// Groups of their owners; empty for all.
    pub owners: Vec<String>,
    /// Paths that they touch, as globs; empty for all.
    pub paths: Vec<String>,
    /// True if work in progress is looked after as well.
    pub wip: bool,
    /// True if private changes are looked after as well.
    pub private: bool,
}

impl Default for Review {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            recheck: Vec::new(),
            credentials: None,
            report_url: None,
            unresolved: false,
            comments: COMMENTS,
            query: None,
            projects: Vec::new(),
            branches: Vec::new(),
            owners: Vec::new(),
            paths: Vec::new(),
            wip: false,
            private: false,
        }
    }
}

/// Reads the table.
pub(super) fn review(fields: &mut Fields) -> Review {
    let usual = Review::default();
    Review {
        trusted: list(fields, "trusted"),
        recheck: list(fields, "recheck"),
        credentials: text(fields, "credentials").map(PathBuf::from),
        report_url: text(fields, "report_url"),
        unresolved: switch(fields, "unresolved"),
        comments: (fields.get("comments"))
            .and_then(|value| value.number())
            .map_or(usual.comments, |number| {
                u32::try_from(number.clamp(0, 500)).unwrap_or(usual.comments)
            }),
        query: text(fields, "query"),
        projects: list(fields, "projects"),
        branches: list(fields, "branches"),
        owners: list(fields, "owners"),
        paths: list(fields, "paths"),
        wip: switch(fields, "wip"),
        private: switch(fields, "private"),
    }
}

fn text(fields: &mut Fields, key: &'static str) -> Option<String> {
    let found = fields.get(key)?.word(scalars::filled);
    found.map(|found| found.value)
}

fn list(fields: &mut Fields, key: &'static str) -> Vec<String> {
    let found = fields
        .get(key)
        .and_then(|value| value.words(scalars::filled));
    let found = found.into_iter().flatten();
    found.map(|found| found.value).collect()
}

fn switch(fields: &mut Fields, key: &'static str) -> bool {
    let found = fields.get(key).as_ref().and_then(Value::boolean);
    found.unwrap_or(false)
}
