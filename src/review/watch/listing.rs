//! The state for the terminal: queue, running, last results.

use std::path::Path;

use serde::Serialize;

use super::store::{ChangeRow, Run, RunState, StoreError, View};
use crate::text::for_terminal;

/// The number of results that are listed.
const LAST: usize = 20;

/// The most bytes of a line.
const LINE_CAP: usize = 300;

/// The state of the watcher.
#[derive(Debug, Default, Serialize)]
pub struct Listing {
    /// The runs that run, or whose result is on its way to the server.
    pub running: Vec<Entry>,
    /// The runs that wait.
    pub queued: Vec<Entry>,
    /// The last results, newest first.
    pub last: Vec<Entry>,
}

/// A run, and the subject of its change.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// The subject of the change; foreign text.
    pub subject: String,
    /// The name of the owner; foreign text.
    pub owner: String,
}

/// Reads the state of a directory. `None` if no watcher has begun there.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn listing(directory: &Path) -> Result<Option<Listing>, StoreError> {
    let Some(view) = View::open(directory)? else {
        return Ok(None);
    };
    let mut listing = Listing::default();
    for run in view.active()? {
        let entry = entry(&view, run)?;
        match entry.run.state {
            RunState::Queued => listing.queued.push(entry),
            _ => listing.running.push(entry),
        }
    }
    for run in view.last(LAST)? {
        listing.last.push(entry(&view, run)?);
    }
    Ok(Some(listing))
}

fn entry(view: &View, run: Run) -> Result<Entry, StoreError> {
    let change: Option<ChangeRow> = view.change(run.change)?;
    let (subject, owner) = change.map_or_else(Default::default, |row| (row.subject, row.owner));
    Ok(Entry {
        run,
        subject,
        owner,
    })
}

impl Listing {
    /// Returns the lines for people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (title, entries) in [
            ("running", &self.running),
            ("queued", &self.queued),
            ("last results", &self.last),
        ] {
            lines.push(format!("{title}: {}", entries.len()));
            lines.extend(entries.iter().map(Entry::line));
        }
        lines
    }
}

impl Entry {
    fn line(&self) -> String {
        let run = &self.run;
        let word = match (&run.verdict, run.state) {
            (Some(verdict), RunState::Posted) => verdict.as_str(),
            _ => run.state.word(),
        };
        let said = match run.note.as_str() {
            "" => self.subject.clone(),
            note => format!("{}  ({note})", self.subject),
        };
        let patch_set = format!("{},{}", run.change, run.patch_set);
        let sha = run.sha.get(..7).unwrap_or(&run.sha);
        let project = for_terminal(&run.project, 60);
        let said = for_terminal(&said, LINE_CAP);
        format!("  {word:<10} {patch_set:<10} {sha}  {project}  {said}")
    }
}
