//! The changes that a run had checked out beside its own: those that it depends on, and those of
//! its topic.
//!
//! They are found by the commits that the run tells of, so that it does not matter how the run came
//! to them.

use std::collections::BTreeSet;
use std::path::Path;

use super::look::row;
use super::{PostFailure, Server, locked};
use crate::event::{self, Event};
use crate::gerrit::rest::{ChangeInfo, RestError};
use crate::review::watch::store::{ChangeRow, Run};

/// The most commits of a question.
const MOST: usize = 50;

impl Server {
    /// Records the companions of a run. Returns one that is another commit now, or abandoned, or
    /// one that has joined the topic since: the result says nothing any more then. It is returned
    /// once only, so that a companion which never fits keeps nobody busy.
    pub(super) fn outdated_companion(
        &self,
        run: &Run,
        directory: &Path,
    ) -> Result<Option<ChangeRow>, PostFailure> {
        let found = self.companions(run, &commits(directory, &run.sha))?;
        let used: Vec<_> = (found.iter())
            .map(|(change, sha)| (change.number, sha.clone()))
            .collect();
        let mut store = locked(&self.store);
        store.ran_with(run.id, &used)?;
        for (change, sha) in found {
            if change.outdates(&sha) && !store.is_answered(&change.cause_for(&run.sha))? {
                return Ok(Some(change));
            }
        }
        Ok(store.newcomer(run)?)
    }

    /// Returns the changes, not merged, that the commits are patch sets of, each with its commit.
    fn companions(
        &self,
        run: &Run,
        commits: &BTreeSet<String>,
    ) -> Result<Vec<(ChangeRow, String)>, RestError> {
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        let terms = commits.iter().take(MOST).map(|sha| format!("commit:{sha}"));
        let query = terms.collect::<Vec<_>>().join(" OR ");
        let changes =
            self.client
                .query(&query, &["ALL_REVISIONS", "DETAILED_ACCOUNTS"], 2 * MOST)?;
        let companion = |info: ChangeInfo| {
            let is_other = info.number != run.change && info.status != "MERGED";
            let sha = info
                .revisions
                .keys()
                .find(|sha| commits.contains(*sha))?
                .clone();
            is_other.then(|| Some((row(&info)?, sha)))?
        };
        Ok(changes.into_iter().filter_map(companion).collect())
    }
}

/// Returns the commits that a run had checked out but for its own. A run that has told nothing had
/// none.
fn commits(directory: &Path, own: &str) -> BTreeSet<String> {
    let start = event::read_start(&directory.join("events.jsonl"));
    let Ok(Some(Event::RunStarted(started))) = start.map(|start| start.map(|record| record.event))
    else {
        return BTreeSet::new();
    };
    let is_sha = |sha: &String| {
        sha.len() >= 40 && sha != own && sha.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    started.revisions.into_values().filter(is_sha).collect()
}
