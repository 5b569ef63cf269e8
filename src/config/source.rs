//! A configuration text, and locations in it.
//!
//! Invariant: a [`Location`]'s span lies within its document's text, so a diagnostic can always be
//! shown.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The source of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipelineSource {
    /// A shipped pipeline (see [`super::shipped()`]), by its name.
    Shipped(&'static str),
    /// A file, with the path that the user wrote; errors show it like that.
    File(PathBuf),
}

impl PipelineSource {
    /// Returns the directory that paths in it are relative to; `None` for a shipped pipeline.
    pub(super) fn directory(&self) -> Option<&Path> {
        match self {
            Self::Shipped(_) => None,
            Self::File(path) => path.parent(),
        }
    }

    /// Returns a source that is equal for all ways to write one file.
    pub(super) fn identity(&self) -> Self {
        match self {
            Self::Shipped(name) => Self::Shipped(name),
            Self::File(path) => Self::File(path.canonicalize().unwrap_or_else(|_| path.clone())),
        }
    }
}

impl fmt::Display for PipelineSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped(name) => formatter.write_str(name),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

/// A text and its source.
#[derive(Debug)]
pub(super) struct Document {
    /// The source.
    pub source: PipelineSource,
    /// The whole text.
    pub text: String,
}

impl Document {
    /// Returns the name that errors use.
    pub fn title(&self) -> String {
        match &self.source {
            PipelineSource::Shipped(name) => format!("shipped pipeline {name}.toml"),
            PipelineSource::File(path) => path.display().to_string(),
        }
    }
}

/// A part of a document.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// The document.
    pub document: Arc<Document>,
    /// The range of bytes in its text.
    pub span: Range<usize>,
}

impl Location {
    /// Makes a location of the part of the span that lies on its first line, because carets under a
    /// whole script do not help.
    pub fn new(document: &Arc<Document>, span: Range<usize>) -> Self {
        let text = &document.text;
        let start = text.floor_char_boundary(span.start);
        let end = text.ceil_char_boundary(span.end.max(start));
        let line = text[start..end].find('\n').map_or(end, |at| start + at);
        Self {
            document: Arc::clone(document),
            span: start..line,
        }
    }
}

/// A value and its location. Two are equal if their values are.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    /// The value.
    pub value: T,
    /// The location at which it is written.
    pub place: Location,
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
