//! Keeps the words of compilers and of vet about Go packages: the first of each package.

use std::collections::HashMap;

use super::grammar;
use super::log::location;
use crate::parse::clean;
use crate::parse::finding::CaseDetails;

/// The most packages whose messages are kept.
const MOST: usize = 1000;
/// The most lines below a heading that are looked at.
const PATIENCE: u32 = 20;

/// The messages that have been read so far.
#[derive(Debug, Default)]
pub(in crate::parse) struct Builds {
    messages: HashMap<String, CaseDetails>,
    /// The package of the first message, which may explain packages that need it.
    first: Option<String>,
    /// The package whose heading stands above, and the number of lines since.
    below: Option<(String, u32)>,
    /// True if a running test may have printed that heading.
    is_inside: bool,
    /// The first message that no test has printed, in words.
    proven: Option<String>,
}

impl Builds {
    /// Returns true if the next line is wanted, whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        (self.below.as_ref()).is_some_and(|(package, lines)| {
            *lines < PATIENCE && !self.messages.contains_key(package)
        })
    }

    /// Returns true if lines are below the heading of a package.
    pub(in crate::parse) fn is_below(&self) -> bool {
        self.below.is_some()
    }

    /// Takes a line. Returns true if it is the heading of a package. With `is_inside` a running
    /// test may have printed it.
    pub(in crate::parse) fn line(&mut self, text: &str, is_inside: bool) -> bool {
        if let Some(package) = grammar::build_header(text) {
            self.below = Some((package.to_owned(), 0));
            self.is_inside = is_inside;
            return true;
        }
        if let Some((package, lines)) = &mut self.below {
            *lines += 1;
            let package = package.clone();
            if let Some(message) = build_message(text) {
                self.add(&package, message);
            } else if (text.contains("ld: ") || text.contains("error: "))
                && !text.contains("warning: ")
            {
                self.add(&package, CaseDetails::saying(text));
            }
        }
        false
    }

    /// Adds a message about a package.
    pub(in crate::parse) fn add(&mut self, package: &str, message: CaseDetails) {
        if !self.is_inside && self.proven.is_none() {
            self.proven = Some(in_words(package, &message));
        }
        if self.messages.len() < MOST {
            self.first.get_or_insert_with(|| package.to_owned());
            self.messages.entry(package.to_owned()).or_insert(message);
        }
    }

    /// Returns the words of the first message that no test has printed.
    pub(in crate::parse) fn proven(&self) -> Option<&str> {
        self.proven.as_deref()
    }

    /// Ends the lines below a heading.
    pub(in crate::parse) fn end_heading(&mut self) {
        self.below = None;
    }

    /// Returns the message that explains why the package was not built: its own, or else the first
    /// about a package that it may need.
    pub(in crate::parse) fn explain(
        &mut self,
        package: &str,
        note: Option<&str>,
    ) -> Option<CaseDetails> {
        self.end_heading();
        let own = self.messages.get(package);
        let is_broken = note.is_some_and(|note| note.ends_with(" failed"));
        let other = self.first.as_ref().filter(|_| is_broken);
        own.or_else(|| self.messages.get(other?)).cloned()
    }
}

fn in_words(package: &str, message: &CaseDetails) -> String {
    let place = match (&message.file, message.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: "),
        _ => String::new(),
    };
    let said = message.message.as_deref().unwrap_or_default();
    format!("go says of {package}: {place}{said}")
}

/// Parses `file.go:12:3: what is wrong`.
fn build_message(text: &str) -> Option<CaseDetails> {
    let text = text.strip_prefix("vet: ").unwrap_or(text);
    let (file, line, rest) = location(text)?;
    if text.starts_with([' ', '\t']) || file.contains(' ') {
        return None;
    }
    let rest = rest.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
    // A C compiler warns of lines in Go files too.
    let is_harmless = ["warning: ", "note: "]
        .iter()
        .any(|word| rest.trim_start().starts_with(word));
    (!is_harmless).then(|| CaseDetails {
        message: clean::message(rest),
        file: Some(file.to_owned()),
        line: Some(line),
        ..CaseDetails::default()
    })
}

/// Parses the message in the output of a build, as an event has it.
pub(in crate::parse) fn of_event(output: &str) -> Option<CaseDetails> {
    build_message(output.trim_end())
}
