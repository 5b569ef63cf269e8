//! Asks git about a work tree once for all components in it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::config::Layout;
use crate::env::Environment;
use crate::git::Git;

/// The facts of a work tree; none outside of git.
#[derive(Debug, Clone, Default)]
pub(super) struct TreeFacts {
    /// See [`super::FoundComponent::revision`].
    pub revision: Option<String>,
    /// See [`crate::plan::Job::changed_files`].
    pub changed_files: Option<Vec<String>>,
}

/// The question: git's answers depend on nothing else, wherever in the work tree it is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TreeQuestion<'a> {
    pub environment: &'a Environment,
    pub branch: &'a str,
    pub layout: Layout,
}

/// The work trees that were asked for. Components of one wait for its first one.
#[derive(Debug, Default)]
pub(super) struct KnownTrees {
    known: Mutex<Vec<KnownTree>>,
}

#[derive(Debug)]
struct KnownTree {
    top: PathBuf,
    branch: String,
    environment: Environment,
    facts: Arc<OnceLock<TreeFacts>>,
}

impl KnownTrees {
    /// Returns the facts of the work tree that the directory is in.
    pub fn facts(&self, git: &Git, directory: &Path, question: &TreeQuestion<'_>) -> TreeFacts {
        let Some(top) = git.at(directory).nearest() else {
            return TreeFacts::default();
        };
        let facts = self.entry(top, question);
        facts.get_or_init(|| ask(git, directory, question)).clone()
    }

    fn entry(&self, top: PathBuf, question: &TreeQuestion<'_>) -> Arc<OnceLock<TreeFacts>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |tree: &&KnownTree| {
            tree.top == top
                && tree.branch == question.branch
                && tree.environment == *question.environment
        };
        if let Some(tree) = known.iter().find(is_it) {
            return tree.facts.clone();
        }
        let facts = Arc::default();
        known.push(KnownTree {
            top,
            branch: question.branch.to_owned(),
            environment: question.environment.clone(),
            facts: Arc::clone(&facts),
        });
        facts
    }
}

fn ask(git: &Git, directory: &Path, question: &TreeQuestion<'_>) -> TreeFacts {
    let repository = git.at(directory);
    let base = repository.commit(&format!("refs/remotes/origin/{}", question.branch));
    let files = match base {
        Ok(Some(base)) => repository.changed_files(&base).ok(),
        _ => None,
    };
    // `get_pr_changed_file_details` of v1's static checks does the same.
    let is_shown = |file: &String| question.layout != Layout::Gopath || !file.contains("vendor/");
    TreeFacts {
        revision: repository.revision().ok().flatten(),
        changed_files: files.map(|files| files.into_iter().filter(is_shown).collect()),
    }
}
