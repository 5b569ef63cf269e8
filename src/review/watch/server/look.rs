//! Asks how changes stand.

use std::collections::{BTreeMap, BTreeSet};

use super::{Listed, Looked, Server, locked};
use crate::gerrit::rest::{
    ChangeInfo, ChangeKey, ChangeMessageInfo, PATCHSET_LEVEL, RestError, RestErrorKind,
};
use crate::review::post::has_copied_vote;
use crate::review::watch::agenda::Note;
use crate::review::watch::decide;
use crate::review::watch::recheck;
use crate::review::watch::snapshot::{Message, Snapshot};
use crate::review::watch::store::ChangeRow;
use crate::review::{PostKey, take_back_copied};
use crate::text;

/// The options that changes are looked at with.
const OPTIONS: [&str; 4] = [
    "CURRENT_REVISION",
    "DETAILED_LABELS",
    "DETAILED_ACCOUNTS",
    "MESSAGES",
];

/// The most open changes that are listed.
const MOST: usize = 100_000;

impl Server {
    /// Lists all open changes that may be looked after, with no more than what tells whether one
    /// has changed.
    pub(super) fn list(&self) -> Result<Vec<Listed>, RestError> {
        let query = self.filters.query();
        let changes = self.client.query(&query, &["CURRENT_REVISION"], MOST)?;
        let listed = changes.into_iter().map(|change| Listed {
            change: change.number,
            sha: change.current_revision.unwrap_or_default(),
            updated: change.meta_rev_id.unwrap_or(change.updated),
        });
        Ok(listed.collect())
    }

    /// Returns how changes stand. One that the server does not know, or not yet, is left out.
    pub(super) fn look(&mut self, notes: &[Note]) -> Result<Vec<Looked>, RestError> {
        let account = self.account()?;
        let numbers: Vec<u64> = notes.iter().map(|note| note.change).collect();
        let query = any_of(&numbers);
        let mut options = OPTIONS.to_vec();
        if self.filters.need_paths() {
            options.push("CURRENT_FILES");
        }
        let chosen = self.chosen(&query, &numbers)?;
        let mut found: BTreeMap<u64, ChangeInfo> = BTreeMap::new();
        for info in self.client.query(&query, &options, numbers.len())? {
            found.insert(info.number, info);
        }
        let mut looked = Vec::new();
        for note in notes {
            let indexed = found.remove(&note.change);
            let is_chosen = match indexed {
                Some(_) => chosen.contains(&note.change),
                None => self.is_wanted(note.change),
            };
            let Some(info) = self.newest(note, indexed, &options)? else {
                continue;
            };
            looked.extend(self.looked(&info, account, is_chosen)?);
        }
        Ok(looked)
    }

    /// Returns what the index has told, unless that is older than what is known. Then the change is
    /// read without the index, which lags behind, or was lost in a crash.
    fn newest(
        &self,
        note: &Note,
        indexed: Option<ChangeInfo>,
        options: &[&str],
    ) -> Result<Option<ChangeInfo>, RestError> {
        let known = locked(&self.store).change(note.change).ok().flatten();
        let least = known
            .as_ref()
            .map_or(0, |known| known.patch_set)
            .max(note.at_least);
        let current = |info: &ChangeInfo| info.patch_set(None).map_or(0, |(_, one)| one.number);
        if indexed.as_ref().is_some_and(|info| current(info) >= least) {
            return Ok(indexed);
        }
        let Some(project) = known
            .map(|known| known.project)
            .or_else(|| note.project.clone())
        else {
            return Ok(indexed);
        };
        match self
            .client
            .change(&ChangeKey::new(&project, note.change), options)
        {
            Ok(info) => Ok(Some(info)),
            Err(error) if error.kind == RestErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns true if a change that the index does not have is looked after, as far as can be
    /// said: only the index can apply a query.
    fn is_wanted(&self, change: u64) -> bool {
        !self.filters.need_server() || locked(&self.store).has_run(change).unwrap_or(false)
    }

    fn looked(
        &mut self,
        info: &ChangeInfo,
        account: u64,
        is_chosen: bool,
    ) -> Result<Option<Looked>, RestError> {
        let Some(mut change) = snapshot(info, account, &self.label) else {
            return Ok(None);
        };
        if change.has_copied_vote {
            self.take_back(&change)?;
        }
        self.read_comments(&mut change)?;
        Ok(Some(Looked {
            is_chosen,
            requests: self.requests(&change)?,
            change,
        }))
    }

    fn account(&mut self) -> Result<u64, RestError> {
        if let Some(account) = self.account {
            return Ok(account);
        }
        let account = self.client.self_account()?.id;
        self.account = Some(account);
        Ok(account)
    }

    /// Returns those of the changes that the operator's query and groups choose.
    fn chosen(&self, query: &str, numbers: &[u64]) -> Result<BTreeSet<u64>, RestError> {
        if !self.filters.need_server() {
            return Ok(numbers.iter().copied().collect());
        }
        let both = format!("({query}) {}", self.filters.query());
        let found = self.client.query(&both, &[], numbers.len())?;
        Ok(found.iter().map(|change| change.number).collect())
    }

    /// Takes a vote back that the server copied to a commit which has not run.
    fn take_back(&self, change: &Snapshot) -> Result<(), RestError> {
        let key = ChangeKey::new(&change.project, change.number);
        for taken in take_back_copied(&self.client, &key, &self.label, &|_| false)? {
            tracing::info!(
                change = change.number,
                sha = taken.sha,
                "took a copied vote back"
            );
        }
        Ok(())
    }

    /// Adds the comments on the patch set as a whole to the messages that they came with: the web
    /// page puts a reply there.
    fn read_comments(&self, change: &mut Snapshot) -> Result<(), RestError> {
        let mut waiting = Vec::new();
        for message in &change.messages {
            let is_open = !message.is_before_verdict && recheck::has_comments(&message.text);
            if is_open && !self.is_answered(&message.id) {
                waiting.push(message.id.clone());
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let key = ChangeKey::new(&change.project, change.number);
        let comments = self.client.comments(&key)?.remove(PATCHSET_LEVEL);
        let comments = comments.unwrap_or_default();
        for message in &mut change.messages {
            let own = comments
                .iter()
                .filter(|one| one.change_message_id.as_deref() == Some(&*message.id));
            for comment in own.filter(|_| waiting.contains(&message.id)) {
                if recheck::in_message(&message.text).is_none()
                    && recheck::in_comment(&comment.message).is_some()
                {
                    message.text = format!("Patch Set 1:\n\n{}", comment.message);
                }
            }
        }
        Ok(())
    }

    /// Returns the requests that nobody has answered, with the right to ask.
    fn requests(
        &mut self,
        change: &Snapshot,
    ) -> Result<Vec<(decide::Request, super::AskRight)>, RestError> {
        let mut requests = Vec::new();
        for request in decide::requests(change) {
            if self.is_answered(&request.message) {
                continue;
            }
            let right = self.rights.of(&self.client, request.author)?;
            requests.push((request, right));
        }
        Ok(requests)
    }

    /// Returns true if a message was answered. A state that cannot be read answers nothing twice.
    fn is_answered(&self, message: &str) -> bool {
        locked(&self.store).is_answered(message).unwrap_or(true)
    }
}

fn any_of(numbers: &[u64]) -> String {
    let terms = numbers.iter().map(|number| format!("change:{number}"));
    terms.collect::<Vec<_>>().join(" OR ")
}

/// Returns what the state keeps of a change; `None` if it has no patch set.
pub(super) fn row(info: &ChangeInfo) -> Option<ChangeRow> {
    let (sha, revision) = info.patch_set(None)?;
    Some(ChangeRow {
        number: info.number,
        project: info.project.clone(),
        branch: info.branch.clone(),
        subject: text::one_line(&info.subject, 300),
        owner: text::one_line(&info.owner.label(), 100),
        status: info.status.clone(),
        patch_set: revision.number,
        sha: sha.to_owned(),
        updated: info.meta_rev_id.as_ref().unwrap_or(&info.updated).clone(),
        topic: info.topic.clone().unwrap_or_default(),
    })
}

/// Describes a change; `None` if it has no patch set.
fn snapshot(info: &ChangeInfo, account: u64, label: &str) -> Option<Snapshot> {
    let (sha, revision) = info.patch_set(None)?;
    let is_own = |message: &&ChangeMessageInfo| {
        let author = message.author.as_ref();
        author.is_some_and(|author| author.id == account)
    };
    let verdict = |message: &ChangeMessageInfo| PostKey::of_verdict(message.tag.as_deref()?);
    let of_current = |key: PostKey| (key.sha == sha).then_some(key.run);
    let verdicts = (info.messages.iter().filter(is_own))
        .filter_map(verdict)
        .filter_map(of_current);
    let last_verdict = info.messages.iter().rposition(|message| {
        is_own(&message) && verdict(message).is_some_and(|key| key.sha == sha)
    });
    let row = row(info)?;
    Some(Snapshot {
        number: row.number,
        project: row.project,
        branch: row.branch,
        subject: row.subject,
        owner: row.owner,
        status: row.status,
        is_wip: info.work_in_progress,
        is_private: info.is_private,
        updated: row.updated,
        topic: row.topic,
        patch_set: row.patch_set,
        sha: row.sha,
        paths: revision.files.keys().cloned().collect(),
        verdicts: verdicts.collect(),
        has_copied_vote: has_copied_vote(info, account, label),
        messages: messages(info, account, last_verdict),
    })
}

/// Returns the messages of people but ourselves.
fn messages(info: &ChangeInfo, account: u64, last_verdict: Option<usize>) -> Vec<Message> {
    let of_person = |(at, message): (usize, &ChangeMessageInfo)| {
        let author = message.author.as_ref()?.id;
        let tag = message.tag.as_deref().unwrap_or("");
        let is_programs = author == account || tag.starts_with("autogenerated:");
        (!is_programs).then(|| Message {
            id: message.id.clone(),
            author,
            text: message.message.clone(),
            is_before_verdict: last_verdict.is_some_and(|verdict| at < verdict),
        })
    };
    info.messages
        .iter()
        .enumerate()
        .filter_map(of_person)
        .collect()
}
