//! Who needed the network while it was off: jobs that failed are told what they tried to reach, and so are their cases.
//!
//! It is what their output says, nothing else: one that hides its errors is not found out.

use std::io;
use std::sync::Arc;

use super::log::Written;
use crate::event::{CaseFinished, Span};
use crate::outcome::Circumstance;
use crate::parse::{NAMELESS, network_fix, network_tried};

/// Bytes looked at of a log, from its end: what a job failed of stands there.
const OF_A_JOB: u64 = 32 << 20;

/// Bytes looked at of each piece of a case's output.
const OF_A_PIECE: u64 = 64 << 10;

/// Pieces looked at of a case's output.
const PIECES: usize = 8;

/// Longest message of a case, see [`CaseFinished::message`].
const LONGEST: usize = 1024;

/// The log of a job that has no network.
#[derive(Debug)]
pub(super) struct Offline {
    log: Arc<Written>,
}

impl Offline {
    pub fn new(log: Arc<Written>) -> Self {
        Self { log }
    }

    /// Returns the addresses that the job tried to reach, as its output tells.
    pub fn tried(&self) -> Vec<String> {
        network_tried(&self.log.tail(OF_A_JOB).unwrap_or_default())
    }

    /// Tells a case that failed what it tried to reach.
    pub fn tell(&self, case: &mut CaseFinished) {
        if !case.status.is_bad() {
            return;
        }
        let message = case.message.as_deref().unwrap_or_default();
        let mut tried = network_tried(message.as_bytes());
        if tried.is_empty() {
            tried = network_tried(&self.output_of(&case.output).unwrap_or_default());
        }
        if !tried.is_empty() {
            case.message = Some(with_words(message, &words(&tried)));
        }
    }

    fn output_of(&self, spans: &[Span]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for span in spans.iter().take(PIECES) {
            let length = span.end.saturating_sub(span.start).min(OF_A_PIECE);
            self.log.read(span.start, length, &mut bytes)?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}

/// Describes the addresses that the job tried to reach; `None` if there are none.
pub(super) fn refused(tried: &[String]) -> Option<Circumstance> {
    (!tried.is_empty()).then(|| Circumstance {
        what: words(tried),
        fix: network_fix().to_owned(),
    })
}

fn words(tried: &[String]) -> String {
    match tried {
        [name] if name == NAMELESS => "the network was off, and it tried to use it".to_owned(),
        names => format!(
            "the network was off, and it tried to reach {}",
            names.join(", ")
        ),
    }
}

/// The words come last, whole if they fit at all.
fn with_words(message: &str, words: &str) -> String {
    let words = &words[..words.floor_char_boundary(LONGEST / 2)];
    let room = LONGEST - words.len() - 2;
    match &message[..message.floor_char_boundary(room)] {
        "" => words.to_owned(),
        message => format!("{message}; {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_beginning_and_what_was_tried_in_a_kibibyte() {
        let message = "ä".repeat(600);
        let told = with_words(&message, &words(&["example.com".to_owned()]));
        assert!(told.len() <= LONGEST && told.starts_with("ää"), "{told}");
        assert!(told.ends_with("; the network was off, and it tried to reach example.com"));
        let many = vec!["a".repeat(250); 10];
        assert!(with_words(&message, &words(&many)).len() <= LONGEST);
    }

    #[test]
    fn only_what_was_tried_is_a_circumstance() {
        assert_eq!(refused(&[]), None);
        let refused = refused(&["github.com".to_owned()]).unwrap();
        assert_eq!(
            refused.what,
            "the network was off, and it tried to reach github.com"
        );
        assert_eq!(refused.fix, network_fix());
        assert!(words(&[NAMELESS.to_owned()]).ends_with("tried to use it"));
    }
}
