//! The answer of a part before it is cleaned: bytes within bounds, and how they came to an end.

use std::fmt;
use std::time::Duration;

/// The most bytes that are kept, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// The first bytes. Reading ends when they are there.
    Head(usize),
    /// The last bytes: those of a log.
    Tail(usize),
}

/// The bytes that were kept.
#[derive(Debug)]
pub(super) struct Bounded {
    keep: Keep,
    bytes: Vec<u8>,
    /// The number of bytes that came, or that there are.
    total: u64,
}

impl Bounded {
    pub fn new(keep: Keep) -> Self {
        Self {
            keep,
            bytes: Vec::new(),
            total: 0,
        }
    }

    /// Takes the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        match self.keep {
            Keep::Head(most) => {
                let room = most.saturating_sub(self.bytes.len());
                self.bytes
                    .extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            Keep::Tail(most) => {
                self.bytes.extend_from_slice(bytes);
                if self.bytes.len() > 2 * most {
                    self.bytes.drain(..self.bytes.len() - most);
                }
            }
        }
    }

    /// Counts bytes that are not read.
    pub fn skip(&mut self, bytes: u64) {
        self.total += bytes;
    }

    /// Returns true if no further byte would be kept.
    pub fn is_full(&self) -> bool {
        matches!(self.keep, Keep::Head(most) if self.total > most as u64)
    }

    /// Returns the number of bytes that came.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns the bytes that were kept, whole lines only if some were not.
    pub fn into_bytes(mut self) -> Vec<u8> {
        let most = match self.keep {
            Keep::Head(most) | Keep::Tail(most) => most,
        };
        let surplus = self.bytes.len().saturating_sub(most);
        self.bytes.drain(..surplus);
        if self.total <= self.bytes.len() as u64 {
            return self.bytes;
        }
        // Half a line may be half a secret without the name that tells it.
        match self.keep {
            Keep::Head(_) => {
                let end = self.bytes.iter().rposition(|byte| *byte == b'\n');
                self.bytes.truncate(end.map_or(0, |end| end + 1));
            }
            Keep::Tail(_) => {
                let start = self.bytes.iter().position(|byte| *byte == b'\n');
                self.bytes
                    .drain(..start.map_or(self.bytes.len(), |at| at + 1));
            }
        }
        self.bytes
    }
}

/// The end of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The program ended with this exit code, or the file was read (0).
    Exited(i32),
    /// The program was ended by a signal of somebody else's.
    Signal(i32),
    /// The program was ended, since no more of its output is kept.
    Cut,
    /// The program was ended.
    Killed,
    /// The program did not answer in this time, and was ended.
    TimedOut(Duration),
    /// The program or file is not there.
    Absent,
    /// The program could not be started, or the file could not be read.
    NotStarted(String),
    /// The part was not asked for this reason.
    NotAsked(String),
}

impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(formatter, "exit {code}"),
            Self::Signal(signal) => write!(formatter, "ended by signal {signal}"),
            Self::Cut => formatter.write_str("ended: it printed too much"),
            Self::Killed => formatter.write_str("ended"),
            Self::TimedOut(after) => {
                write!(
                    formatter,
                    "no answer in {:.1} s, ended",
                    after.as_secs_f64()
                )
            }
            Self::Absent => formatter.write_str("not there"),
            Self::NotStarted(why) => write!(formatter, "failed: {why}"),
            Self::NotAsked(why) => write!(formatter, "not asked: {why}"),
        }
    }
}

/// The answer of a part.
#[derive(Debug)]
pub(super) struct Raw {
    /// The output, or the content of files.
    pub output: Bounded,
    /// Standard error.
    pub errors: Vec<u8>,
    /// The end.
    pub end: End,
    /// The time that it took.
    pub seconds: f64,
}

impl Raw {
    /// Returns an answer without any text.
    pub fn ended(end: End) -> Self {
        Self {
            output: Bounded::new(Keep::Head(0)),
            errors: Vec::new(),
            end,
            seconds: 0.0,
        }
    }

    /// Returns an answer that kata-ci found itself.
    pub fn found(text: &str, keep: Keep, end: End) -> Self {
        let mut output = Bounded::new(keep);
        output.add(text.as_bytes());
        Self {
            output,
            errors: Vec::new(),
            end,
            seconds: 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(keep: Keep, pieces: &[&str]) -> (String, u64) {
        let mut bounded = Bounded::new(keep);
        for piece in pieces {
            bounded.add(piece.as_bytes());
        }
        let total = bounded.total();
        (String::from_utf8(bounded.into_bytes()).unwrap(), total)
    }

    #[test]
    fn what_is_cut_ends_with_a_whole_line() {
        let pieces = ["one\ntwo\n", "three\nfour\n"];
        assert_eq!(kept(Keep::Head(100), &pieces).0, "one\ntwo\nthree\nfour\n");
        assert_eq!(kept(Keep::Head(10), &pieces), ("one\ntwo\n".into(), 19));
        assert_eq!(kept(Keep::Tail(8), &pieces), ("four\n".into(), 19));
        assert_eq!(kept(Keep::Tail(3), &["no newline at all"]).0, "");
    }
}
