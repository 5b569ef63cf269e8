//! An event with its place in the run: the line of `events.jsonl`.

use serde::{Deserialize, Serialize};

use super::Event;

/// The `v` of every record. A reader meets a higher number only in a journal of a later kata-ci.
pub const FORMAT_VERSION: u32 = 1;

/// One line of `events.jsonl` and of `--format json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Format version, [`FORMAT_VERSION`].
    pub v: u32,
    /// Position in the run, from 0, without gaps.
    pub seq: u64,
    /// When the event was put on the bus (RFC 3339, UTC).
    pub time: jiff::Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}
