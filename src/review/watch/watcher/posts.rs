//! Has results posted, one at a time.

use std::time::{Duration, Instant};

use super::{WaitingPost, Watcher};
use crate::review::PostReport;
use crate::review::post::Posted;
use crate::review::watch::server::{PostEnd, PostFailure, Question, locked};
use crate::review::watch::store::{ChangeRow, NewRun, Run, RunState, StoreError};

/// The shortest and the longest pause before another try.
const PAUSES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(300));

/// The times that a result is tried which the server refuses.
const REFUSALS: u32 = 3;

impl Watcher {
    pub(super) fn ask_to_post(&mut self, now: Instant) {
        if self.posting.is_some() {
            return;
        }
        let due = self.posts.iter().position(|post| post.at <= now);
        let Some(post) = due.and_then(|at| self.posts.remove(at)) else {
            return;
        };
        let directory = post.run.directory.clone().unwrap_or_default().into();
        let question = Question::Post(Box::new(post.run), directory);
        if self.parts.questions.send(question).is_ok() {
            self.posting = Some(post.failures);
        }
    }

    pub(super) fn take_post_end(
        &mut self,
        run: &Run,
        end: Result<PostEnd, PostFailure>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let failures = self.posting.take().unwrap_or(0);
        match end {
            Ok(PostEnd::Reported(report)) => {
                self.server_answered();
                self.take_report(run, &report, now)
            }
            Ok(PostEnd::Outdated(companion)) => self.take_outdated(run, &companion, now),
            Err(failure) => self.take_failure(run, &failure, failures, now),
        }
    }

    fn take_report(
        &mut self,
        run: &Run,
        report: &PostReport,
        now: Instant,
    ) -> Result<(), StoreError> {
        for remark in &report.remarks {
            tracing::warn!(
                change = run.change,
                sha = run.sha,
                remark,
                "posted with a remark"
            );
        }
        let (state, note) = match &report.posted {
            Posted::Voted(vote) => (RunState::Posted, format!("{vote:+}: {}", run.note)),
            Posted::Message | Posted::Already => (RunState::Posted, run.note.clone()),
            Posted::Superseded(newer) => (
                RunState::Cancelled,
                format!("run {newer} of the commit is newer"),
            ),
            Posted::Outdated(_) => (RunState::Cancelled, "another patch set is there".to_owned()),
            Posted::Closed(status) => (
                RunState::Cancelled,
                format!("the change is {}", status.to_lowercase()),
            ),
        };
        if state == RunState::Cancelled {
            self.agenda.note(run.change, now);
        }
        tracing::info!(
            change = run.change, sha = run.sha, run = run.number, posted = ?report.posted, "posted"
        );
        locked(&self.parts.store).end(run.id, state, &note)
    }

    /// Runs the commit again, because a companion has changed since.
    fn take_outdated(
        &mut self,
        run: &Run,
        companion: &ChangeRow,
        now: Instant,
    ) -> Result<(), StoreError> {
        let why = format!("change {}, a companion, has changed", companion.number);
        let known = {
            let mut store = locked(&self.parts.store);
            store.answer(&companion.cause_for(&run.sha), run.change, &why)?;
            store.end(run.id, RunState::Cancelled, &why)?;
            store.change(companion.number)?
        };
        self.see(companion, known.as_ref(), now)?;
        // Another patch set may be on its way by now: a look finds out.
        if self.queue.waiting_for(run.change).is_some()
            || self.queue.running_for(run.change).is_some()
        {
            return Ok(());
        }
        self.enqueue(NewRun {
            change: run.change,
            project: &run.project,
            patch_set: run.patch_set,
            sha: &run.sha,
            why: &why,
            component: run.component.as_deref(),
        })
    }

    fn take_failure(
        &mut self,
        run: &Run,
        failure: &PostFailure,
        failures: u32,
        now: Instant,
    ) -> Result<(), StoreError> {
        let at = self.server_failed(failure, now);
        let failures = failures + 1;
        if !failure.is_worth_another_try() && failures >= REFUSALS {
            let note = format!("not posted: {failure}");
            tracing::error!(change = run.change, sha = run.sha, note, "given up");
            return locked(&self.parts.store).end(run.id, RunState::Broken, &note);
        }
        let pause = PAUSES.0.saturating_mul(1 << failures.min(8)).min(PAUSES.1);
        self.posts.push_back(WaitingPost {
            at: at.max(now + pause),
            failures,
            run: run.clone(),
        });
        Ok(())
    }
}
