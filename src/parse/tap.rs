//! The Test Anything Protocol, versions 13 and 14, with subtests.
//!
//! A stream begins with its version, its plan, or a test that says it is the first. One of which neither version nor plan
//! is ever seen is only taken for tests when the job failed: text that happens to begin with `ok 1` must not make a job
//! pass. Until it is sure, its cases are held back.
//!
//! A plan is kept: tests that it counts and that never came are `not-run`, more tests than it counts are a failed case
//! `(plan)`. `Bail out!` is a failed case of its own. A test that is to fail (`TODO`) and does is skipped, with its reason.
//! Parents and subtests all count, as with Go.

use super::cases::{Details, Out, Spans, WHOLE_PACKAGE};
use super::lines::Line;
use super::tap_diagnostics::Diagnostics;
use super::tap_lines::{Header, Point, Tap, prove_header, prove_verdict, tap};
use crate::outcome::CaseStatus;

/// Spaces that a subtest is indented by.
const INDENTATION: usize = 4;

/// Levels of subtests; what is deeper is output.
const DEEPEST: usize = 16;

/// Missing tests told one by one; the rest of them is one case.
const MOST_MISSING: u64 = 100;

/// Name of the case that says that a plan was not kept.
const PLAN: &str = "(plan)";

/// Name of the case that says that testing was given up.
const BAIL_OUT: &str = "(bail out)";

/// Reads TAP.
#[derive(Debug, Default)]
pub(super) struct TapStreams {
    stream: Option<Stream>,
    /// The file that prove said it runs.
    file: String,
    /// Nothing of it was seen yet: what prove says of it may be all there is.
    unseen: bool,
}

/// What one program prints.
#[derive(Debug)]
struct Stream {
    package: String,
    /// The stream itself, and the subtests that are open in it.
    levels: Vec<Level>,
    /// Names of the subtests that come next, by the level they are announced on.
    announced: [Option<String>; DEEPEST],
    /// The test whose diagnostics may follow.
    pending: Option<Pending>,
    /// A version or a plan was seen.
    sure: bool,
    held: Vec<Held>,
    /// Where the output of the next test begins.
    from: u64,
}

#[derive(Debug, Default)]
struct Level {
    /// Names of the subtest and those around it, each with a slash behind it.
    prefix: String,
    plan: Option<u64>,
    seen: u64,
}

#[derive(Debug)]
struct Pending {
    name: String,
    status: CaseStatus,
    reason: Option<String>,
    indentation: usize,
    diagnostics: Diagnostics,
    start: u64,
    end: u64,
}

/// A case that waits until it is sure that it is one.
#[derive(Debug)]
struct Held {
    name: String,
    status: CaseStatus,
    start: u64,
    details: Details,
}

impl TapStreams {
    /// Whether the next line is wanted whatever it holds.
    pub(super) fn wants_all(&self) -> bool {
        self.stream.as_ref().is_some_and(Stream::is_open)
    }

    /// Whether a test may be running.
    pub(super) fn has_running(&self) -> bool {
        (self.stream.as_ref()).is_some_and(|stream| stream.sure && !stream.is_complete())
    }

    /// Takes a line; whether it was one of a stream.
    pub(super) fn line(&mut self, text: &str, at: Line<'_>, out: &mut Out<'_>) -> bool {
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
    pub(super) fn finish(mut self, well: bool, offset: u64, out: &mut Out<'_>) {
        self.end(!well, offset, out);
    }
}

impl Stream {
    fn new(package: String, from: u64) -> Self {
        Self {
            package,
            levels: vec![Level::default()],
            announced: Default::default(),
            pending: None,
            sure: false,
            held: Vec::new(),
            from,
        }
    }

    fn root(&self) -> Option<&Level> {
        self.levels.first()
    }

    fn has_plan(&self) -> bool {
        self.root().is_some_and(|root| root.plan.is_some())
    }

    /// Whether all that its plan counts was seen.
    fn is_complete(&self) -> bool {
        let root = self.root();
        root.is_some_and(|root| root.plan.is_some_and(|plan| root.seen >= plan))
            && self.levels.len() == 1
    }

    /// Whether something may follow that belongs to it.
    fn is_open(&self) -> bool {
        !self.is_complete() || self.pending.is_some()
    }

    /// Takes a line about the test before it.
    fn diagnostic(&mut self, text: &str, indentation: usize, at: Line<'_>) -> bool {
        let Some(pending) = &mut self.pending else {
            return false;
        };
        if pending.diagnostics.yaml(text, pending.indentation) {
            pending.end = at.end;
            return true;
        }
        // A subtest's name is a comment, too, but of what follows. Comments of deeper levels are of the tests there.
        match tap(&text[indentation..]) {
            Some(Tap::Comment(comment)) if indentation <= pending.indentation => {
                pending.diagnostics.comment(comment);
                pending.end = at.end;
                true
            }
            None if text.trim().is_empty() => true,
            _ => false,
        }
    }

    fn take(&mut self, said: Tap<'_>, level: usize, at: Line<'_>, out: &mut Out<'_>) -> bool {
        if level > self.levels.len() || level >= DEEPEST {
            return false;
        }
        match said {
            Tap::Comment(_) => {}
            Tap::Subtest(name) => self.announced[level] = Some(name.to_owned()),
            Tap::Version => self.make_sure(out),
            Tap::BailOut(why) => self.bail_out(why, at, out),
            Tap::Plan(plan, why) => {
                self.turn_to(level, at.start, out);
                self.plan(plan, why, at, out);
            }
            Tap::Test(point) => {
                self.turn_to(level, at.start, out);
                return self.test(point, at);
            }
        }
        true
    }

    /// Opens the level, or ends those that are deeper.
    fn turn_to(&mut self, level: usize, offset: u64, out: &mut Out<'_>) {
        self.flush(out);
        while self.levels.len() > level + 1 {
            self.end_level(offset, out);
        }
        if self.levels.len() == level {
            // Most announce it where its parent's line will stand, some where its own lines do.
            let announced = self.announced[level - 1].take();
            let name = announced.or_else(|| self.announced[level].take());
            let name = name.unwrap_or_else(|| "(subtest)".to_owned());
            let outer = self.levels.last().map_or("", |level| &level.prefix);
            let prefix = format!("{outer}{name}/");
            self.levels.push(Level {
                prefix,
                ..Level::default()
            });
        }
    }

    fn make_sure(&mut self, out: &mut Out<'_>) {
        self.sure = true;
        for held in std::mem::take(&mut self.held) {
            self.hand_out(held, out);
        }
    }

    fn plan(&mut self, plan: u64, why: Option<&str>, at: Line<'_>, out: &mut Out<'_>) {
        if let Some(level) = self.levels.last_mut() {
            level.plan.get_or_insert(plan);
        }
        if self.levels.len() == 1 {
            self.make_sure(out);
        }
        if plan == 0 {
            let message = why.unwrap_or("the plan has no tests");
            self.own_case(WHOLE_PACKAGE, CaseStatus::Skipped, message, at, out);
        }
    }

    fn test(&mut self, point: Point, at: Line<'_>) -> bool {
        let is_complete = self.is_complete();
        let Some(level) = self.levels.last_mut() else {
            return false;
        };
        // prove says `ok` when a file is done.
        if is_complete && point.number != Some(level.seen + 1) {
            return false;
        }
        level.seen += 1;
        let name = match point.name.as_str() {
            "" => format!("{}test {}", level.prefix, level.seen),
            name => format!("{}{name}", level.prefix),
        };
        let depth = self.levels.len() - 1;
        self.announced[depth] = None;
        self.pending = Some(Pending {
            name,
            status: point.status,
            reason: point.reason,
            indentation: depth * INDENTATION,
            diagnostics: Diagnostics::default(),
            start: self.from,
            end: at.end,
        });
        true
    }

    fn bail_out(&mut self, why: &str, at: Line<'_>, out: &mut Out<'_>) {
        self.flush(out);
        self.make_sure(out);
        let why = match why {
            "" => "testing was given up",
            why => why,
        };
        self.levels.truncate(1);
        self.own_case(BAIL_OUT, CaseStatus::Failed, why, at, out);
    }

    /// A case that no test's line names.
    fn own_case(
        &mut self,
        name: &str,
        status: CaseStatus,
        why: &str,
        at: Line<'_>,
        out: &mut Out<'_>,
    ) {
        let mut spans = Spans::default();
        spans.add(at.start, at.end);
        let prefix = self.levels.last().map_or("", |level| &level.prefix);
        let case = Held {
            name: format!("{prefix}{name}"),
            status,
            start: at.start,
            details: Details {
                spans,
                ..Details::saying(why)
            },
        };
        self.case(case, out);
    }

    /// The test before is told: nothing of it follows.
    fn flush(&mut self, out: &mut Out<'_>) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        self.from = pending.end;
        let mut spans = Spans::default();
        spans.add(pending.start, pending.end);
        let is_told = pending.status != CaseStatus::Passed;
        let details = pending.diagnostics.details(pending.reason);
        let case = Held {
            name: pending.name,
            status: pending.status,
            start: pending.start,
            details: Details {
                spans,
                message: details.message.filter(|_| is_told),
                file: details.file.filter(|_| is_told),
                line: details.line.filter(|_| is_told),
                ..details
            },
        };
        self.case(case, out);
    }

    fn case(&mut self, case: Held, out: &mut Out<'_>) {
        match self.sure {
            true => self.hand_out(case, out),
            false => self.held.push(case),
        }
    }

    fn hand_out(&self, case: Held, out: &mut Out<'_>) {
        match case.status {
            CaseStatus::NotRun => out.never_ran(&self.package, &case.name, case.details),
            status => out.both(&self.package, &case.name, case.start, status, case.details),
        }
    }

    /// The innermost level is over: what its plan still wants never ran.
    fn end_level(&mut self, offset: u64, out: &mut Out<'_>) {
        let Some(level) = self.levels.pop() else {
            return;
        };
        let Some(plan) = level.plan else {
            if level.seen > 0 {
                let why = "it ended without a plan: tests may be missing";
                let name = format!("{}{PLAN}", level.prefix);
                self.case(Held::new(name, CaseStatus::Unfinished, why), out);
            }
            return;
        };
        if level.seen > plan {
            let why = format!("{plan} planned, {} ran", level.seen);
            let mut case = Held::new(format!("{}{PLAN}", level.prefix), CaseStatus::Failed, &why);
            case.start = offset;
            self.case(case, out);
        }
        let missing = plan.saturating_sub(level.seen);
        for number in (level.seen + 1..=plan).take(MOST_MISSING as usize) {
            let name = format!("{}test {number}", level.prefix);
            self.case(
                Held::new(name, CaseStatus::NotRun, "planned, and never came"),
                out,
            );
        }
        if missing > MOST_MISSING {
            let name = format!(
                "{}tests {} to {plan}",
                level.prefix,
                level.seen + MOST_MISSING + 1
            );
            self.case(
                Held::new(name, CaseStatus::NotRun, "planned, and never came"),
                out,
            );
        }
    }

    fn end(&mut self, offset: u64, out: &mut Out<'_>) {
        if self.sure {
            self.make_sure(out);
        }
        self.flush(out);
        while !self.levels.is_empty() {
            self.end_level(offset, out);
        }
    }
}

impl Held {
    fn new(name: String, status: CaseStatus, why: &str) -> Self {
        Self {
            name,
            status,
            start: 0,
            details: Details::saying(why),
        }
    }
}
