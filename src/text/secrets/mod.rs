//! Masks secrets in text: the one cleaner of the whole project.
//!
//! [`mask`] and [`blank`] find secrets that nobody told them of, by their form and by the names
//! that they are assigned to. [`KnownSecrets`] hides values that are known, in a stream.
//! [`Masker`] masks many texts, and in each of them what was a secret in another one.
//!
//! Invariants: a name of a secret stays, its value goes. A masked text holds no more secrets, and
//! masking it again changes nothing. A text that is cut inside of a secret is masked up to the cut.

mod assigned;
mod known;
mod names;
mod patterns;
mod pem;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeSet;
use std::ops::Range;

pub use known::KnownSecrets;

/// The text in place of a secret.
pub const MASK: &str = "***";

/// The least length of a secret that is looked for in other texts too.
const LEAST_KNOWN: usize = 8;

/// The most secrets that are looked for in other texts.
const MOST_KNOWN: usize = 500;

/// A text without its secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Masked {
    /// The text, with [`MASK`] in place of each secret.
    pub text: String,
    /// The number of secrets.
    pub count: usize,
}

/// Replaces every secret.
pub fn mask(text: &str) -> Masked {
    replace(text, &find(text))
}

/// Replaces every secret by asterisks. The length in bytes stays, so that every position stays.
pub fn blank(text: &str) -> String {
    let mut blank = String::with_capacity(text.len());
    let mut at = 0;
    for span in find(text) {
        blank.push_str(&text[at..span.start]);
        blank.extend(std::iter::repeat_n('*', span.len()));
        at = span.end;
    }
    blank.push_str(&text[at..]);
    blank
}

/// Masks several texts that may quote each other.
#[derive(Debug, Default)]
pub struct Masker {
    known: BTreeSet<String>,
}

impl Masker {
    /// Masks a text, and remembers its secrets.
    pub fn mask(&mut self, text: &str) -> Masked {
        let spans = find(text);
        for span in &spans {
            self.learn(&text[span.clone()]);
        }
        replace(text, &spans)
    }

    /// Masks what was a secret in any of the texts. Call it for each when all are masked.
    pub fn mask_known(&self, masked: Masked) -> Masked {
        let mut spans: Vec<Range<usize>> = Vec::new();
        for secret in &self.known {
            let found = memchr::memmem::find_iter(masked.text.as_bytes(), secret.as_bytes());
            spans.extend(found.map(|at| at..at + secret.len()));
        }
        let again = replace(&masked.text, &merged(spans, &masked.text));
        Masked {
            text: again.text,
            count: masked.count + again.count,
        }
    }

    fn learn(&mut self, secret: &str) {
        let user = secret.split_once(':').map(|(_, password)| password);
        for word in [Some(secret), user].into_iter().flatten() {
            let word = word.trim();
            let is_one = word.len() >= LEAST_KNOWN && !word.contains(char::is_whitespace);
            if is_one && values::looks_secret(word) && self.known.len() < MOST_KNOWN {
                self.known.insert(word.to_owned());
            }
        }
    }
}

/// Returns the spans of all secrets, in their order, none overlapping another.
fn find(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    pem::find(text, &mut spans);
    patterns::find(text, &mut spans);
    assigned::find(text, &mut spans);
    merged(spans, text)
}

/// Joins spans that overlap, and leaves out those of masks.
fn merged(mut spans: Vec<Range<usize>>, text: &str) -> Vec<Range<usize>> {
    spans.retain(|span| text[span.clone()].chars().any(|letter| letter != '*'));
    spans.sort_by_key(|span| (span.start, span.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

fn replace(text: &str, spans: &[Range<usize>]) -> Masked {
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        masked.push_str(&text[at..span.start]);
        masked.push_str(MASK);
        at = span.end;
    }
    masked.push_str(&text[at..]);
    Masked {
        text: masked,
        count: spans.len(),
    }
}
