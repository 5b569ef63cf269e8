//! Takes how changes stand, and decides what is to be done about each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::{Watcher, ticket};
use crate::gerrit::rest::RestError;
use crate::review::watch::agenda::Note;
use crate::review::watch::decide::{Decision, Newest, decide};
use crate::review::watch::queue::Offered;
use crate::review::watch::server::{AskRight, Listed, Looked, Question, locked};
use crate::review::watch::snapshot::Snapshot;
use crate::review::watch::store::{ChangeRow, NewRun, RunState, Store, StoreError};

/// The most changes of a question.
const BATCH: usize = 50;

impl Watcher {
    pub(super) fn ask_how_changes_stand(&mut self, now: Instant) {
        if self.agenda.take_overflow() {
            self.resync_around(now);
        }
        if !self.looking.is_empty() {
            return;
        }
        self.looking = self.agenda.take(BATCH, now);
        if !self.looking.is_empty() {
            let _ = self
                .parts
                .questions
                .send(Question::Look(self.looking.clone()));
        }
    }

    pub(super) fn ask_for_all(&mut self, now: Instant) {
        let is_due = self.resyncs.first().is_some_and(|at| *at <= now);
        if is_due && !self.is_listing {
            self.resyncs.retain(|at| *at > now);
            self.is_listing = self.parts.questions.send(Question::List).is_ok();
        }
    }

    pub(super) fn take_looks(
        &mut self,
        looked: Result<Vec<Looked>, RestError>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let notes = std::mem::take(&mut self.looking);
        let looked = match looked {
            Ok(looked) => looked,
            Err(error) => {
                let at = self.server_failed(&error, now);
                self.agenda.put_back(notes, at);
                return Ok(());
            }
        };
        self.server_answered();
        let mut found: BTreeMap<u64, Looked> = (looked.into_iter())
            .map(|looked| (looked.change.number, looked))
            .collect();
        for note in notes {
            match found.remove(&note.change) {
                Some(looked) => self.take_look(&looked, note, now)?,
                None => self.take_missing(note, now)?,
            }
        }
        Ok(())
    }

    /// Takes a change that the server does not show: it lags, or the change is hidden or deleted.
    fn take_missing(&mut self, note: Note, now: Instant) -> Result<(), StoreError> {
        let change = note.change;
        if !self.agenda.again(note, now) {
            self.withdraw(change, "the server does not show the change any more")?;
            locked(&self.parts.store).unlist(change)?;
        }
        Ok(())
    }

    fn take_look(&mut self, looked: &Looked, note: Note, now: Instant) -> Result<(), StoreError> {
        let change = &looked.change;
        let known = locked(&self.parts.store).change(change.number)?;
        let known_patch_set = known.as_ref().map_or(0, |known| known.patch_set);
        if change.patch_set < note.at_least.max(known_patch_set) {
            // The server lags behind what it has told before: nothing follows from this answer.
            self.agenda.again(note, now);
            return Ok(());
        }
        self.see(&change.row(), known.as_ref(), now)?;
        let older = format!("patch set {} is there", change.patch_set);
        if (self.queue.running_for(change.number))
            .is_some_and(|running| running.patch_set < change.patch_set)
        {
            self.cancel(change.number, &older);
        }
        let decision = self.decided(looked)?;
        let answer = self.carry_out(change, &decision)?;
        for (request, right) in &looked.requests {
            let answer = match right {
                AskRight::Granted => answer.as_str(),
                AskRight::Refused => "the author may not ask",
            };
            tracing::info!(
                change = change.number,
                author = request.author,
                answer,
                "recheck"
            );
            locked(&self.parts.store).answer(&request.message, change.number, answer)?;
        }
        Ok(())
    }

    /// Records how a change stands. If it is another commit now, abandoned, or of another topic,
    /// the changes that ran with it are looked at again, and those of its topic.
    pub(super) fn see(
        &mut self,
        row: &ChangeRow,
        known: Option<&ChangeRow>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let mut store = locked(&self.parts.store);
        store.see(row)?;
        let facts = |row: &ChangeRow| (row.sha.clone(), row.status.clone(), row.topic.clone());
        if known.is_none_or(|known| facts(known) != facts(row)) {
            for other in [store.dependents(row.number)?, store.peers(row)?].concat() {
                self.agenda.note(other, now);
            }
        }
        Ok(())
    }

    fn decided(&self, looked: &Looked) -> Result<Decision, StoreError> {
        let change = &looked.change;
        let store = locked(&self.parts.store);
        let newest = store.newest(change.number, &change.sha)?;
        let newest = match newest {
            Some(run) => Some(Newest {
                state: run.state,
                number: run.number,
                outdated_by: store.outdated_companion(&run)?,
            }),
            None => None,
        };
        let granted = looked
            .requests
            .iter()
            .rev()
            .find(|(_, right)| *right == AskRight::Granted);
        let asked = granted.map(|(request, _)| &request.recheck);
        Ok(match looked.is_chosen || !change.is_open() {
            true => decide(change, &self.parts.filters, newest.as_ref(), asked),
            false => Decision::Withdraw("the query does not choose the change"),
        })
    }

    /// Carries a decision out, and returns it in words.
    fn carry_out(&mut self, change: &Snapshot, decision: &Decision) -> Result<String, StoreError> {
        match decision {
            Decision::Withdraw(reason) => {
                self.withdraw(change.number, reason)?;
                Ok((*reason).to_owned())
            }
            Decision::Nothing => Ok("the commit is on its way already".to_owned()),
            Decision::Adopt { run } => {
                let found = of_change(change, "found on the server", None);
                locked(&self.parts.store).adopt(found, *run)?;
                Ok("the verdict is there".to_owned())
            }
            Decision::Run { why, component } => {
                // Its number must be above those that the server has, also if the state was lost.
                if let Some(last) = change.verdicts.iter().max() {
                    let found = of_change(change, "found on the server", None);
                    locked(&self.parts.store).adopt(found, *last)?;
                }
                self.enqueue(of_change(change, why, component.as_deref()))?;
                Ok("the commit runs again".to_owned())
            }
        }
    }

    /// Queues a run. Older runs of the change end.
    pub(super) fn enqueue(&mut self, new: NewRun<'_>) -> Result<(), StoreError> {
        let run = locked(&self.parts.store).queue(new)?;
        tracing::info!(
            change = run.change,
            patch_set = run.patch_set,
            sha = run.sha,
            run = run.number,
            why = run.why,
            "queued"
        );
        match self.queue.offer(ticket(&run)) {
            Offered::Waits { cancel, .. } => {
                if let Some(older) = cancel {
                    self.cancel(
                        older.change,
                        &format!("patch set {} is there", run.patch_set),
                    );
                }
            }
            Offered::Known | Offered::Late => {
                let mut store = locked(&self.parts.store);
                store.end(run.id, RunState::Cancelled, "the queue has a newer one")?;
            }
        }
        Ok(())
    }

    /// Takes the change out of the queue and cancels what runs.
    fn withdraw(&mut self, change: u64, why: &str) -> Result<(), StoreError> {
        let withdrawn = self.queue.withdraw(change);
        locked(&self.parts.store).cancel_waiting(change, why)?;
        if withdrawn.running.is_some() {
            self.cancel(change, why);
        }
        Ok(())
    }

    pub(super) fn take_list(
        &mut self,
        listed: Result<Vec<Listed>, RestError>,
        now: Instant,
    ) -> Result<(), StoreError> {
        self.is_listing = false;
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => {
                let at = self.server_failed(&error, now);
                self.resync_at(at);
                return Ok(());
            }
        };
        self.server_answered();
        let noted = self.note_differences(&listed, now)?;
        tracing::info!(open = listed.len(), to_look_at = noted, "resynchronised");
        self.resync_at(now + self.parts.pace.resync);
        self.prune()
    }

    /// Notes every change that the list shows otherwise than the state, that has no verdict, or
    /// that is a companion. Returns their number.
    fn note_differences(&mut self, listed: &[Listed], now: Instant) -> Result<usize, StoreError> {
        let mut store = locked(&self.parts.store);
        let open: BTreeSet<u64> = listed.iter().map(|listed| listed.change).collect();
        let mut noted = BTreeSet::new();
        for listed in listed {
            if !is_known(&store, listed, self.has_listed)? {
                noted.insert(listed.change);
            }
        }
        for (companion, dependent) in store.awaited_companions()? {
            if open.contains(&dependent) {
                noted.insert(companion);
            }
        }
        for gone in store.open_changes()? {
            let is_active =
                self.queue.waiting_for(gone).is_some() || self.queue.running_for(gone).is_some();
            match is_active {
                _ if open.contains(&gone) => {}
                true => drop(noted.insert(gone)),
                false => store.unlist(gone)?,
            }
        }
        self.has_listed = true;
        for change in &noted {
            self.agenda.note(*change, now);
        }
        Ok(noted.len())
    }
}

/// Returns true if a change stands as it was looked at last. Before the first list of this watcher,
/// its commit must also have a run that counts.
fn is_known(store: &Store, listed: &Listed, has_listed: bool) -> Result<bool, StoreError> {
    let known = store.change(listed.change)?;
    let is_same = known.is_some_and(|known| {
        known.updated == listed.updated && known.sha == listed.sha && known.status == "NEW"
    });
    if !is_same || has_listed {
        return Ok(is_same);
    }
    let newest = store.newest(listed.change, &listed.sha)?;
    Ok(newest.is_some_and(|run| run.state != RunState::Cancelled))
}

fn of_change<'a>(change: &'a Snapshot, why: &'a str, component: Option<&'a str>) -> NewRun<'a> {
    NewRun {
        change: change.number,
        project: &change.project,
        patch_set: change.patch_set,
        sha: &change.sha,
        why,
        component,
    }
}
