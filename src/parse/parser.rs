//! Parses a job's output, whatever formats it mixes.
//!
//! Each line goes to the recognisers in turn, the most certain one first: events of `go test
//! -json`, banners of static checks (inside of which nothing else is a case), further test runners
//! (unless a test of another kind runs), `go test` text, libtest, TAP. A line that none of them
//! takes may name a missing program.

use std::borrow::Cow;

use super::evidence::{Evidence, report_not_run, vacuous_causes};
use super::finding::{CaseNames, CaseSink};
use super::go::json::GoJson;
use super::go::text::GoText;
use super::libtest::Libtest;
use super::lines::{EVENT, Line, LineSplitter, Receiver};
use super::make;
use super::make::Make;
use super::marks::{ESCAPE, Marks};
use super::proof::Proof;
use super::runners::Runners;
use super::static_checks::StaticChecks;
use super::tap::TapStreams;
use super::{CaseContext, Finding, Observations};
use crate::model::Ending;
use crate::text::printable;

/// Parses the output of one job.
#[derive(Debug)]
pub struct Parser {
    lines: LineSplitter,
    state: ParserState,
    /// True if the last byte was no line feed.
    is_line_open: bool,
}

/// The recognisers and their shared state.
#[derive(Debug, Default)]
struct ParserState {
    context: CaseContext,
    names: CaseNames,
    evidence: Evidence,
    go_json: GoJson,
    go_text: GoText,
    libtest: Libtest,
    static_checks: StaticChecks,
    tap: TapStreams,
    make: Make,
    proof: Proof,
    runners: Runners,
    /// True if every recogniser is asked about every line.
    #[cfg(test)]
    asks_all: bool,
}

/// The state, with the sink for its findings.
struct Reader<'a> {
    state: &'a mut ParserState,
    sink: &'a mut dyn FnMut(Finding),
}

impl Parser {
    /// Makes a parser before the first byte.
    pub fn new(context: CaseContext) -> Self {
        Self {
            lines: LineSplitter::default(),
            state: ParserState {
                go_text: GoText::new(context.lists_go_tests),
                context,
                ..ParserState::default()
            },
            is_line_open: false,
        }
    }

    /// Makes a parser that asks every recogniser about every line, whatever its marks are.
    #[cfg(test)]
    pub(super) fn asking_all(context: CaseContext) -> Self {
        let mut parser = Self::new(context);
        parser.state.asks_all = true;
        parser
    }

    /// Takes the next bytes and hands out the findings that they complete.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Finding)) {
        if let Some(last) = bytes.last() {
            self.is_line_open = *last != b'\n';
        }
        let state = &mut self.state;
        self.lines.feed(bytes, &mut Reader { state, sink });
    }

    /// Tells that the job was cancelled. A plan that is not kept says nothing about it then.
    pub fn cancelled(&mut self) {
        self.state.tap.cancelled();
    }

    /// Ends the parser. Cases still open become `unfinished`, packages never seen become `not-run`.
    ///
    /// `ending` is the end of the job's own process, if it is known.
    pub fn finish(mut self, ending: Option<Ending>, sink: &mut dyn FnMut(Finding)) -> Observations {
        let state = &mut self.state;
        self.lines.finish(&mut Reader { state, sink });
        Observations {
            lines: self.lines.count() + u64::from(self.is_line_open),
            ..self.state.finish(ending, self.lines.offset(), sink)
        }
    }
}

impl Receiver for Reader<'_> {
    fn wants_all(&self) -> bool {
        self.state.wants_all()
    }

    fn line(&mut self, line: Line<'_>, marks: Option<Marks>) {
        self.state.line(line, marks, self.sink);
    }

    fn skipped(&mut self, last: &[u8]) {
        self.state.skipped(last);
    }
}

impl ParserState {
    fn wants_all(&self) -> bool {
        #[cfg(test)]
        if self.asks_all {
            return true;
        }
        self.go_text.wants_all()
            || self.evidence.builds.wants_all()
            || self.libtest.wants_all()
            || self.tap.wants_all()
            || self.runners.wants_all()
    }

    /// Takes the last of the lines that were passed over.
    fn skipped(&mut self, last: &[u8]) {
        self.static_checks.skipped(last);
        self.libtest.skipped(last);
        self.make.skipped(last);
        self.runners.skipped(last);
        self.proof.skipped(last);
    }

    /// Returns the text of a line, and the marks in it.
    fn read<'a>(&mut self, line: Line<'a>, marks: Option<Marks>) -> (Cow<'a, str>, Marks) {
        let text = printable(line.bytes);
        #[cfg(test)]
        let marks = if self.asks_all {
            Some(Marks::all())
        } else {
            marks
        };
        match (&text, marks) {
            (Cow::Borrowed(_), Some(marks)) => return (text, marks),
            (Cow::Borrowed(_), None) => {}
            (Cow::Owned(cleaned), _)
                if !self.go_text.has_running() && !self.libtest.has_running() =>
            {
                self.proof.hidden(line.bytes, cleaned);
            }
            (Cow::Owned(_), _) => {}
        }
        if line.bytes.starts_with(EVENT) {
            return (text, Marks::JSON);
        }
        let marks = Marks::of(text.as_bytes());
        match memchr::memchr(ESCAPE, line.bytes) {
            Some(_) => (text, marks.and(Marks::of_escapes(line.bytes))),
            None => (text, marks),
        }
    }

    fn line(&mut self, line: Line<'_>, marks: Option<Marks>, sink: &mut dyn FnMut(Finding)) {
        let (mut text, mut marks) = self.read(line, marks);
        if marks.is_empty() && !self.wants_all() {
            if !text.trim().is_empty() {
                self.skipped(text.as_bytes());
            }
            return;
        }
        let Self {
            context,
            names,
            evidence,
            go_json,
            go_text,
            libtest,
            static_checks,
            tap,
            make,
            proof,
            runners,
            ..
        } = self;
        let out = &mut CaseSink { names, sink };
        // Lines that a visibly running test of another runner prints are its output, unless a test
        // or a block of theirs was open before.
        let is_of_rust =
            libtest.is_in_test() || marks.has(Marks::LIBTEST) && libtest.begins_test(&text);
        let is_go = !is_of_rust || go_text.is_in_test();
        let is_rust = !go_text.is_inside() || libtest.has_running();
        if !go_text.is_inside() {
            libtest.settle(&text, evidence, out);
        } else if !is_rust && marks.has(Marks::LIBTEST) {
            libtest.defer(&text, line);
        }
        let may_be_event =
            marks.has(Marks::JSON) && is_go && !go_text.is_inside() && !runners.has_running();
        if may_be_event && let Some(rest) = go_json.line(&text, line, context, evidence, out) {
            (make.recipe, make.other) = (true, true);
            match rest {
                Some(rest) => text = Cow::Owned(rest),
                None => return,
            }
            marks = Marks::of(text.as_bytes());
        } else if line.bytes.starts_with(EVENT) {
            marks = Marks::of(text.as_bytes());
        }
        make.watch(&text, marks, evidence);
        note(&text, marks, evidence);
        let is_inside = go_text.has_running() || libtest.has_running() || tap.has_running();
        let is_of_test = is_inside || runners.has_running();
        proof.look(&text, marks, is_of_test, !evidence.go_packages.is_empty());
        let in_check = static_checks.line(&text, marks.has(Marks::CHECK), line, context, out);
        if !in_check && !is_inside && runners.line(&text, marks, line, out) {
            return self.of_runner(&text, marks, line);
        }
        let is_below = marks.has(Marks::GIVEN_UP) && evidence.builds.is_below();
        let wants_go =
            marks.has(Marks::GO) || is_below || go_text.wants_all() || evidence.builds.wants_all();
        // Comments of a stream are no headings of packages.
        let is_comment = tap.has_running() && text.starts_with('#');
        let wants_go = wants_go && !in_check && is_go && !is_comment;
        let of_go = wants_go && go_text.line(&text, marks, line, context, evidence, out);
        let of_rust = !in_check && is_rust && libtest.look(&text, marks, line, evidence, out);
        let running = go_text.has_running() || libtest.has_running();
        let is_taken = of_go || of_rust || running;
        if is_taken || !in_check && tap.look(&text, marks, line, out) || tap.has_running() {
            return;
        }
        self.unclaimed(&text, marks, in_check);
    }

    /// Takes a line that belongs to a run of a further test runner.
    fn of_runner(&mut self, text: &str, marks: Marks, line: Line<'_>) {
        if self.runners.has_retold_go() {
            self.go_text.withdraw(line.end);
        }
        if self.tap.may_have_failed(text) || self.runners.may_have_failed(text) {
            let unclear = &mut self.evidence.unclear;
            unclear.get_or_insert_with(|| nobodys(text));
        }
        // automake's word for a hard error is that of scripts that miss a program.
        if text.starts_with("ERROR: ") {
            self.unclaimed(text, marks, false);
        }
    }

    /// Takes a line that belongs to no test: it may name a missing program.
    fn unclaimed(&mut self, text: &str, marks: Marks, in_check: bool) {
        if marks.has(Marks::MAKE) {
            self.make.error(text);
        }
        match make::missing_program(text, marks) {
            Some(program) if in_check => self.static_checks.missing(program, text),
            Some(program) => {
                self.proof.missing();
                self.make.missing(program);
            }
            None => {}
        }
    }

    fn finish(
        self,
        ending: Option<Ending>,
        offset: u64,
        sink: &mut dyn FnMut(Finding),
    ) -> Observations {
        let Self {
            context,
            mut names,
            mut evidence,
            mut go_json,
            mut go_text,
            mut libtest,
            static_checks,
            tap,
            make,
            mut proof,
            mut runners,
            ..
        } = self;
        let out = &mut CaseSink {
            names: &mut names,
            sink,
        };
        let mut observations = Observations::default();
        go_json.finish(offset, out);
        let was_inside = go_text.is_inside();
        go_text.end_suite(offset, &context, &mut evidence, out);
        if was_inside {
            libtest.read_deferred(&mut evidence, out);
        }
        libtest.finish(offset, &evidence, out);
        let libtest_failed = libtest.has_failed_target();
        runners.finish(ending.is_some_and(Ending::is_success), offset, out);
        let doubt = tap.finish(ending.is_some_and(Ending::is_success), offset, out);
        static_checks.finish(ending, offset, &context, &mut observations, out);
        let cases = out.names.tally.total() > 0;
        report_not_run(&context, &evidence, ending, out);
        explain_missing(&make, &mut observations);
        let succeeded = ending.is_some_and(Ending::is_success);
        observations.ran_nothing = evidence.make_idle.is_some() && !cases && !make.other;
        observations.is_unclear = succeeded
            && !cases
            && !observations.ran_nothing
            && (!make.recipe || evidence.make_idle.is_some());
        proof.package_failed = evidence.go_failed;
        proof.target_failed = libtest_failed;
        proof.unclear = evidence.unclear.take().or(doubt);
        observations.proven_failures = proof.told(evidence.builds.proven(), &out.names.tally);
        observations.vacuous_causes = vacuous_causes(&evidence, &out.names.tally);
        if let Some(said) = runners.nothing() {
            let fix = "see which filter its command line gives to the tests, or leave the step out";
            observations
                .vacuous_causes
                .push((said.to_owned(), Some(fix.to_owned())));
        }
        if out.names.singles == 0 {
            observations.packages_alone = out.names.packages;
        }
        observations.go_ends = evidence.go_ends;
        observations
    }
}

/// Describes a failure of which the lines do not tell whose it is.
fn nobodys(text: &str) -> String {
    let said = text.trim_end();
    format!("`{said}` stands in the output of another test runner, and nothing tells whose it is")
}

fn explain_missing(make: &Make, observations: &mut Observations) {
    for program in &make.missing {
        if !observations.missing_programs.contains(program) {
            observations.missing_programs.push(program.clone());
        }
    }
    if observations.missing_programs.is_empty() {
        observations
            .missing_programs
            .extend(make.unexplained().map(str::to_owned));
    }
}

/// Recognises messages of kata's own Makefiles and scripts about testing nothing.
fn note(text: &str, marks: Marks, evidence: &mut Evidence) {
    if !marks.has(Marks::MAKE) {
        return;
    }
    let trimmed = text.trim();
    if let Some(said) = trimmed.strip_prefix("INFO: ") {
        evidence.no_golang |= said == "no golang code to test";
        evidence.no_virtualization |=
            said.starts_with("skip testing ") && said.contains("virtualization");
    }
    evidence.ignored_flag |=
        trimmed.starts_with("cargo ") && trimmed.split(' ').any(|word| word == "--ignored");
}
