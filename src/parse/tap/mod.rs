//! The Test Anything Protocol, versions 13 and 14, with subtests.
//!
//! A stream begins with its version, its plan, or a test that says it is the first. One of which neither version nor plan
//! is ever seen is only taken for tests when the job failed: text that happens to begin with `ok 1` must not make a job
//! pass. Until it is sure, its cases are held back.
//!
//! A plan is kept: more tests than it counts, or less, are a failed case `(plan)`; those that never came are `not-run`
//! besides. `Bail out!` is a failed case of its own, and stands for the plan that it breaks. A test that is to fail
//! (`TODO`) and does is skipped, with its reason. Parents and subtests all count, as with Go.

mod diagnostics;
mod lines;
mod stream;
use super::cases::{Details, Out, Spans, WHOLE_PACKAGE};
use super::lines::Line;
use crate::model::CaseStatus;
use lines::{Header, Tap, prove_header, prove_verdict, tap};
use stream::Stream;

/// Spaces that a subtest is indented by.
pub(in crate::parse) const INDENTATION: usize = 4;

/// Reads TAP.
#[derive(Debug, Default)]
pub(in crate::parse) struct TapStreams {
    stream: Option<Stream>,
    /// The file that prove said it runs.
    file: String,
    /// Nothing of it was seen yet: what prove says of it may be all there is.
    unseen: bool,
}

impl TapStreams {
    /// Whether the next line is wanted whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        self.stream.as_ref().is_some_and(Stream::is_open)
    }

    /// Whether a test may be running.
    pub(in crate::parse) fn has_running(&self) -> bool {
        (self.stream.as_ref()).is_some_and(|stream| stream.sure && !stream.is_complete())
    }

    /// Takes a line; whether it was one of a stream.
    pub(in crate::parse) fn line(&mut self, text: &str, at: Line<'_>, out: &mut Out<'_>) -> bool {
        let indentation = text.len() - text.trim_start_matches(' ').len();
        if let Some(stream) = &mut self.stream
            && stream.diagnostic(text, indentation, at)
        {
            return true;
        }
        if let Some(header) = prove_header(text) {
            self.end(false, at.start, out);
            self.of_prove(header, at, out);
            return true;
        }
        if let Some(why) = prove_verdict(text).filter(|_| self.unseen) {
            self.unseen = false;
            self.whole_file(CaseStatus::Failed, why, at, out);
            return true;
        }
        let Some(said) =
            tap(&text[indentation..]).filter(|_| indentation.is_multiple_of(INDENTATION))
        else {
            return self.no_tap(out);
        };
        let level = indentation / INDENTATION;
        if level == 0 && self.begins(&said) {
            self.end(false, at.start, out);
            self.unseen = false;
            self.stream = Some(Stream::new(self.file.clone(), at.start));
        }
        match &mut self.stream {
            Some(stream) => stream.take(said, level, at, out),
            None => false,
        }
    }

    /// prove's line about a file. Where it does not pass on what the file prints, the line is all there is.
    fn of_prove(&mut self, header: Header<'_>, at: Line<'_>, out: &mut Out<'_>) {
        header.file.clone_into(&mut self.file);
        self.unseen = header.end.is_none();
        if let Some((status, why)) = header.end {
            self.whole_file(status, why, at, out);
        }
    }

    fn whole_file(&self, status: CaseStatus, why: &str, at: Line<'_>, out: &mut Out<'_>) {
        let mut spans = Spans::default();
        spans.add(at.start, at.end);
        let details = Details {
            spans,
            ..Details::saying(why)
        };
        out.both(&self.file, WHOLE_PACKAGE, at.start, status, details);
    }

    /// Whether the line begins a stream of its own.
    fn begins(&self, said: &Tap<'_>) -> bool {
        let is_over = self.stream.as_ref().is_none_or(Stream::is_complete);
        match said {
            Tap::Version => true,
            Tap::Plan(..) => is_over || self.stream.as_ref().is_some_and(Stream::has_plan),
            Tap::Test(point) => point.number == Some(1) && (is_over || self.has_tests()),
            Tap::BailOut(_) => self.stream.is_none(),
            Tap::Subtest(_) | Tap::Comment(_) => false,
        }
    }

    fn has_tests(&self) -> bool {
        let root = self.stream.as_ref().and_then(Stream::root);
        root.is_some_and(|root| root.seen > 0)
    }

    /// Output between tests. A stream that is complete waits for nothing more.
    fn no_tap(&mut self, out: &mut Out<'_>) -> bool {
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.is_complete()) {
            stream.flush(out);
        }
        false
    }

    /// The stream is over; `sure` says that it counts whatever it lacks.
    fn end(&mut self, sure: bool, offset: u64, out: &mut Out<'_>) {
        if let Some(mut stream) = self.stream.take() {
            stream.sure |= sure;
            stream.end(offset, out);
        }
    }

    /// The output is over, and the job ended well or not.
    pub(in crate::parse) fn finish(mut self, well: bool, offset: u64, out: &mut Out<'_>) {
        self.end(!well, offset, out);
    }
}
