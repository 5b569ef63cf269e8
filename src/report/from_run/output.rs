//! Stores output with failing cases: excerpts of the logs, bounded for a case, a suite and a
//! document.

use crate::event::Span;
use crate::fs::Directory;
use crate::outcome::JobResult;
use crate::report::excerpt::{LogReader, is_inside};
use std::collections::BTreeMap;

/// The most bytes of clean text of one case. Jenkins keeps twice 50,000 characters.
const CASE_CAP: usize = 16 * 1024;

/// The most bytes of clean text of one suite.
const SUITE_CAP: usize = 4 * 1024 * 1024;

/// The most bytes of clean text in the file. Escaping can multiply them by four at worst (`&amp;`
/// takes five bytes, and rarely stands alone). So the file stays below 64 MiB, and for any real
/// output below the 30 MB that GitLab takes.
const FILE_CAP: usize = 12 * 1024 * 1024;

/// The room that is left in the file.
pub(super) struct OutputBudget<'a> {
    directory: &'a Directory,
    left: usize,
}

impl<'a> OutputBudget<'a> {
    pub(super) fn new(directory: &'a Directory) -> Self {
        Self {
            directory,
            left: FILE_CAP,
        }
    }

    /// Returns the output of a job, for its suite.
    pub(super) fn of_job<'b>(&'b mut self, job: &JobResult) -> JobLog<'b, 'a> {
        let finished = job.finished.as_ref();
        let last = finished.map_or(job.attempt, |finished| finished.attempt);
        let of_last = finished.and_then(|finished| Some((last, finished.log.clone()?)));
        let logs = job.logs.clone().into_iter().chain(of_last);
        let file = |name: String| LogFile { name, reader: None };
        let logs = logs.filter(|(_, name)| is_inside(name));
        JobLog {
            files: logs.map(|(attempt, name)| (attempt, file(name))).collect(),
            last,
            size: finished.map_or(0, |finished| finished.log_size),
            suite_left: SUITE_CAP,
            said: false,
            stored: self,
        }
    }
}

/// The log of one attempt, opened with the first excerpt.
struct LogFile {
    name: String,
    reader: Option<LogReader>,
}

impl LogFile {
    fn read(&mut self, below: &Directory, spans: &[Span], room: usize) -> std::io::Result<String> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => self.reader.insert(LogReader::open(below, &self.name)?),
        };
        reader.excerpt(spans, room)
    }
}

/// The logs of a job.
pub(super) struct JobLog<'b, 'a> {
    /// The logs by attempt.
    files: BTreeMap<u32, LogFile>,
    /// The number of the last attempt.
    last: u32,
    /// The size of the last attempt's log.
    size: u64,
    suite_left: usize,
    said: bool,
    stored: &'b mut OutputBudget<'a>,
}

impl JobLog<'_, '_> {
    /// Returns the output of a case in the attempt in which it ended. If the log cannot be read, a
    /// message takes its place: the rest of the report is still true.
    pub(super) fn excerpt(&mut self, attempt: u32, spans: &[Span]) -> String {
        let room = self.suite_left.min(self.stored.left).min(CASE_CAP);
        let Some(file) = self.files.get_mut(&attempt) else {
            return String::new();
        };
        if spans.is_empty() {
            return String::new();
        }
        if room < CASE_CAP {
            return self.say_full(attempt);
        }
        let excerpt = file
            .read(self.stored.directory, spans, room)
            .unwrap_or_else(|error| format!("[{} cannot be read: {error}]\n", file.name));
        self.suite_left = self.suite_left.saturating_sub(excerpt.len());
        self.stored.left = self.stored.left.saturating_sub(excerpt.len());
        excerpt
    }

    /// Returns head and tail of the whole log of the last attempt; nothing while its size is not
    /// known.
    pub(super) fn whole(&mut self) -> String {
        self.whole_of(self.last, self.size)
    }

    /// Returns head and tail of the whole log of an attempt, which has `size` bytes.
    pub(super) fn whole_of(&mut self, attempt: u32, size: u64) -> String {
        match size {
            0 => String::new(),
            end => self.excerpt(attempt, &[Span { start: 0, end }]),
        }
    }

    /// Returns the note that the limit is reached, once for a suite. A note for each of a hundred
    /// thousand cases would fill the file by itself.
    fn say_full(&mut self, attempt: u32) -> String {
        if std::mem::replace(&mut self.said, true) {
            return String::new();
        }
        let name = self.files.get(&attempt).map_or("", |file| &file.name);
        format!("[no more output is stored here, all of it is in {name}]\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobOutcome;
    use crate::report::tests::sample::{Script, end};

    #[test]
    fn what_one_suite_takes_the_next_has_not() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("logs")).unwrap();
        for name in ["a.test", "b.test"] {
            let log = directory.path().join(format!("logs/{name}.log"));
            std::fs::write(log, "out\n").unwrap();
        }
        let run = Script::new(&["a.test", "b.test"])
            .end(end("a.test", JobOutcome::Failed, ""))
            .end(end("b.test", JobOutcome::Failed, ""))
            .run();
        let mut stored = OutputBudget {
            directory: &Directory::hold(directory.path()).unwrap(),
            left: CASE_CAP,
        };
        let out = Span { start: 0, end: 4 };
        let jobs: Vec<_> = run.jobs().collect();
        assert_eq!(stored.of_job(jobs[0]).excerpt(1, &[out]), "out\n");
        assert_eq!(stored.left, CASE_CAP - 4);
        let mut second = stored.of_job(jobs[1]);
        assert!(
            second
                .excerpt(1, &[out])
                .contains("all of it is in logs/b.test.log")
        );
        assert_eq!(second.excerpt(1, &[out]), "");
    }
}
