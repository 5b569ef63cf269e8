//! Reads the Test Anything Protocol, versions 13 and 14, with subtests.
//!
//! A stream begins with its version, its plan, or a test with the number 1. A stream without
//! version and plan is taken for tests only if the job failed, because text that happens to begin
//! with `ok 1` must not make a job pass. Its cases are held back until that is known. If they would
//! have failed, that is told all the same.
//!
//! A plan is kept: more tests than it counts, or fewer, are a failed case `(plan)`, and the missing
//! tests are `not-run`. `Bail out!` is a failed case of its own, and stands for the plan that it
//! breaks. A `TODO` test that fails as expected is skipped, with its reason. Parents and subtests
//! all count, as with Go.

mod diagnostics;
mod grammar;
mod stream;
use super::finding::{CaseDetails, CaseSink, Spans};
use super::lines::Line;
use super::marks::Marks;
use crate::model::CaseStatus;
pub(in crate::parse) use grammar::prove_header;
use grammar::{ProveHeader, Tap, TestPoint, glued, prove_verdict, tap};
use stream::TapStream;

/// The number of spaces by which a subtest is indented.
pub(in crate::parse) const INDENTATION: usize = 4;

/// The most streams side by side.
const MOST_BESIDE: usize = 8;

/// Reads the streams of a job.
#[derive(Debug, Default)]
pub(in crate::parse) struct TapStreams {
    stream: Option<TapStream>,
    /// Streams that were not over when another began. They may go on beside it.
    beside: Vec<TapStream>,
    /// The file that prove reported to run.
    file: String,
    /// The words about a failed test in a stream that may be none.
    doubt: Option<String>,
    /// True if the job was cancelled.
    is_cancelled: bool,
    /// True if no line of the file was seen yet. Prove's report may be all there is.
    unseen: bool,
}

impl TapStreams {
    /// Returns true if the next line is wanted, whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        self.stream.as_ref().is_some_and(TapStream::is_open)
    }

    /// Returns true if a test may be running.
    pub(in crate::parse) fn has_running(&self) -> bool {
        (self.stream.as_ref()).is_some_and(|stream| stream.sure && !stream.is_complete())
    }

    /// Returns true if a line that another test runner may have printed fits a stream as a failed
    /// test.
    pub(in crate::parse) fn may_have_failed(&self, text: &str) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.sure) && text.starts_with("not ok ")
    }

    /// Takes a line with these marks. Returns true if it belonged to a stream.
    pub(in crate::parse) fn look(
        &mut self,
        text: &str,
        marks: Marks,
        at: Line<'_>,
        out: &mut CaseSink<'_>,
    ) -> bool {
        (marks.has(Marks::TAP) || self.wants_all()) && self.line(text, marks, at, out)
    }

    fn line(&mut self, text: &str, marks: Marks, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let indentation = text.len() - text.trim_start_matches(' ').len();
        if let Some(stream) = &mut self.stream
            && stream.diagnostic(text, indentation, at)
        {
            return true;
        }
        let may_be_prove = marks.has(Marks::PROVE);
        if may_be_prove && let Some(header) = prove_header(text) {
            self.end_all(false, at.start, out);
            self.of_prove(header, at, out);
            return true;
        }
        if self.unseen
            && let Some(why) = prove_verdict(text)
        {
            self.unseen = false;
            self.whole_file(CaseStatus::Failed, why, at, out);
            return true;
        }
        let said = tap(&text[indentation..]).filter(|_| indentation.is_multiple_of(INDENTATION));
        let said = said.map(|said| (said, indentation / INDENTATION));
        let Some((said, level)) = said.or_else(|| self.glued(text)) else {
            return self.no_tap(out);
        };
        if level == 0 {
            self.go_on(&said, out);
        }
        if level == 0 && self.begins(&said) {
            self.leave(at.start, out);
            self.unseen = false;
            let mut stream = TapStream::new(self.file.clone(), at.start);
            stream.numberless = matches!(&said, Tap::Test(point) if point.number.is_none());
            self.stream = Some(stream);
        }
        match &mut self.stream {
            Some(stream) => stream.take(said, level, at, out),
            None => false,
        }
    }

    /// Goes on with a stream beside the current one, if the line fits that one only.
    fn go_on(&mut self, said: &Tap<'_>, out: &mut CaseSink<'_>) {
        let fits = |stream: &TapStream| match said {
            Tap::Test(point) => point.number.is_some() && stream.next() == point.number,
            Tap::Plan(plan, _) => !stream.has_plan() && stream.has_seen(*plan),
            _ => false,
        };
        if self.stream.as_ref().is_some_and(fits) {
            return;
        }
        let fitting = self
            .beside
            .iter()
            .position(|stream| stream.is_at_root() && fits(stream));
        if let (Some(index), Some(current)) = (fitting, &mut self.stream) {
            current.flush(out);
            std::mem::swap(current, &mut self.beside[index]);
        }
    }

    /// Leaves the current stream because another begins. One that is not over may go on beside it.
    fn leave(&mut self, offset: u64, out: &mut CaseSink<'_>) {
        let goes_on = self.beside.len() < MOST_BESIDE;
        let open = |stream: &mut TapStream| goes_on && stream.is_unfinished();
        match self.stream.take_if(open) {
            Some(mut stream) => {
                stream.flush(out);
                self.beside.push(stream);
            }
            None => self.end(false, offset, out),
        }
    }

    /// Parses the next test behind other output, and returns its level.
    fn glued<'a>(&self, text: &str) -> Option<(Tap<'a>, usize)> {
        let stream = self.stream.as_ref().filter(|stream| stream.sure)?;
        let point = glued(text, stream.next()?)?;
        Some((Tap::Test(point), stream.level()))
    }

    /// Takes prove's line about a file. If prove does not pass on the file's output, that line is
    /// all there is.
    fn of_prove(&mut self, header: ProveHeader<'_>, at: Line<'_>, out: &mut CaseSink<'_>) {
        header.file.clone_into(&mut self.file);
        self.unseen = header.end.is_none();
        if let Some((status, why)) = header.end {
            self.whole_file(status, why, at, out);
        }
    }

    fn whole_file(&self, status: CaseStatus, why: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        let mut spans = Spans::default();
        spans.add(at.start, at.end);
        let details = CaseDetails {
            spans,
            ..CaseDetails::saying(why)
        };
        out.both("", &self.file, at.start, status, details);
    }

    /// Returns true if the line begins a new stream.
    fn begins(&self, said: &Tap<'_>) -> bool {
        let is_over = self.stream.as_ref().is_none_or(TapStream::is_complete);
        let is_provisional = self.stream.as_ref().is_some_and(TapStream::is_provisional);
        match said {
            // The plan behind tests without numbers counts them. Another plan begins a stream.
            Tap::Plan(plan, _) if is_provisional => {
                self.stream
                    .as_ref()
                    .and_then(TapStream::root)
                    .map(|root| root.seen)
                    != Some(*plan)
            }
            Tap::Version => true,
            Tap::Plan(..) => is_over || self.stream.as_ref().is_some_and(TapStream::has_plan),
            Tap::Test(TestPoint { number: None, .. }) => self.stream.is_none(),
            Tap::Test(point) => {
                point.number == Some(1) && (is_over || is_provisional || self.has_first())
            }
            Tap::BailOut(_) => self.stream.is_none(),
            Tap::Subtest(_) | Tap::Comment(_) => false,
        }
    }

    /// Returns true if the stream has had its test with the number 1.
    fn has_first(&self) -> bool {
        let root = self.stream.as_ref().and_then(TapStream::root);
        root.is_some_and(|root| root.has(1))
    }

    /// Takes output between tests. A stream that is complete waits for nothing more.
    fn no_tap(&mut self, out: &mut CaseSink<'_>) -> bool {
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.is_complete()) {
            stream.flush(out);
        }
        false
    }

    /// Ends the stream. With `sure` it counts whatever it lacks.
    fn end(&mut self, sure: bool, offset: u64, out: &mut CaseSink<'_>) {
        if let Some(mut stream) = self.stream.take() {
            stream.sure |= sure && !stream.numberless;
            stream.is_cut |= self.is_cancelled;
            self.doubt = self.doubt.take().or_else(|| stream.doubt());
            stream.end(offset, out);
        }
    }

    /// Ends every stream.
    fn end_all(&mut self, sure: bool, offset: u64, out: &mut CaseSink<'_>) {
        let last = self.stream.take();
        for stream in std::mem::take(&mut self.beside).into_iter().chain(last) {
            self.stream = Some(stream);
            self.end(sure, offset, out);
        }
    }

    /// Tells that the job was cancelled.
    pub(in crate::parse) fn cancelled(&mut self) {
        self.is_cancelled = true;
    }

    /// Ends, because the output is over. `succeeded` is true if the job exited with 0. Returns the
    /// words about a failed test in a stream that may be none.
    pub(in crate::parse) fn finish(
        mut self,
        succeeded: bool,
        offset: u64,
        out: &mut CaseSink<'_>,
    ) -> Option<String> {
        self.end_all(!succeeded, offset, out);
        self.doubt
    }
}
