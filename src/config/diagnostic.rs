//! The diagnostics of a configuration, and how they are shown.
//!
//! All diagnostics of one file are reported at once. Text of the user's is quoted through
//! [`quote`], so that a control character in a file never reaches the terminal.

use std::cell::RefCell;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::source::{Document, Location};
use crate::model::CommandError;
use crate::text::secrets::blank;

/// The most diagnostics shown. The others are counted.
const SHOWN: usize = 20;

/// A configuration that cannot be used. Each diagnostic comes with its file, its line and a way
/// out.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.render(false))]
pub struct ConfigError {
    diagnostics: Vec<Diagnostic>,
}

impl ConfigError {
    /// Returns the whole message: several lines without a newline at the end.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut shown: Vec<_> = self
            .diagnostics
            .iter()
            .take(SHOWN)
            .map(|diagnostic| renderer.render(&[diagnostic.group()]))
            .collect();
        match self.diagnostics.len().saturating_sub(SHOWN) {
            0 => {}
            more => shown.push(format!("and {more} more problems")),
        }
        shown.join("\n\n")
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        Self::usage(error)
    }
}

impl From<Diagnostic> for ConfigError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            diagnostics: vec![diagnostic],
        }
    }
}

/// One diagnostic.
#[derive(Debug, Clone)]
pub(super) struct Diagnostic {
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

impl Diagnostic {
    /// Makes a diagnostic with a title of one line.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Adds its location, and the text under the carets.
    pub fn at(self, place: &Location, label: impl Into<String>) -> Self {
        self.note(place, label, AnnotationKind::Primary)
    }

    /// Adds another location that is related to it.
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

    /// Adds a way out.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Returns the position that the diagnostics of one file are sorted by.
    fn position(&self) -> usize {
        self.notes.first().map_or(0, |note| note.place.span.start)
    }

    fn group(&self) -> Group<'_> {
        let snippets = self.documents().into_iter().map(|document| {
            Snippet::source(blank(&document.text))
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

/// The diagnostics found so far.
#[derive(Debug, Default)]
pub(super) struct Diagnostics(RefCell<Vec<Diagnostic>>);

impl Diagnostics {
    /// Adds a diagnostic.
    pub fn add(&self, diagnostic: Diagnostic) {
        self.0.borrow_mut().push(diagnostic);
    }

    /// Returns the value if there is no diagnostic.
    pub fn or<T>(self, value: T) -> Result<T, ConfigError> {
        let mut diagnostics = self.0.into_inner();
        if diagnostics.is_empty() {
            return Ok(value);
        }
        diagnostics.sort_by_key(Diagnostic::position);
        Err(ConfigError { diagnostics })
    }
}

/// Returns a text of the user's, or about it, without control characters.
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

/// Quotes a word of the user's for a message: printable, at most a line long, between backquotes.
pub(super) fn quote(word: &str) -> String {
    const LONGEST: usize = 60;
    match word.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", printable(&word[..end])),
        None => format!("`{}`", printable(word)),
    }
}

/// Returns `did you mean …?` if the word is similar to a known one, else an empty text.
pub(super) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    super::closest(word, known)
        .map(|similar| format!("did you mean {}?", quote(similar)))
        .unwrap_or_default()
}
