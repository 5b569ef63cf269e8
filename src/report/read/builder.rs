//! Builds a document from elements, whatever order they come in.

use std::collections::HashSet;
use std::sync::Arc;

use super::declared_counts::{DeclaredCounts, WrongCounts};
use super::element::ElementKind;
use super::error::ReadError;
use super::limits;
use super::values;
use super::xml::Element;
use crate::report::model::{
    Attempt, Case, CaseState, Details, Document, Problem, ProblemKind, Spool, Suite, Text,
};
use crate::text;

/// The most bytes of a single line.
const LINE_CAP: usize = 4096;

/// Attributes of a suite that are kept although they have no field of their own.
const SUITE_ATTRIBUTES: [&str; 6] = ["package", "file", "id", "group", "url", "version"];

/// A suite that is open.
struct OpenSuite {
    /// The index in the document.
    index: usize,
    /// The counts that it declares.
    claim: DeclaredCounts,
    /// True if it contains suites.
    parent: bool,
}

pub(super) struct Builder<'a> {
    spool: &'a Spool,
    parts: Vec<ElementKind>,
    suites: Vec<Suite>,
    open: Vec<OpenSuite>,
    /// Cases that are open, the innermost last, with the state that only an attribute gives.
    inside: Vec<(Case, Details, Option<String>)>,
    problem: Option<Problem>,
    attempt: Option<Attempt>,
    property: Option<(String, Option<String>)>,
    class: Arc<str>,
    text: String,
    elements: usize,
    cases: usize,
    /// The indices of suites that only held suites.
    emptied: HashSet<usize>,
    /// The counts that the root declares.
    claim: DeclaredCounts,
    claims: WrongCounts,
}

impl<'a> Builder<'a> {
    pub(super) fn new(spool: &'a Spool) -> Self {
        Self {
            spool,
            parts: Vec::new(),
            suites: Vec::new(),
            open: Vec::new(),
            inside: Vec::new(),
            problem: None,
            attempt: None,
            property: None,
            class: Arc::from(""),
            text: String::new(),
            elements: 0,
            cases: 0,
            emptied: HashSet::new(),
            claim: DeclaredCounts::default(),
            claims: WrongCounts::default(),
        }
    }

    pub(super) fn start(&mut self, element: &Element<'_>) -> Result<(), ReadError> {
        let name = element.name();
        let Some(part) = ElementKind::of(self.parts.last().copied(), &name) else {
            return Err(ReadError::NotJUnit {
                root: name.chars().take(100).collect(),
            });
        };
        self.count(part)?;
        if matches!(
            part,
            ElementKind::Trace | ElementKind::Out | ElementKind::Err
        ) {
            self.keep_text_of_attempt()?;
        }
        if part != ElementKind::Inline {
            self.text.clear();
        }
        match part {
            ElementKind::Root => {
                element.each_attribute(|name, value| self.claim.take(name, value))?
            }
            ElementKind::Suite => self.start_suite(element)?,
            ElementKind::Case => self.start_case(element)?,
            ElementKind::Problem(kind) => {
                self.problem = Some(problem(kind, element, &mut self.text)?)
            }
            ElementKind::Attempt(_) => self.start_attempt(part, element)?,
            ElementKind::Property => self.start_property(element)?,
            _ => {}
        }
        self.parts.push(part);
        Ok(())
    }

    fn count(&mut self, part: ElementKind) -> Result<(), ReadError> {
        match part {
            ElementKind::Case => self.cases += 1,
            _ => self.elements += 1,
        }
        if self.cases > limits::CASES || self.elements > limits::ELEMENTS {
            return Err(ReadError::Many);
        }
        Ok(())
    }

    fn start_suite(&mut self, element: &Element<'_>) -> Result<(), ReadError> {
        let mut suite = Suite::default();
        let mut claim = DeclaredCounts::default();
        element.each_attribute(|name, value| match name {
            "name" => suite.name = line(value),
            "timestamp" => suite.timestamp = filled(value),
            "hostname" => suite.hostname = filled(value),
            "time" => suite.seconds = values::seconds(value),
            name => {
                claim.take(name, value);
                if let Some(known) = SUITE_ATTRIBUTES.iter().find(|known| **known == name)
                    && let Some(value) = filled(value)
                {
                    suite.attributes.push((known, value));
                }
            }
        })?;
        if let Some(parent) = self.open.last_mut() {
            parent.parent = true;
            if suite.name.is_empty() {
                suite.name = self.suites[parent.index].name.clone();
            }
        }
        self.open.push(OpenSuite {
            index: self.suites.len(),
            claim,
            parent: false,
        });
        self.suites.push(suite);
        Ok(())
    }

    fn start_case(&mut self, element: &Element<'_>) -> Result<(), ReadError> {
        let mut case = Case {
            class: self.class.clone(),
            name: "".into(),
            state: CaseState::Passed,
            seconds: None,
            details: None,
        };
        let mut details = Details::default();
        let (mut class, mut status) = (None, None);
        element.each_attribute(|name, value| match name {
            "name" => case.name = line(value),
            "classname" if *value == *self.class => class = Some(self.class.clone()),
            "classname" => class = Some(Arc::from(&*text::line(value, LINE_CAP))),
            "time" => case.seconds = values::seconds(value),
            "file" => details.file = filled(value),
            "line" => details.line = value.trim().parse().ok().filter(|line| *line > 0),
            // GoogleTest and ctest mark a case that was not run by an attribute only.
            "status" | "result" if !value.is_empty() => status = Some(value.to_owned()),
            _ => {}
        })?;
        self.class = class.unwrap_or_else(|| Arc::from(""));
        case.class = self.class.clone();
        self.inside.push((case, details, status));
        Ok(())
    }

    fn start_attempt(&mut self, part: ElementKind, element: &Element<'_>) -> Result<(), ReadError> {
        let ElementKind::Attempt(kind) = part else {
            return Ok(());
        };
        let said = said(element, &mut self.text)?;
        self.attempt = Some(Attempt {
            kind,
            word: said.word,
            message: said.message,
            body: Text::Empty,
            out: Text::Empty,
            err: Text::Empty,
        });
        Ok(())
    }

    fn start_property(&mut self, element: &Element<'_>) -> Result<(), ReadError> {
        let (mut key, mut given) = (String::new(), None);
        element.each_attribute(|name, value| match name {
            "name" => value.clone_into(&mut key),
            "value" => given = Some(value.to_owned()),
            _ => {}
        })?;
        self.property = Some((key, given));
        Ok(())
    }

    pub(super) fn text(&mut self, text: &str) -> Result<(), ReadError> {
        if !self.parts.last().is_some_and(|part| part.holds_text()) {
            return Ok(());
        }
        if self.text.len() + text.len() > limits::TEXT {
            return Err(ReadError::LongText);
        }
        self.text.push_str(text);
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), ReadError> {
        let Some(part) = self.parts.pop() else {
            return Ok(());
        };
        match part {
            ElementKind::Suite => self.end_suite(),
            ElementKind::Case => self.end_case(),
            ElementKind::Problem(_) => self.end_problem()?,
            ElementKind::Attempt(_) => self.end_attempt()?,
            ElementKind::Trace | ElementKind::Out | ElementKind::Err => self.end_output(part)?,
            ElementKind::Property => self.end_property(),
            ElementKind::Root
            | ElementKind::Properties
            | ElementKind::Inline
            | ElementKind::Other => {}
        }
        if part != ElementKind::Inline {
            self.text.clear();
        }
        Ok(())
    }

    fn end_suite(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let suite = &self.suites[open.index];
        let held = &self.suites[open.index..];
        self.claims.check(&suite.name, &open.claim, held);
        let says_nothing = suite.cases.is_empty() && suite.out.is_empty() && suite.err.is_empty();
        if open.parent && says_nothing {
            self.emptied.insert(open.index);
        }
    }

    fn end_case(&mut self) {
        let Some((mut case, mut details, status)) = self.inside.pop() else {
            return;
        };
        case.state = state(&details, status.as_deref());
        // A state that only an attribute gives gets its element, so that it is not lost when it is
        // written again.
        if let Some((status, kind)) = status.zip(kind_of(case.state))
            && !details.problems.iter().any(|problem| problem.kind == kind)
        {
            details.problems.push(Problem {
                kind,
                word: None,
                message: filled(&status),
                body: Text::Empty,
            });
        }
        if details != Details::default() {
            case.details = Some(Box::new(details));
        }
        self.suite().cases.push(case);
    }

    /// Returns the innermost suite. Cases directly in the root get one without a name.
    fn suite(&mut self) -> &mut Suite {
        let index = match self.open.last() {
            Some(open) => open.index,
            None => {
                if self
                    .suites
                    .last()
                    .is_none_or(|suite| !suite.name.is_empty())
                {
                    self.suites.push(Suite::default());
                }
                self.suites.len() - 1
            }
        };
        &mut self.suites[index]
    }

    fn end_problem(&mut self) -> Result<(), ReadError> {
        let Some(mut problem) = self.problem.take() else {
            return Ok(());
        };
        problem.body = self.keep()?;
        match self.inside.last_mut() {
            Some((_, details, _)) => details.problems.push(problem),
            // A problem of the suite itself: its set-up broke. It becomes a case, so that it is not
            // lost.
            None => {
                let suite = self.suite();
                let mut details = Details::default();
                details.problems.push(problem);
                let case = Case {
                    class: Arc::from(&*suite.name),
                    name: suite.name.clone(),
                    state: state(&details, None),
                    seconds: None,
                    details: Some(Box::new(details)),
                };
                suite.cases.push(case);
            }
        }
        Ok(())
    }

    /// Stores an attempt's own text, before an element inside it begins or when it ends.
    fn keep_text_of_attempt(&mut self) -> Result<(), ReadError> {
        let own = self.keep()?;
        if let Some(attempt) = &mut self.attempt {
            attempt.body = join(self.spool, &attempt.body, own)?;
        }
        Ok(())
    }

    fn end_attempt(&mut self) -> Result<(), ReadError> {
        self.keep_text_of_attempt()?;
        if let (Some(attempt), Some((_, details, _))) =
            (self.attempt.take(), self.inside.last_mut())
        {
            details.attempts.push(attempt);
        }
        Ok(())
    }

    fn end_output(&mut self, part: ElementKind) -> Result<(), ReadError> {
        let new = self.keep()?;
        let spool = self.spool;
        let slot = match (&mut self.attempt, self.inside.last_mut()) {
            (Some(attempt), _) => match part {
                ElementKind::Trace => &mut attempt.body,
                ElementKind::Out => &mut attempt.out,
                _ => &mut attempt.err,
            },
            (None, Some((_, details, _))) => match part {
                ElementKind::Out => &mut details.out,
                _ => &mut details.err,
            },
            (None, None) => {
                let suite = self.suite();
                match part {
                    ElementKind::Out => &mut suite.out,
                    _ => &mut suite.err,
                }
            }
        };
        *slot = join(spool, slot, new)?;
        Ok(())
    }

    fn end_property(&mut self) {
        let Some((name, value)) = self.property.take() else {
            return;
        };
        let value = value.unwrap_or_else(|| self.text.clone());
        let pair = (line(&name), line(&value));
        match self.inside.last_mut() {
            Some((_, details, _)) => details.properties.push(pair),
            None => self.suite().properties.push(pair),
        }
    }

    /// Stores the text since the element began. Blank text is dropped.
    fn keep(&mut self) -> Result<Text, ReadError> {
        if self.text.trim().is_empty() {
            return Ok(Text::Empty);
        }
        keep(self.spool, &text::clean(&self.text))
    }

    pub(super) fn finish(mut self) -> Result<Document, ReadError> {
        if self.claims.notice().is_none() {
            self.claims.check("the whole", &self.claim, &self.suites);
        }
        let suites = self.suites.into_iter().enumerate();
        let suites = suites.filter(|(index, _)| !self.emptied.contains(index));
        Ok(Document {
            notices: self.claims.notice().into_iter().collect(),
            suites: suites.map(|(_, suite)| suite).collect(),
            ..Document::default()
        })
    }
}

fn line(value: &str) -> Box<str> {
    text::line(value, LINE_CAP).into()
}

fn filled(value: &str) -> Option<Box<str>> {
    Some(line(value)).filter(|value| !value.is_empty())
}

fn problem(
    kind: ProblemKind,
    element: &Element<'_>,
    text: &mut String,
) -> Result<Problem, ReadError> {
    let said = said(element, text)?;
    Ok(Problem {
        kind,
        word: said.word,
        message: said.message,
        body: Text::Empty,
    })
}

/// The attributes `type` and `message`.
#[derive(Default)]
struct ProblemAttributes {
    word: Option<Box<str>>,
    message: Option<Box<str>>,
}

/// Reads the attributes of a problem. A message of several lines, or a very long one, is also put
/// before the body's text, because it is cut as a line.
fn said(element: &Element<'_>, text: &mut String) -> Result<ProblemAttributes, ReadError> {
    let mut said = ProblemAttributes::default();
    element.each_attribute(|name, value| match name {
        "type" => said.word = filled(value),
        "message" => {
            said.message = filled(value);
            if value.len() > LINE_CAP || value.trim().contains('\n') {
                text.push_str(value.trim_end());
                text.push('\n');
            }
        }
        _ => {}
    })?;
    Ok(said)
}

/// Returns the state in GitLab's order: a failure counts before anything else.
fn state(details: &Details, status: Option<&str>) -> CaseState {
    let has = |kind| details.problems.iter().any(|problem| problem.kind == kind);
    if has(ProblemKind::Failure) {
        CaseState::Failed
    } else if has(ProblemKind::Error) {
        CaseState::Error
    } else if has(ProblemKind::Skipped) {
        CaseState::Skipped
    } else if details.attempts.iter().any(|one| one.kind.is_flaky()) {
        CaseState::Flaky
    } else if !details.attempts.is_empty() {
        // Reruns that all failed, and no sign of a pass.
        CaseState::Failed
    } else {
        status.map_or(CaseState::Passed, of_status)
    }
}

/// Returns the element for a state.
fn kind_of(state: CaseState) -> Option<ProblemKind> {
    match state {
        CaseState::Failed => Some(ProblemKind::Failure),
        CaseState::Error => Some(ProblemKind::Error),
        CaseState::Skipped => Some(ProblemKind::Skipped),
        CaseState::Flaky | CaseState::Passed => None,
    }
}

/// Returns the state for a `status` attribute.
fn of_status(status: &str) -> CaseState {
    match status.to_ascii_lowercase().as_str() {
        "notrun" | "disabled" | "skipped" | "ignored" | "suppressed" | "pending" => {
            CaseState::Skipped
        }
        "fail" | "failed" | "failure" => CaseState::Failed,
        "error" | "broken" => CaseState::Error,
        _ => CaseState::Passed,
    }
}

/// Joins outputs, because some writers have several for a case.
fn join(spool: &Spool, old: &Text, new: Text) -> Result<Text, ReadError> {
    if old.is_empty() {
        return Ok(new);
    }
    if new.is_empty() {
        return Ok(old.clone());
    }
    let mut all = old.load()?.into_owned();
    if !all.ends_with('\n') {
        all.push('\n');
    }
    all.push_str(&new.load()?);
    if all.len() > limits::TEXT {
        return Err(ReadError::LongText);
    }
    keep(spool, &all)
}

fn keep(spool: &Spool, text: &str) -> Result<Text, ReadError> {
    spool.keep(text).map_err(ReadError::Spool)
}
