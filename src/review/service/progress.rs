//! The progress of running reviews, from the events that they write as they happen.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::event::Record;
use crate::gerrit::stream::{Line, Lines};
use crate::outcome;

/// The most bytes that are read of a journal at a time.
const AT_ONCE: u64 = 32 << 20;

/// The progress of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The number of jobs of the plan.
    pub jobs: usize,
    /// The number of jobs that are over.
    pub over: usize,
    /// The jobs that run.
    pub running: Vec<String>,
    /// The number of cases that were tested.
    pub tested: u64,
    /// The number of cases that failed.
    pub failed: u64,
}

/// The journals that are read, each from where it was left.
#[derive(Debug, Default)]
pub(super) struct ProgressReader(BTreeMap<i64, Followed>);

#[derive(Debug, Default)]
struct Followed {
    directory: String,
    offset: u64,
    lines: Lines,
    run: outcome::Run,
}

impl ProgressReader {
    /// Reads on in the journal of a run; `None` as long as there is none.
    pub fn of(&mut self, id: i64, directory: &str) -> Option<Progress> {
        let followed = self.0.entry(id).or_default();
        if followed.directory != directory {
            *followed = Followed {
                directory: directory.to_owned(),
                ..Followed::default()
            };
        }
        followed.read_on()?;
        Some(progress(&followed.run))
    }

    /// Forgets all runs but these.
    pub fn keep(&mut self, ids: &[i64]) {
        self.0.retain(|id, _| ids.contains(id));
    }
}

impl Followed {
    fn read_on(&mut self) -> Option<()> {
        let path = Path::new(&self.directory).join("events.jsonl");
        let mut file: File = crate::fs::open(&path).ok()?;
        file.seek(SeekFrom::Start(self.offset)).ok()?;
        let mut bytes = Vec::new();
        file.take(AT_ONCE).read_to_end(&mut bytes).ok()?;
        self.offset += bytes.len() as u64;
        for line in self.lines.take(&bytes) {
            if let Line::Whole(line) = line
                && let Ok(record) = serde_json::from_slice::<Record>(&line)
            {
                self.run.apply(&record);
            }
        }
        Some(())
    }
}

fn progress(run: &outcome::Run) -> Progress {
    let running = run.jobs().filter(|job| job.is_running());
    let tally = run.tally();
    Progress {
        jobs: run.order.len(),
        over: run.jobs().filter(|job| job.finished.is_some()).count(),
        running: running.map(|job| job.queued.job.to_string()).collect(),
        tested: tally.tested(),
        failed: tally.failed,
    }
}
