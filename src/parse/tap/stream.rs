//! Reads one stream of TAP: its tests, its subtests and its plan.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::INDENTATION;
use super::diagnostics::Diagnostics;
use super::grammar::{Tap, TestPoint, tap};
use crate::model::CaseStatus;
use crate::parse::finding::{CaseDetails, CaseSink, Spans, WHOLE_PACKAGE};
use crate::parse::lines::Line;

/// The most levels of subtests. Deeper lines are output.
const DEEPEST: usize = 16;

/// The most missing tests reported one by one. The rest of them is one case.
const MOST_MISSING: u64 = 100;

/// The name of the case for a plan that was not kept.
const PLAN: &str = "(plan)";

/// The name of the case for a bail-out.
const BAIL_OUT: &str = "(bail out)";

/// The output of one program.
#[derive(Debug)]
pub(in crate::parse) struct TapStream {
    package: String,
    /// The stream itself and its open subtests.
    levels: Vec<SubtestLevel>,
    /// The names of the subtests that come next, by the level on which they are announced.
    announced: [Option<String>; DEEPEST],
    /// The test whose diagnostics may follow.
    pending: Option<Pending>,
    /// True if a version or a plan was seen.
    pub(in crate::parse) sure: bool,
    held: Vec<PendingLine>,
    /// True if its first test has no number. Only a plan shows that it is a stream.
    pub(in crate::parse) numberless: bool,
    /// The first test with a number that failed.
    failed: Option<String>,
    /// True after `Bail out!`.
    is_given_up: bool,
    /// True if the job was cancelled: tests that are missing are no fault of the stream.
    pub(in crate::parse) is_cut: bool,
    /// The offset at which the output of the next test begins.
    from: u64,
}

/// The stream itself, or a subtest.
#[derive(Debug, Default)]
pub(in crate::parse) struct SubtestLevel {
    /// The names of the subtest and its parents, each followed by a slash.
    prefix: String,
    plan: Option<u64>,
    pub(in crate::parse) seen: u64,
    /// The numbers of its tests.
    numbers: HashSet<u64, RandomState>,
    /// The first number that came twice.
    twice: Option<u64>,
    /// The number of its last test.
    last: u64,
}

impl SubtestLevel {
    /// Returns true if a test had this number.
    pub(in crate::parse) fn has(&self, number: u64) -> bool {
        self.numbers.contains(&number)
    }

    /// Returns the words about a plan that was not kept.
    fn broken(&self, plan: u64) -> Option<String> {
        if self.seen != plan {
            return Some(format!("{plan} planned, {} ran", self.seen));
        }
        let beyond = self
            .numbers
            .iter()
            .filter(|number| **number == 0 || **number > plan)
            .min();
        match (self.twice, beyond) {
            (Some(twice), _) => Some(format!("{plan} planned, and number {twice} came twice")),
            (None, Some(beyond)) => Some(format!("{plan} planned, and number {beyond} came")),
            (None, None) => None,
        }
    }

    /// Returns the numbers of the plan that never came.
    fn missing(&self, plan: u64) -> impl Iterator<Item = u64> + '_ {
        (1..=plan).filter(|number| !self.numbers.contains(number))
    }
}

#[derive(Debug)]
struct Pending {
    name: String,
    status: CaseStatus,
    seconds: Option<f64>,
    reason: Option<String>,
    indentation: usize,
    diagnostics: Diagnostics,
    start: u64,
    end: u64,
}

/// A case that waits until its stream is sure.
#[derive(Debug)]
struct PendingLine {
    name: String,
    status: CaseStatus,
    start: u64,
    details: CaseDetails,
}

impl TapStream {
    pub(in crate::parse) fn new(package: String, from: u64) -> Self {
        Self {
            package,
            levels: vec![SubtestLevel::default()],
            announced: Default::default(),
            pending: None,
            sure: false,
            held: Vec::new(),
            numberless: false,
            failed: None,
            is_given_up: false,
            is_cut: false,
            from,
        }
    }

    pub(in crate::parse) fn root(&self) -> Option<&SubtestLevel> {
        self.levels.first()
    }

    pub(in crate::parse) fn has_plan(&self) -> bool {
        self.root().is_some_and(|root| root.plan.is_some())
    }

    /// Returns true if all tests of the plan were seen.
    pub(in crate::parse) fn is_complete(&self) -> bool {
        let root = self.root();
        root.is_some_and(|root| root.plan.is_some_and(|plan| root.seen >= plan))
            && self.levels.len() == 1
    }

    /// Returns true if a line that belongs to the stream may follow.
    pub(in crate::parse) fn is_open(&self) -> bool {
        !self.is_provisional() && (!self.is_complete() || self.pending.is_some())
    }

    /// Returns true if no subtest is open.
    pub(in crate::parse) fn is_at_root(&self) -> bool {
        self.levels.len() == 1
    }

    /// Returns true if so many tests were seen.
    pub(in crate::parse) fn has_seen(&self, tests: u64) -> bool {
        self.root()
            .is_some_and(|root| root.seen == tests && tests > 0)
    }

    /// Returns true if tests of its plan are still to come.
    pub(in crate::parse) fn is_unfinished(&self) -> bool {
        let may_go_on = self.is_at_root() && !self.is_given_up && !self.is_provisional();
        may_go_on && !self.is_complete()
    }

    /// Returns the words about a failed test, if its lines are numbered like tests and only a plan
    /// is missing.
    pub(in crate::parse) fn doubt(&self) -> Option<String> {
        let root = self.root().filter(|_| !self.sure)?;
        let is_in_order = root.twice.is_none() && root.last == root.seen;
        let failed = self.failed.as_ref().filter(|_| is_in_order)?;
        Some(format!(
            "a line says `{failed}`, and without a plan it is not clear of what"
        ))
    }

    /// Returns the level of the innermost subtest.
    pub(in crate::parse) fn level(&self) -> usize {
        self.levels.len() - 1
    }

    /// Returns the number of the test that comes next on the innermost level, if one is to come.
    pub(in crate::parse) fn next(&self) -> Option<u64> {
        let level = self.levels.last().filter(|_| !self.is_complete())?;
        Some(level.last + 1)
    }

    /// Returns true while nothing but lines that begin with `ok` shows that it is a stream.
    pub(in crate::parse) fn is_provisional(&self) -> bool {
        self.numberless && !self.sure
    }

    /// Takes a line about the test before it.
    pub(in crate::parse) fn diagnostic(
        &mut self,
        text: &str,
        indentation: usize,
        at: Line<'_>,
    ) -> bool {
        let Some(pending) = &mut self.pending else {
            return false;
        };
        // A writer that died in a block never ended it. The tests behind it are not its text.
        let is_of_stream = || match tap(&text[indentation..]) {
            Some(Tap::Test(point)) => point.number.is_some(),
            Some(Tap::Plan(..) | Tap::BailOut(_) | Tap::Version) => true,
            Some(Tap::Subtest(_) | Tap::Comment(_)) | None => false,
        };
        if indentation <= pending.indentation && is_of_stream() {
            return false;
        }
        if pending.diagnostics.yaml(text, pending.indentation) {
            pending.end = at.end;
            return true;
        }
        // A subtest's name is a comment too, but about the lines that follow. Comments of deeper
        // levels belong to the tests there.
        let is_comment = text[indentation..].starts_with('#');
        match is_comment.then(|| tap(&text[indentation..])).flatten() {
            Some(Tap::Comment(comment)) if indentation <= pending.indentation => {
                pending.diagnostics.comment(comment);
                pending.end = at.end;
                true
            }
            None if text.trim().is_empty() => true,
            _ => false,
        }
    }

    pub(in crate::parse) fn take(
        &mut self,
        said: Tap<'_>,
        level: usize,
        at: Line<'_>,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if level > self.levels.len() || level >= DEEPEST {
            return false;
        }
        match said {
            Tap::Comment(_) => {}
            Tap::Subtest(name) => self.announced[level] = Some(name.to_owned()),
            Tap::Version => self.make_sure(out),
            Tap::BailOut(why) => self.bail_out(why, at, out),
            Tap::Plan(plan, why) => {
                self.switch_to(level, at.start, out);
                self.plan(plan, why, at, out);
            }
            Tap::Test(point) => {
                self.switch_to(level, at.start, out);
                return self.test(point, at);
            }
        }
        true
    }

    /// Opens the level, or ends deeper ones.
    fn switch_to(&mut self, level: usize, offset: u64, out: &mut CaseSink<'_>) {
        self.flush(out);
        while self.levels.len() > level + 1 {
            self.end_level(offset, out);
        }
        if self.levels.len() == level {
            // Most writers announce a subtest on the level of its parent's line, some on its own.
            let announced = self.announced[level - 1].take();
            let name = announced.or_else(|| self.announced[level].take());
            let name = name.unwrap_or_else(|| "(subtest)".to_owned());
            let outer = self.levels.last().map_or("", |level| &level.prefix);
            let prefix = format!("{outer}{name}/");
            self.levels.push(SubtestLevel {
                prefix,
                ..SubtestLevel::default()
            });
        }
    }

    fn make_sure(&mut self, out: &mut CaseSink<'_>) {
        self.sure = true;
        for held in std::mem::take(&mut self.held) {
            self.hand_out(held, out);
        }
    }

    fn plan(&mut self, plan: u64, why: Option<&str>, at: Line<'_>, out: &mut CaseSink<'_>) {
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

    fn test(&mut self, point: TestPoint, at: Line<'_>) -> bool {
        let is_complete = self.is_complete();
        let Some(level) = self.levels.last_mut() else {
            return false;
        };
        // Prove prints `ok` at the end of a file.
        let is_end = point.status == CaseStatus::Passed && point.name.is_empty();
        if is_complete && point.number.is_none() && is_end {
            return false;
        }
        level.seen += 1;
        let number = point.number.unwrap_or(level.last + 1);
        level.last = number;
        if !level.numbers.insert(number) {
            level.twice.get_or_insert(number);
        }
        if point.number.is_some() && point.status == CaseStatus::Failed {
            let said = || format!("not ok {number} {}", point.name);
            self.failed.get_or_insert_with(said);
        }
        let name = match point.name.as_str() {
            "" => format!("{}test {}", level.prefix, level.seen),
            name => format!("{}{name}", level.prefix),
        };
        let depth = self.levels.len() - 1;
        self.announced[depth] = None;
        self.pending = Some(Pending {
            name,
            status: point.status,
            seconds: point.seconds,
            reason: point.reason,
            indentation: depth * INDENTATION,
            diagnostics: Diagnostics::default(),
            start: self.from,
            end: at.end,
        });
        true
    }

    fn bail_out(&mut self, why: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        self.flush(out);
        self.make_sure(out);
        let why = match why {
            "" => "testing was given up",
            why => why,
        };
        self.levels.truncate(1);
        self.is_given_up = true;
        self.own_case(BAIL_OUT, CaseStatus::Failed, why, at, out);
    }

    /// Reports a case that no test's line names.
    fn own_case(
        &mut self,
        name: &str,
        status: CaseStatus,
        why: &str,
        at: Line<'_>,
        out: &mut CaseSink<'_>,
    ) {
        let mut spans = Spans::default();
        spans.add(at.start, at.end);
        let prefix = self.levels.last().map_or("", |level| &level.prefix);
        let case = PendingLine {
            name: format!("{prefix}{name}"),
            status,
            start: at.start,
            details: CaseDetails {
                spans,
                ..CaseDetails::saying(why)
            },
        };
        self.case(case, out);
    }

    /// Hands out the pending test, because no more lines about it follow.
    pub(in crate::parse) fn flush(&mut self, out: &mut CaseSink<'_>) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        self.from = pending.end;
        let mut spans = Spans::default();
        spans.add(pending.start, pending.end);
        let is_told = pending.status != CaseStatus::Passed;
        let details = pending.diagnostics.details(pending.reason);
        let case = PendingLine {
            name: pending.name,
            status: pending.status,
            start: pending.start,
            details: CaseDetails {
                spans,
                message: details.message.filter(|_| is_told),
                file: details.file.filter(|_| is_told),
                line: details.line.filter(|_| is_told),
                seconds: pending.seconds.or(details.seconds),
                ..details
            },
        };
        self.case(case, out);
    }

    fn case(&mut self, case: PendingLine, out: &mut CaseSink<'_>) {
        match self.sure {
            true => self.hand_out(case, out),
            false => self.held.push(case),
        }
    }

    fn hand_out(&self, case: PendingLine, out: &mut CaseSink<'_>) {
        match case.status {
            CaseStatus::NotRun => out.never_ran(&self.package, &case.name, case.details),
            status => out.both(&self.package, &case.name, case.start, status, case.details),
        }
    }

    /// Ends the innermost level. The missing tests of its plan never ran.
    fn end_level(&mut self, offset: u64, out: &mut CaseSink<'_>) {
        let Some(level) = self.levels.pop() else {
            return;
        };
        let Some(plan) = level.plan else {
            let has_begun = level.seen > 0 || self.levels.is_empty() && self.sure;
            if has_begun && !self.is_given_up && !self.is_cut {
                let why = "it ended without a plan: tests may be missing";
                let name = format!("{}{PLAN}", level.prefix);
                self.case(PendingLine::new(name, CaseStatus::Unfinished, why), out);
            }
            return;
        };
        // After a bail-out, the bail-out is the failure.
        let is_excused = self.is_given_up || self.is_cut && level.seen < plan;
        if let Some(why) = level.broken(plan).filter(|_| !is_excused) {
            let mut case =
                PendingLine::new(format!("{}{PLAN}", level.prefix), CaseStatus::Failed, &why);
            case.start = offset;
            self.case(case, out);
        }
        let missing = plan.saturating_sub(level.seen);
        for number in level.missing(plan).take(MOST_MISSING as usize) {
            let name = format!("{}test {number}", level.prefix);
            self.case(
                PendingLine::new(name, CaseStatus::NotRun, "planned, and never came"),
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
                PendingLine::new(name, CaseStatus::NotRun, "planned, and never came"),
                out,
            );
        }
    }

    pub(in crate::parse) fn end(&mut self, offset: u64, out: &mut CaseSink<'_>) {
        if self.sure {
            self.make_sure(out);
        }
        self.flush(out);
        while !self.levels.is_empty() {
            self.end_level(offset, out);
        }
    }
}

impl PendingLine {
    fn new(name: String, status: CaseStatus, why: &str) -> Self {
        Self {
            name,
            status,
            start: 0,
            details: CaseDetails::saying(why),
        }
    }
}
