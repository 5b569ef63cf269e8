//! What is wrong with a configuration, and how it is shown.
//!
//! All that is wrong with one file is told at once. Text of the user's is quoted through [`quote`], so that a control
//! character in a file never reaches the terminal.

use std::cell::RefCell;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::document::{Document, Location};

/// More problems than this are counted, not shown.
const SHOWN: usize = 20;

/// A configuration that cannot be used: every problem with its file, line and a way out.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.render(false))]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// The whole message, several lines without a newline at the end.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut shown: Vec<_> = self
            .problems
            .iter()
            .take(SHOWN)
            .map(|problem| renderer.render(&[problem.group()]))
            .collect();
        match self.problems.len().saturating_sub(SHOWN) {
            0 => {}
            more => shown.push(format!("and {more} more problems")),
        }
        shown.join("\n\n")
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    title: String,
    notes: Vec<Note>,
    help: Vec<String>,
}

#[derive(Debug, Clone)]
struct Note {
    place: Location,
    label: String,
    kind: AnnotationKind,
}

impl Problem {
    /// What is wrong, in one line.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Where it is, and what to say under the carets.
    pub fn at(self, place: &Location, label: impl Into<String>) -> Self {
        self.note(place, label, AnnotationKind::Primary)
    }

    /// Another place that has to do with it.
    pub fn also(self, place: &Location, label: impl Into<String>) -> Self {
        self.note(place, label, AnnotationKind::Context)
    }

    fn note(mut self, place: &Location, label: impl Into<String>, kind: AnnotationKind) -> Self {
        self.notes.push(Note {
            place: place.clone(),
            label: label.into(),
            kind,
        });
        self
    }

    /// A way out.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// The problems of one file are told in the order of its lines.
    fn position(&self) -> usize {
        self.notes.first().map_or(0, |note| note.place.span.start)
    }

    fn group(&self) -> Group<'_> {
        let snippets = self.documents().into_iter().map(|document| {
            Snippet::source(without_passwords(&document.text))
                .path(document.title())
                .annotations(self.annotations(document))
        });
        let help = self.help.iter().map(|help| Level::HELP.message(help));
        Level::ERROR
            .primary_title(&self.title)
            .elements(snippets)
            .elements(help)
    }

    fn annotations<'a>(
        &'a self,
        document: &'a Arc<Document>,
    ) -> impl Iterator<Item = Annotation<'a>> {
        self.notes
            .iter()
            .filter(|note| Arc::ptr_eq(&note.place.document, document))
            .map(|note| {
                note.kind
                    .span(note.place.span.clone())
                    .label(note.label.as_str())
            })
    }

    fn documents(&self) -> Vec<&Arc<Document>> {
        let mut documents: Vec<&Arc<Document>> = Vec::new();
        for note in &self.notes {
            let document = &note.place.document;
            if !documents.iter().any(|known| Arc::ptr_eq(known, document)) {
                documents.push(document);
            }
        }
        documents
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// One more.
    pub fn add(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    /// The value, if nothing is wrong.
    pub fn or<T>(self, value: T) -> Result<T, ConfigError> {
        let mut problems = self.0.into_inner();
        if problems.is_empty() {
            return Ok(value);
        }
        problems.sort_by_key(Problem::position);
        Err(ConfigError { problems })
    }
}

/// The text with asterisks for what stands before the `@` of a URL or in a line about a proxy. Every place in it stays.
fn without_passwords(text: &str) -> String {
    text.split_inclusive('\n').map(without_password).collect()
}

fn without_password(line: &str) -> String {
    let about_proxy = || line.to_ascii_lowercase().contains("proxy");
    let start = match line.find("://") {
        Some(at) => Some(at + 3),
        None => line
            .find(['"', '\''])
            .filter(|_| about_proxy())
            .map(|at| at + 1),
    };
    match (start, line.rfind('@')) {
        (Some(start), Some(end)) if start < end && line[start..end].contains(':') => {
            let (before, after) = (&line[..start], &line[end..]);
            format!("{before}{}{after}", "*".repeat(end - start))
        }
        _ => line.to_owned(),
    }
}

/// Text of the user's or about it, without control characters.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_control() {
            true => printable.extend(letter.escape_debug()),
            false => printable.push(letter),
        }
    }
    printable
}

/// A word of the user's for a message: printable, not longer than a line, between backquotes.
pub(super) fn quote(word: &str) -> String {
    const LONGEST: usize = 60;
    match word.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", printable(&word[..end])),
        None => format!("`{}`", printable(word)),
    }
}

/// `did you mean …?` for a word that is like a known one, else nothing.
pub(super) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    super::closest(word, known)
        .map(|similar| format!("did you mean {}?", quote(similar)))
        .unwrap_or_default()
}
