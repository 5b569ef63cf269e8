//! Stores long texts. A short text stays in memory; a long one goes to an unnamed temporary file,
//! so that the outputs in a hundred reports do not have to fit into memory.

use std::borrow::Cow;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The most bytes of a text that stays in memory.
const SHORT: usize = 1024;

/// A clean text.
#[derive(Debug, Clone, Default)]
pub enum Text {
    /// No text.
    #[default]
    Empty,
    /// A text in memory.
    Here(Box<str>),
    /// A text in a spool.
    Spooled(Spooled),
}

/// A position in a spool. The digest stands for the text wherever texts are compared.
#[derive(Debug, Clone)]
pub struct Spooled {
    spool: Spool,
    start: u64,
    length: usize,
    digest: u64,
}

impl Text {
    /// Keeps a text in memory, whatever its length.
    pub fn here(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Here(text)
        }
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Here(text) => text.len(),
            Self::Spooled(spooled) => spooled.length,
        }
    }

    /// Returns true if there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the whole text.
    pub fn load(&self) -> io::Result<Cow<'_, str>> {
        match self {
            Self::Empty => Ok(Cow::Borrowed("")),
            Self::Here(text) => Ok(Cow::Borrowed(text)),
            Self::Spooled(spooled) => spooled.load().map(Cow::Owned),
        }
    }

    fn digest(&self) -> u64 {
        match self {
            Self::Empty => digest(""),
            Self::Here(text) => digest(text),
            Self::Spooled(spooled) => spooled.digest,
        }
    }
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.digest() == other.digest()
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.len(), self.digest()).hash(state);
    }
}

impl Spooled {
    fn load(&self) -> io::Result<String> {
        let mut bytes = vec![0; self.length];
        self.spool.file()?.read_exact_at(&mut bytes, self.start)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}

/// A temporary file for texts, made with the first of them. It has no name, so it is gone with the
/// process.
#[derive(Debug, Clone, Default)]
pub struct Spool(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    file: OnceLock<File>,
    end: Mutex<u64>,
}

impl Spool {
    /// Stores a text.
    pub fn keep(&self, text: &str) -> io::Result<Text> {
        if text.len() <= SHORT {
            return Ok(Text::here(text));
        }
        let mut end = self.0.end.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.file.get().is_none() {
            let _ = self.0.file.set(tempfile::tempfile()?);
        }
        let start = *end;
        self.file()?.write_all(text.as_bytes())?;
        *end += text.len() as u64;
        Ok(Text::Spooled(Spooled {
            spool: self.clone(),
            start,
            length: text.len(),
            digest: digest(text),
        }))
    }

    fn file(&self) -> io::Result<&File> {
        let missing = || io::Error::other("nothing was stored there");
        self.0.file.get().ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_comes_back_from_the_spool() {
        let spool = Spool::default();
        let long = "é".repeat(SHORT);
        let texts: Vec<_> = ["short", "", &long, &long[2..]]
            .into_iter()
            .map(|text| (text, spool.keep(text).unwrap()))
            .collect();
        for (text, kept) in &texts {
            assert_eq!(kept.load().unwrap(), *text);
            assert_eq!(kept.len(), text.len());
            assert_eq!(*kept, Text::here(*text));
        }
        assert_ne!(texts[2].1, texts[3].1);
        assert!(matches!(texts[2].1, Text::Spooled(_)));
    }
}
