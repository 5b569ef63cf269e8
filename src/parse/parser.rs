//! One parser for a job's output, whatever formats it mixes.
//!
//! Each line goes to the recognisers in turn, the one that is surest of its own first: events of `go test -json`, banners of
//! static checks (inside of which nothing else is a case), `go test` text, libtest, TAP. What none of them takes may name a
//! missing program.

use super::cases::{Names, Out};
use super::go::json::GoJson;
use super::go::text::GoText;
use super::libtest::Libtest;
use super::lines::{Line, Lines, Receiver};
use super::make;
use super::make::Make;
use super::observations::Seen;
use super::static_checks::StaticChecks;
use super::tap::TapStreams;
use super::{CaseContext, Finding, Observations, causes, clean, not_run};
use crate::model::Ending;

/// Reads one job's output.
#[derive(Debug)]
pub struct Parser {
    lines: Lines,
    state: ParserState,
}

/// The recognisers and what they share.
#[derive(Debug, Default)]
struct ParserState {
    context: CaseContext,
    names: Names,
    seen: Seen,
    go_json: GoJson,
    go_text: GoText,
    libtest: Libtest,
    static_checks: StaticChecks,
    tap: TapStreams,
    make: Make,
}

/// The state together with where its findings go.
struct Reader<'a> {
    state: &'a mut ParserState,
    sink: &'a mut dyn FnMut(Finding),
}

impl Parser {
    /// A parser before the first byte.
    pub fn new(context: CaseContext) -> Self {
        Self {
            lines: Lines::default(),
            state: ParserState {
                context,
                ..ParserState::default()
            },
        }
    }

    /// Takes the next bytes and hands out what they complete.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Finding)) {
        let state = &mut self.state;
        self.lines.feed(bytes, &mut Reader { state, sink });
    }

    /// Ends: cases still open become `unfinished`, packages never seen `not-run`.
    ///
    /// `ending` is how the job's own process ended; none when that was not seen.
    pub fn finish(mut self, ending: Option<Ending>, sink: &mut dyn FnMut(Finding)) -> Observations {
        let state = &mut self.state;
        self.lines.finish(&mut Reader { state, sink });
        self.state.finish(ending, self.lines.offset(), sink)
    }
}

impl Receiver for Reader<'_> {
    fn wants_all(&self) -> bool {
        let state = &self.state;
        state.go_text.wants_all() || state.libtest.wants_all() || state.tap.wants_all()
    }

    fn line(&mut self, line: Line<'_>) {
        self.state.line(line, self.sink);
    }

    fn passed_over(&mut self, last: &[u8]) {
        self.state.static_checks.passed_over(last);
        self.state.libtest.passed_over(last);
        self.state.make.passed_over(last);
    }
}

impl ParserState {
    fn line(&mut self, line: Line<'_>, sink: &mut dyn FnMut(Finding)) {
        let text = clean::text(line.bytes);
        let Self {
            context,
            names,
            seen,
            go_json,
            go_text,
            libtest,
            static_checks,
            tap,
            make,
        } = self;
        let out = &mut Out { names, sink };
        if go_json.line(&text, line, context, seen, out) {
            (make.recipe, make.other) = (true, true);
            return;
        }
        make.watch(&text, seen);
        note(&text, seen);
        let in_check = static_checks.line(&text, line, context, out);
        let taken = !in_check
            && (go_text.line(&text, line, context, seen, out)
                | libtest.line(&text, line, seen, out));
        let running = go_text.has_running() || libtest.has_running();
        if taken || running || !in_check && tap.line(&text, line, out) || tap.has_running() {
            return;
        }
        make.error(&text);
        match make::missing_program(&text) {
            Some(program) if in_check => static_checks.missing(program, &text),
            Some(program) => make.missing(program),
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
            seen,
            mut go_json,
            mut go_text,
            mut libtest,
            static_checks,
            tap,
            make,
        } = self;
        let out = &mut Out {
            names: &mut names,
            sink,
        };
        let mut observations = Observations::default();
        go_json.finish(offset, out);
        go_text.end_suite(offset, out);
        libtest.finish(offset, &seen, out);
        tap.finish(ending.is_some_and(Ending::is_success), offset, out);
        static_checks.finish(ending, offset, &context, &mut observations, out);
        let cases = out.names.tally.total() > 0;
        not_run::hand_out(&context, &seen, ending, out);
        explain_missing(&make, &mut observations);
        let well = ending.is_some_and(Ending::is_success);
        observations.nothing_ran = seen.make_idle.is_some() && !cases && !make.other;
        observations.in_doubt = well
            && !cases
            && !observations.nothing_ran
            && (!make.recipe || seen.make_idle.is_some());
        observations.vacuous_causes = causes::causes(&seen, &out.names.tally);
        observations.go_ends = seen.go_ends;
        observations
    }
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

/// Words of kata's own Makefiles and scripts about testing nothing.
fn note(text: &str, seen: &mut Seen) {
    let trimmed = text.trim();
    if let Some(said) = trimmed.strip_prefix("INFO: ") {
        seen.no_golang |= said == "no golang code to test";
        seen.no_virtualization |=
            said.starts_with("skip testing ") && said.contains("virtualization");
    }
    seen.ignored_flag |=
        trimmed.starts_with("cargo ") && trimmed.split(' ').any(|word| word == "--ignored");
}
