//! Starts runs, and takes their ends.

use std::fs;
use std::process::ExitStatus;
use std::time::Instant;

use super::{WaitingPost, Watcher, ticket};
use crate::model::ExitCode;
use crate::review::watch::process::ReviewProcess;
use crate::review::watch::queue::Ticket;
use crate::review::watch::server::locked;
use crate::review::watch::store::{Run, RunState, StoreError};
use crate::review::{ReviewResult, Verdict};
use crate::text;

/// The most attempts of a run that breaks or ends with an error that may pass.
const ATTEMPTS: u32 = 3;

/// The most attempts of a run that says that something outside of it, such as the server, may be
/// there another time. With the growing pauses they take days.
const PATIENT_ATTEMPTS: u32 = 100;

/// The longest pause before another attempt, in pauses before the first one.
const LONGEST_PAUSE: u32 = 32;

/// The end of a process, as it is understood.
enum End {
    /// There is a result to post.
    Judged(Box<ReviewResult>),
    /// There is a result, and nobody wants to read it.
    Nothing(String),
    /// There may be a result after another attempt, if there were fewer than these.
    Again(String, u32),
}

impl Watcher {
    /// Starts runs while there are slots.
    pub(super) fn start_runs(&mut self) -> Result<(), StoreError> {
        while let Some(ticket) = self.queue.start() {
            self.start(ticket)?;
        }
        Ok(())
    }

    fn start(&mut self, ticket: Ticket) -> Result<(), StoreError> {
        let run = locked(&self.parts.store).run(ticket.run)?;
        let name = format!("{}-{}", run.id, run.attempts + 1);
        let place = self.parts.directory.join("reviews").join(name);
        // An attempt whose start was not recorded may have left it.
        let _ = crate::fs::remove_tree(&place);
        let report = crate::review::watch::process::report_directory(&place);
        let report = report.to_string_lossy();
        let run = locked(&self.parts.store).start(run.id, &report)?;
        tracing::info!(
            change = run.change,
            patch_set = run.patch_set,
            sha = run.sha,
            run = run.number,
            attempt = run.attempts,
            "started"
        );
        match ReviewProcess::start(&self.parts.command, run.clone(), place) {
            Ok(process) => self.processes.push((ticket, process)),
            Err(error) => {
                self.queue.ended(&ticket);
                self.try_again(&run, &format!("it cannot be started: {error}"), ATTEMPTS)?;
            }
        }
        Ok(())
    }

    /// Tells the running run of a change to end.
    pub(super) fn cancel(&mut self, change: u64, why: &str) {
        let grace = self.parts.pace.grace;
        for (ticket, process) in &mut self.processes {
            if ticket.change == change {
                tracing::info!(change, sha = ticket.sha, why, "cancelled");
                process.cancel(why, grace);
            }
        }
    }

    /// Takes the ends of processes.
    pub(super) fn reap(&mut self) -> Result<(), StoreError> {
        let mut at = 0;
        while at < self.processes.len() {
            let ended = self.processes[at].1.poll();
            match ended {
                Ok(None) => at += 1,
                Ok(Some(status)) => {
                    let (ticket, process) = self.processes.swap_remove(at);
                    self.take_end(&ticket, &process, Some(status))?;
                }
                Err(error) => {
                    tracing::error!(%error, "a process cannot be waited for");
                    let (ticket, process) = self.processes.swap_remove(at);
                    process.kill();
                    self.take_end(&ticket, &process, None)?;
                }
            }
        }
        Ok(())
    }

    fn take_end(
        &mut self,
        ticket: &Ticket,
        process: &ReviewProcess,
        status: Option<ExitStatus>,
    ) -> Result<(), StoreError> {
        // What it may have left in its group must not go on.
        process.kill();
        self.queue.ended(ticket);
        let run = &process.run;
        if let Some(why) = &process.cancelled {
            return self.take_cancelled(run, why);
        }
        match understood(process, status) {
            End::Judged(result) => self.judge(run, &result),
            End::Nothing(note) => {
                tracing::info!(change = run.change, sha = run.sha, note, "nothing to post");
                locked(&self.parts.store).end(run.id, RunState::Posted, &note)
            }
            End::Again(why, most) => self.try_again(run, &why, most),
        }
    }

    /// Records the end of a cancelled run. While the watcher ends, it waits for the next one.
    fn take_cancelled(&mut self, run: &Run, why: &str) -> Result<(), StoreError> {
        let mut store = locked(&self.parts.store);
        if self.ending.is_some() {
            store.requeue(run.id, why)?;
            return Ok(());
        }
        store.end(run.id, RunState::Cancelled, why)?;
        // The change may be open again, or back at this commit.
        self.agenda.note(run.change, Instant::now());
        Ok(())
    }

    fn judge(&mut self, run: &Run, result: &ReviewResult) -> Result<(), StoreError> {
        let reason = text::one_line(&result.reason, 300);
        let mut store = locked(&self.parts.store);
        store.judge(run.id, result.verdict.word(), &reason)?;
        tracing::info!(
            change = run.change,
            sha = run.sha,
            run = run.number,
            verdict = result.verdict.word(),
            "judged"
        );
        self.posts.push_back(WaitingPost {
            at: Instant::now(),
            failures: 0,
            run: store.run(run.id)?,
        });
        Ok(())
    }

    /// Plans another attempt, or gives up.
    fn try_again(&mut self, run: &Run, why: &str, most: u32) -> Result<(), StoreError> {
        let mut store = locked(&self.parts.store);
        if run.attempts >= most {
            tracing::error!(change = run.change, sha = run.sha, why, "given up");
            return store.end(run.id, RunState::Broken, why);
        }
        tracing::warn!(change = run.change, sha = run.sha, why, "tried again later");
        let waits = store.requeue(run.id, why)?;
        if waits {
            let times = (1 << run.attempts.saturating_sub(1).min(8)).min(LONGEST_PAUSE);
            let pause = self.parts.pace.retry * times;
            self.retries.push((Instant::now() + pause, run.id));
        }
        Ok(())
    }

    /// Offers the runs to the queue whose time has come, unless they were replaced meanwhile.
    pub(super) fn offer_retries(&mut self, now: Instant) -> Result<(), StoreError> {
        let (due, later) = self.retries.iter().partition(|(at, _)| *at <= now);
        self.retries = later;
        let due: Vec<(Instant, i64)> = due;
        for (_, id) in due {
            let run = locked(&self.parts.store).run(id)?;
            if run.state == RunState::Queued {
                self.queue.offer(ticket(&run));
            }
        }
        Ok(())
    }

    /// Removes the report directories of old runs.
    pub(super) fn prune(&mut self) -> Result<(), StoreError> {
        let mut store = locked(&self.parts.store);
        for (id, directory) in store.beyond(self.parts.pace.keep)? {
            let place = std::path::Path::new(&directory).parent();
            let is_ours = place.is_some_and(|place| place.starts_with(&self.parts.directory));
            if let Some(place) = place.filter(|_| is_ours)
                && fs::symlink_metadata(place).is_ok()
                && let Err(error) = crate::fs::remove_tree(place)
            {
                tracing::warn!(%error, directory, "not removed");
                continue;
            }
            store.forget_directory(id)?;
        }
        Ok(())
    }
}

/// Understands the end of a process that was not cancelled.
fn understood(process: &ReviewProcess, status: Option<ExitStatus>) -> End {
    let result = match ReviewResult::read(&process.report()) {
        Ok(result) => result,
        Err(_) => {
            let code = status.and_then(|status| status.code());
            let most = match code {
                Some(code) if code == ExitCode::Error.code() => PATIENT_ATTEMPTS,
                // A mistake in the configuration, or a component that is not there.
                Some(code) if code == ExitCode::Usage.code() => 1,
                _ => ATTEMPTS,
            };
            let status = status.map_or("unknown end".to_owned(), |status| status.to_string());
            return End::Again(format!("{status}: {}", process.last_words()), most);
        }
    };
    let run = &process.run;
    if result.patch_set.sha != run.sha {
        let sha = text::one_line(&result.patch_set.sha, 40);
        return End::Again(format!("it ran {sha} instead"), ATTEMPTS);
    }
    let reason = text::one_line(&result.reason, 300);
    match result.verdict {
        Verdict::Cancelled => End::Again(format!("cancelled: {reason}"), ATTEMPTS),
        Verdict::Error if run.attempts < ATTEMPTS => End::Again(reason, ATTEMPTS),
        Verdict::Nothing => End::Nothing(reason),
        _ => End::Judged(Box::new(result)),
    }
}
