//! The queue of runs: which one starts next, and which one a new patch set replaces.
//!
//! Invariants:
//! - A change has at most one waiting run and at most one running one, and the waiting one does not
//!   start before the running one has ended.
//! - The number of running runs never exceeds the slots.
//! - A ticket of an older patch set than the one known replaces and cancels nothing.
//! - A project with a waiting run is not passed over for one with more running runs, and between
//!   equals the one that has waited longest since its last start is next.
//!
//! Pure: no clock, no database, no process.

use std::collections::{BTreeMap, VecDeque};

/// A run that waits or runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The id of the run.
    pub run: i64,
    /// The number of the change.
    pub change: u64,
    /// The project of the change.
    pub project: String,
    /// The number of the patch set.
    pub patch_set: u32,
    /// The commit of the patch set.
    pub sha: String,
}

/// The answer to an offered ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offered {
    /// The ticket waits now.
    Waits {
        /// The run that waited for the same change, and has lost its place to the new one.
        replaced: Option<Ticket>,
        /// The running run of the change, which is to be cancelled.
        cancel: Option<Ticket>,
    },
    /// The patch set is waiting or running already.
    Known,
    /// A later patch set is waiting or running.
    Late,
}

/// The runs of a change that were withdrawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// The run that waited.
    pub waiting: Option<Ticket>,
    /// The running run, which is to be cancelled. It keeps its slot until it has ended.
    pub running: Option<Ticket>,
}

/// The waiting runs of a project.
#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Ticket>,
    running: usize,
    /// The number of the project's last start among all starts; 0 before the first.
    last_start: u64,
}

/// The queue.
#[derive(Debug)]
pub struct Queue {
    slots: usize,
    lines: BTreeMap<String, Line>,
    running: BTreeMap<u64, Ticket>,
    starts: u64,
}

impl Queue {
    /// Creates an empty queue for this many runs side by side, at least one.
    pub fn new(slots: usize) -> Self {
        Self {
            slots: slots.max(1),
            lines: BTreeMap::new(),
            running: BTreeMap::new(),
            starts: 0,
        }
    }

    /// Offers a ticket.
    pub fn offer(&mut self, ticket: Ticket) -> Offered {
        let running = self.running.get(&ticket.change);
        let known = [self.waiting_for(ticket.change), running];
        for other in known.into_iter().flatten() {
            if other.sha == ticket.sha {
                return Offered::Known;
            }
            if other.patch_set > ticket.patch_set {
                return Offered::Late;
            }
        }
        let cancel = running.cloned();
        Offered::Waits {
            replaced: self.place(ticket),
            cancel,
        }
    }

    /// Takes all runs of a change out of the queue.
    pub fn withdraw(&mut self, change: u64) -> Withdrawn {
        let mut waiting = None;
        for line in self.lines.values_mut() {
            let at = line
                .waiting
                .iter()
                .position(|ticket| ticket.change == change);
            waiting = waiting.or_else(|| line.waiting.remove(at?));
        }
        Withdrawn {
            waiting,
            running: self.running.get(&change).cloned(),
        }
    }

    /// Starts the next run, if there is a free slot and a run that may start.
    pub fn start(&mut self) -> Option<Ticket> {
        if self.running.len() >= self.slots {
            return None;
        }
        let running = &self.running;
        let may_start = |ticket: &Ticket| !running.contains_key(&ticket.change);
        let eligible = self.lines.values_mut().filter_map(|line| {
            let at = line.waiting.iter().position(may_start)?;
            Some((line, at))
        });
        let (line, at) = eligible.min_by_key(|(line, _)| (line.running, line.last_start))?;
        let ticket = line.waiting.remove(at)?;
        self.starts += 1;
        line.last_start = self.starts;
        line.running += 1;
        self.running.insert(ticket.change, ticket.clone());
        Some(ticket)
    }

    /// Records that a run has ended, which frees its slot.
    pub fn ended(&mut self, ticket: &Ticket) {
        let is_it = |running: &Ticket| running.run == ticket.run;
        if !self.running.get(&ticket.change).is_some_and(is_it) {
            return;
        }
        self.running.remove(&ticket.change);
        if let Some(line) = self.lines.get_mut(&ticket.project) {
            line.running -= 1;
        }
    }

    /// Returns the waiting run of a change.
    pub fn waiting_for(&self, change: u64) -> Option<&Ticket> {
        (self.lines.values())
            .flat_map(|line| &line.waiting)
            .find(|ticket| ticket.change == change)
    }

    /// Returns the running run of a change.
    pub fn running_for(&self, change: u64) -> Option<&Ticket> {
        self.running.get(&change)
    }

    /// Returns all running runs.
    pub fn running(&self) -> impl Iterator<Item = &Ticket> {
        self.running.values()
    }

    /// Returns the number of waiting runs.
    pub fn waiting(&self) -> usize {
        self.lines.values().map(|line| line.waiting.len()).sum()
    }

    /// Puts the ticket at the end of its project's line, or in the place of the change's own.
    fn place(&mut self, ticket: Ticket) -> Option<Ticket> {
        let line = self.lines.entry(ticket.project.clone()).or_default();
        let own = |waiting: &&mut Ticket| waiting.change == ticket.change;
        if let Some(place) = line.waiting.iter_mut().find(own) {
            return Some(std::mem::replace(place, ticket));
        }
        line.waiting.push_back(ticket);
        None
    }
}

#[cfg(test)]
mod tests;
