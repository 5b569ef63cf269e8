//! The loop of the watcher: takes hints, answers and ends of processes, and decides.
//!
//! Invariants: this thread alone changes the queue, and starts, cancels and waits for processes. It
//! never waits for the server. A run is in the store before its process starts, and its result
//! before it is posted.

mod looks;
mod posts;
mod runs;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, never, select};

use super::agenda::{Agenda, Note};
use super::back_off::{BackOff, random};
use super::connection::Hint;
use super::filters::Filters;
use super::health::{Health, StreamState};
use super::process::{ReviewCommand, ReviewProcess};
use super::queue::{Queue, Ticket};
use super::server::{Answer, Question, SharedStore, locked};
use super::store::{Run, RunState, StoreError};
use crate::gerrit::stream::StreamEvent;

/// The time between two turns while nothing comes.
const TURN: Duration = Duration::from_millis(100);

/// The pause after a damaged line, in which further ones change nothing.
const AFTER_DAMAGE: Duration = Duration::from_secs(5);

/// The pauses after a question that the server did not answer.
const SERVER_PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The times and numbers that the watcher keeps to.
#[derive(Debug, Clone)]
pub struct Pace {
    /// The number of runs side by side.
    pub slots: usize,
    /// The time between two resynchronisings: the pace of polling, without a stream.
    pub resync: Duration,
    /// The time after which the server's index has surely taken what it told.
    pub lag: Duration,
    /// The time that a cancelled run gets to end.
    pub grace: Duration,
    /// The pause before another attempt of a run that broke; doubled each time.
    pub retry: Duration,
    /// The number of report directories to keep.
    pub keep: usize,
}

/// The parts that the loop works with.
pub struct Parts {
    /// The state.
    pub store: SharedStore,
    /// The directory of the state.
    pub directory: PathBuf,
    /// The changes to look after.
    pub filters: Filters,
    /// The command of a review.
    pub command: ReviewCommand,
    /// Times and numbers.
    pub pace: Pace,
    /// The way to the server.
    pub questions: Sender<Question>,
    /// The pulse.
    pub health: Arc<Health>,
}

/// The channels that the loop listens to.
pub struct Ears {
    /// The stream; `None` to poll.
    pub hints: Option<Receiver<Hint>>,
    /// The server.
    pub answers: Receiver<Answer>,
    /// The signals that end the watcher.
    pub signals: Receiver<i32>,
}

/// A post that waits for its time.
struct WaitingPost {
    at: Instant,
    failures: u32,
    run: Run,
}

/// The watcher.
pub struct Watcher {
    parts: Parts,
    queue: Queue,
    agenda: Agenda,
    processes: Vec<(Ticket, ReviewProcess)>,
    /// The runs that wait for their time to be tried again.
    retries: Vec<(Instant, i64)>,
    posts: VecDeque<WaitingPost>,
    /// The post on its way to the server, with the times it failed before.
    posting: Option<u32>,
    /// The changes that the server is asked for right now.
    looking: Vec<Note>,
    is_listing: bool,
    /// False before the first list: the last watcher may have had other filters, or have ended
    /// before it acted on what it saw.
    has_listed: bool,
    /// The times of the coming resynchronisings, earliest first.
    resyncs: Vec<Instant>,
    server_back_off: BackOff,
    /// The time until which the server is left alone.
    server_rests_until: Instant,
    /// The signal that ends the watcher.
    ending: Option<i32>,
}

impl Watcher {
    /// Takes up the state as the last watcher left it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn new(parts: Parts) -> Result<Self, StoreError> {
        let now = Instant::now();
        let mut watcher = Self {
            queue: Queue::new(parts.pace.slots),
            parts,
            agenda: Agenda::default(),
            processes: Vec::new(),
            retries: Vec::new(),
            posts: VecDeque::new(),
            posting: None,
            looking: Vec::new(),
            is_listing: false,
            has_listed: false,
            resyncs: vec![now],
            server_back_off: BackOff::new(SERVER_PAUSES.0, SERVER_PAUSES.1),
            server_rests_until: now,
            ending: None,
        };
        watcher.recover(now)?;
        Ok(watcher)
    }

    /// Puts back what was on its way. The changes of waiting runs are looked at as well: they may
    /// be closed by now.
    fn recover(&mut self, now: Instant) -> Result<(), StoreError> {
        let (waiting, judged) = {
            let mut store = locked(&self.parts.store);
            store.recover()?;
            (
                store.runs_in(RunState::Queued)?,
                store.runs_in(RunState::Judged)?,
            )
        };
        tracing::info!(
            waiting = waiting.len(),
            to_post = judged.len(),
            "took up the state"
        );
        for run in waiting {
            self.agenda.note(run.change, now);
            self.queue.offer(ticket(&run));
        }
        let post = |run| WaitingPost {
            at: now,
            failures: 0,
            run,
        };
        self.posts.extend(judged.into_iter().map(post));
        Ok(())
    }

    /// Works until a signal ends it. Returns the signal.
    ///
    /// # Errors
    /// [`StoreError`]: without its state the watcher can promise nothing.
    pub fn work(&mut self, ears: &Ears) -> Result<i32, StoreError> {
        loop {
            self.listen(ears)?;
            self.turn(Instant::now())?;
            if let Some(signal) = self.ending
                && self.processes.is_empty()
                && self.posting.is_none()
            {
                return Ok(signal);
            }
        }
    }

    fn listen(&mut self, ears: &Ears) -> Result<(), StoreError> {
        let none = never();
        let hints = ears.hints.as_ref().unwrap_or(&none);
        select! {
            recv(hints) -> hint => {
                if let Ok(hint) = hint {
                    self.take_hint(&hint, Instant::now())?;
                }
            }
            recv(ears.answers) -> answer => {
                if let Ok(answer) = answer {
                    self.take_answer(answer, Instant::now())?;
                }
            }
            recv(ears.signals) -> signal => self.take_signal(signal.unwrap_or(15)),
            default(TURN) => {}
        }
        Ok(())
    }

    /// Does what is due.
    fn turn(&mut self, now: Instant) -> Result<(), StoreError> {
        self.reap()?;
        if self.ending.is_none() {
            self.offer_retries(now)?;
            self.start_runs()?;
            self.ask(now);
        }
        let agenda = self.agenda.len();
        self.parts.health.beat(|pulse| pulse.agenda = agenda);
        Ok(())
    }

    /// Asks the server what is due. Looks come before lists and posts do not wait for either, since
    /// the server answers in turn.
    fn ask(&mut self, now: Instant) {
        if now < self.server_rests_until {
            return;
        }
        self.ask_to_post(now);
        self.ask_how_changes_stand(now);
        self.ask_for_all(now);
    }

    fn take_hint(&mut self, hint: &Hint, now: Instant) -> Result<(), StoreError> {
        match hint {
            Hint::Opened => {
                tracing::info!("stream opened");
                self.parts.health.beat(|pulse| {
                    pulse.stream = StreamState::Open;
                    pulse.opened += 1;
                });
                self.resync_around(now);
            }
            Hint::Lost(why) => {
                tracing::warn!(why, "stream lost");
                self.parts
                    .health
                    .beat(|pulse| pulse.stream = StreamState::Closed);
                self.resync_around(now);
            }
            Hint::Event(event) => return self.take_event(event, now),
        }
        Ok(())
    }

    fn take_event(&mut self, event: &StreamEvent, now: Instant) -> Result<(), StoreError> {
        let kind = match event {
            StreamEvent::Change(event) => {
                tracing::debug!(change = event.number, kind = ?event.kind, "event");
                let patch_set = event.patch_set.as_ref();
                let at_least = patch_set.map_or(0, |patch_set| patch_set.number);
                // Nobody is asked about the many changes of other projects.
                if self.parts.filters.choose_project(&event.project)
                    || !locked(&self.parts.store)
                        .dependents(event.number)?
                        .is_empty()
                {
                    let project = Some(event.project.as_str());
                    self.agenda
                        .note_patch_set(event.number, project, at_least, now);
                }
                0
            }
            // A push to a branch concerns changes only once they are rebased or merged, which is an
            // event of theirs.
            StreamEvent::Ref { .. } => 0,
            StreamEvent::Dropped => {
                tracing::warn!("the server dropped events");
                self.resync_around(now);
                0
            }
            StreamEvent::Damaged => {
                self.resync_at(now + AFTER_DAMAGE);
                1
            }
            StreamEvent::Other => 2,
        };
        self.parts.health.beat(|pulse| pulse.events[kind].1 += 1);
        Ok(())
    }

    /// Resynchronises now, and again once the index has caught up.
    fn resync_around(&mut self, now: Instant) {
        self.resync_at(now);
        self.resync_at(now + self.parts.pace.lag);
    }

    /// Adds a time to resynchronise, unless one is close before or after.
    fn resync_at(&mut self, at: Instant) {
        let close = Duration::from_secs(1);
        let is_close = |other: &Instant| *other <= at + close && at <= *other + close;
        if !self.resyncs.iter().any(is_close) && self.resyncs.len() < 8 {
            self.resyncs.push(at);
            self.resyncs.sort();
        }
    }

    fn take_answer(&mut self, answer: Answer, now: Instant) -> Result<(), StoreError> {
        match answer {
            Answer::Looked(looked) => self.take_looks(looked, now),
            Answer::Listed(listed) => self.take_list(listed, now),
            Answer::PostEnded(run, end) => self.take_post_end(&run, end, now),
        }
    }

    /// Leaves the server alone for a while after a failure.
    fn server_failed(&mut self, error: &dyn std::fmt::Display, now: Instant) -> Instant {
        tracing::warn!(%error, "the server did not answer");
        self.server_rests_until = now + self.server_back_off.next(random());
        let said = error.to_string();
        self.parts.health.beat(|pulse| {
            pulse.failures += 1;
            pulse.server_error = Some(said);
        });
        self.server_rests_until
    }

    fn server_answered(&mut self) {
        self.server_back_off.reset();
        self.parts.health.beat(|pulse| pulse.server_error = None);
    }

    /// Ends in order after the first signal, and at once after the second. What runs is recorded as
    /// waiting, for the next watcher.
    fn take_signal(&mut self, signal: i32) {
        let is_first = self.ending.replace(signal).is_none();
        tracing::info!(signal, running = self.processes.len(), "ending");
        let grace = self.parts.pace.grace;
        for (_, process) in &mut self.processes {
            match is_first {
                true => process.cancel("the watcher ends", grace),
                false => process.kill(),
            }
        }
    }
}

fn ticket(run: &Run) -> Ticket {
    Ticket {
        run: run.id,
        change: run.change,
        project: run.project.clone(),
        patch_set: run.patch_set,
        sha: run.sha.clone(),
    }
}
