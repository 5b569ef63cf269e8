//! The changes that are to be looked at, and when.
//!
//! Invariants: a change is in it once, however often it is noted. The number of changes is bounded:
//! beyond it the agenda is emptied, and everything is asked for instead. A change that the server
//! does not know yet as an event has told it is looked at again, later each time.
//!
//! Pure: the caller says what time it is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The time that notes are collected, so that a burst becomes few questions.
const COLLECTING: Duration = Duration::from_millis(200);

/// The most changes to keep.
const MOST: usize = 20_000;

/// The most times that a change is looked at because the server lags behind its own events. After
/// that, the next resynchronisation finds it.
const TRIES: u32 = 8;

/// A change to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The number of the change.
    pub change: u64,
    /// The project, if it is known.
    pub project: Option<String>,
    /// The patch set that an event has told of; 0 if it told of none.
    pub at_least: u32,
    /// The number of times that the server did not know it.
    tries: u32,
}

/// The agenda.
#[derive(Debug, Default)]
pub struct Agenda {
    notes: BTreeMap<u64, (Instant, Note)>,
    /// True if changes were dropped because there were too many.
    has_overflown: bool,
}

impl Agenda {
    /// Notes that something happened to a change.
    pub fn note(&mut self, change: u64, now: Instant) {
        self.note_patch_set(change, None, 0, now);
    }

    /// Notes that something happened to a change of a project, which has this patch set by now.
    pub fn note_patch_set(
        &mut self,
        change: u64,
        project: Option<&str>,
        at_least: u32,
        now: Instant,
    ) {
        if let Some((_, note)) = self.notes.get_mut(&change) {
            note.at_least = note.at_least.max(at_least);
            return;
        }
        let note = Note {
            change,
            project: project.map(str::to_owned),
            at_least,
            tries: 0,
        };
        self.add(note, now + COLLECTING);
    }

    /// Notes a change again that the server did not know as told. Returns false if it was tried
    /// often enough.
    pub fn again(&mut self, note: Note, now: Instant) -> bool {
        let tries = note.tries + 1;
        if tries > TRIES {
            return false;
        }
        let pause = Duration::from_millis(250) * (1 << tries);
        self.add(Note { tries, ..note }, now + pause);
        true
    }

    /// Puts notes back whose question failed.
    pub fn put_back(&mut self, notes: Vec<Note>, at: Instant) {
        notes.into_iter().for_each(|note| self.add(note, at));
    }

    /// Takes the changes that are due, at most `most`.
    pub fn take(&mut self, most: usize, now: Instant) -> Vec<Note> {
        let due = self.notes.values().filter(|(at, _)| *at <= now);
        let due: Vec<Note> = due.map(|(_, note)| note.clone()).take(most).collect();
        for note in &due {
            self.notes.remove(&note.change);
        }
        due
    }

    /// Returns true once after changes were dropped: everything must be asked for.
    pub fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.has_overflown)
    }

    /// Returns the number of changes.
    pub fn len(&self) -> usize {
        self.notes.len()
    }

    /// Returns true if nothing is to be looked at.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    fn add(&mut self, note: Note, at: Instant) {
        if self.notes.len() >= MOST {
            self.notes.clear();
            self.has_overflown = true;
        }
        let entry = self.notes.entry(note.change);
        let (known_at, known) = entry.or_insert_with(|| (at, note.clone()));
        known.at_least = known.at_least.max(note.at_least);
        known.tries = known.tries.max(note.tries);
        *known_at = (*known_at).min(at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    proptest! {
        #[test]
        fn every_change_noted_is_taken_once_with_its_newest_patch_set(
            notes in proptest::collection::vec((0_u64..30, 0_u32..9), 0..200), most in 1_usize..7
        ) {
            let now = Instant::now();
            let mut agenda = Agenda::default();
            let mut expected = BTreeMap::new();
            for (change, patch_set) in notes {
                agenda.note_patch_set(change, None, patch_set, now);
                let newest = expected.entry(change).or_insert(0);
                *newest = patch_set.max(*newest);
            }
            prop_assert!(agenda.take(most, now).is_empty());
            let mut taken = BTreeMap::new();
            while !agenda.is_empty() {
                let due = agenda.take(most, now + seconds(1));
                prop_assert!(due.len() <= most && !due.is_empty());
                for note in due {
                    prop_assert!(taken.insert(note.change, note.at_least).is_none());
                }
            }
            prop_assert_eq!(taken, expected);
        }
    }

    #[test]
    fn a_change_that_lags_is_looked_at_less_and_less_often_and_then_no_more() {
        let mut now = Instant::now();
        let mut agenda = Agenda::default();
        agenda.note_patch_set(7, Some("proxy"), 2, now);
        now += seconds(1);
        let mut pauses = Vec::new();
        let mut note = agenda.take(1, now).remove(0);
        while agenda.again(note.clone(), now) {
            let before = now;
            while agenda.take(1, now).is_empty() {
                now += Duration::from_millis(250);
                if let Some((_, due)) = agenda.notes.get(&7) {
                    note = due.clone();
                }
            }
            pauses.push(now - before);
        }
        assert_eq!(pauses.len(), TRIES as usize);
        assert!(
            pauses.windows(2).all(|pair| pair[0] < pair[1]),
            "{pauses:?}"
        );
    }

    #[test]
    fn too_many_changes_become_one_question_for_everything() {
        let now = Instant::now();
        let mut agenda = Agenda::default();
        for change in 0..3 * MOST as u64 {
            agenda.note(change, now);
            assert!(agenda.len() <= MOST);
        }
        assert!(agenda.take_overflow());
        assert!(!agenda.take_overflow());
    }
}
