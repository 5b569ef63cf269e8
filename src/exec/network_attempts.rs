//! Finds the effects of isolation in the output of a job: the addresses that it tried to reach
//! while its network was off, and errors of its failed cases that isolation can cause.
//!
//! It searches the output and nothing else. A job that hides its errors is not found out.

use std::io;
use std::sync::Arc;

use super::isolation::Sandbox;
use super::log::Written;
use crate::event::{CaseFinished, Span};
use crate::outcome::Circumstance;
use crate::parse::{NAMELESS, isolation_symptom, network_fix, network_tried};

/// The bytes of a log, from its end, that are searched. The cause of a failure stands near the end.
const OF_A_JOB: u64 = 32 << 20;

/// The bytes of each piece of a case's output that are searched.
const OF_A_PIECE: u64 = 64 << 10;

/// The pieces of a case's output that are searched.
const PIECES: usize = 8;

/// The longest message of a case, see [`CaseFinished::message`].
const LONGEST: usize = 1024;

/// The log of a job that something is taken away from.
#[derive(Debug)]
pub(super) struct Isolated {
    log: Arc<Written>,
    /// Not only the places of the host, but its network too.
    is_offline: bool,
}

impl Isolated {
    /// `sandbox` is what is put around the job; none where nothing is.
    pub fn new(log: &Arc<Written>, sandbox: &Sandbox) -> Option<Self> {
        let is_isolated = sandbox.network || sandbox.space.is_some();
        is_isolated.then(|| Self {
            log: Arc::clone(log),
            is_offline: sandbox.network,
        })
    }

    /// Returns the addresses that the job tried to reach while its network was off, as its output
    /// tells.
    pub fn tried(&self) -> Vec<String> {
        match self.is_offline {
            true => network_tried(&self.log.tail(OF_A_JOB).unwrap_or_default()),
            false => Vec::new(),
        }
    }

    /// Adds to the message of a bad case the addresses that it tried to reach, and a hint if
    /// isolation can have caused its errors.
    pub fn tell(&self, case: &mut CaseFinished) {
        if !case.status.is_bad() {
            return;
        }
        let message = case.message.clone().unwrap_or_default();
        let output = self.output_of(&case.output).unwrap_or_default();
        let symptom = isolation_symptom(message.as_bytes()).or_else(|| isolation_symptom(&output));
        let mut told = message.clone();
        if let Some(symptom) = symptom {
            told = with_words(&told, &hint(&symptom));
        }
        let mut tried = network_tried(message.as_bytes());
        if tried.is_empty() {
            tried = network_tried(&output);
        }
        if self.is_offline && !tried.is_empty() {
            told = with_words(&told, &words(&tried));
        }
        case.message = Some(told).filter(|told| !told.is_empty());
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

/// Describes the error in the output of a job that isolation can cause; `None` if there is none.
pub(super) fn suspected(output: &[u8]) -> Option<Circumstance> {
    isolation_symptom(output).map(|symptom| Circumstance {
        what: format!("isolation may be the cause of `{symptom}`"),
        fix: "compare with --compare-isolation".to_owned(),
    })
}

fn hint(symptom: &str) -> String {
    format!("isolation may be the cause of `{symptom}`: compare with --compare-isolation")
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

/// Adds the words to the end of a message, whole if they fit at all.
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
