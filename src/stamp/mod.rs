//! Stamps: records of jobs that passed, so that they need not run again.
//!
//! A stamp belongs to a job in a setting on a tree. Its *key*, the name of its file, is a digest of
//! everything known beforehand: the tree (for a step that reads commits also the commit and its
//! base), kata-ci, the machine and its user, the environment, the pipeline and the options. Its
//! *facts* can be looked up later: kata's tests repository and the programs on PATH. They are in
//! the stamp, which counts only while they hold. A *job list* names all jobs of a tree in a
//! setting: the tree passed if each of them has a stamp.
//!
//! `recorder` decides which jobs of a run get a stamp, `key` computes the key. A stamp that cannot
//! be read does not count.

mod facts;
pub(crate) mod key;
pub(crate) mod recorder;
mod store;

use crate::config::Reads;
use crate::event::digest;
use crate::model::JobId;

pub use facts::{StampFacts, identities, variables};
pub use store::{JobList, Stamp, Store};

/// The subject of a stamp, as git names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The tree of the commit.
    pub tree: String,
    /// The commit.
    pub commit: String,
    /// The commit of `origin/BRANCH` that it is compared with, if known.
    pub base: Option<String>,
}

/// Returns the key of a job's stamp; `None` for a job that compares with an unknown branch.
pub fn job_key(setting: &str, job: &JobId, reads: Reads, subject: &Subject) -> Option<String> {
    let mut parts = vec!["job", setting, job.as_str(), &subject.tree];
    if reads == Reads::Commits {
        parts.push(&subject.commit);
        parts.push(subject.base.as_deref()?);
    }
    Some(digest(parts.into_iter().map(str::as_bytes)))
}

/// Returns the key of a tree's job list.
pub fn job_list_key(setting: &str, subject: &Subject) -> String {
    let parts = ["roll", setting, &subject.tree];
    digest(parts.into_iter().map(str::as_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(commit: &str) -> Subject {
        Subject {
            tree: "t".to_owned(),
            commit: commit.to_owned(),
            base: Some("b".to_owned()),
        }
    }

    #[test]
    fn an_amended_message_is_another_commit_and_the_same_tree() {
        let (test, check) = (JobId::new("proxy", "test"), JobId::new("proxy", "check"));
        let (before, after) = (subject("c1"), subject("c2"));
        let key = |job, reads, subject| job_key("s", job, reads, subject);
        assert_eq!(
            key(&test, Reads::Tree, &before),
            key(&test, Reads::Tree, &after)
        );
        assert_ne!(
            key(&check, Reads::Commits, &before),
            key(&check, Reads::Commits, &after)
        );
        assert_ne!(
            key(&test, Reads::Tree, &before),
            key(&check, Reads::Tree, &before)
        );
        assert_ne!(
            key(&test, Reads::Tree, &before),
            job_key("other", &test, Reads::Tree, &before)
        );
    }

    #[test]
    fn what_is_compared_with_nothing_has_no_key() {
        let alone = Subject {
            base: None,
            ..subject("c1")
        };
        let job = JobId::new("proxy", "check");
        assert_eq!(job_key("s", &job, Reads::Commits, &alone), None);
        assert!(job_key("s", &job, Reads::Tree, &alone).is_some());
        assert_ne!(
            job_key("s", &job, Reads::Tree, &alone),
            Some(job_list_key("s", &alone))
        );
    }
}
