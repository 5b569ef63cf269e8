//! The events of `gerrit stream-events`: lines of bytes become hints about changes.
//!
//! Invariants: any bytes are accepted. A line that was cut, is not JSON or lacks what its type
//! needs is [`StreamEvent::Damaged`], because something may have been lost with it. A type that is
//! not known is [`StreamEvent::Other`]. Memory stays bounded by the longest line that is kept.
//!
//! An event says that something happened, and never how things stand now: events are doubled,
//! delayed and lost. Whoever takes one asks the server before acting on it.

mod event;
mod lines;

pub use event::{ChangeEvent, ChangeEventKind, PatchSetName, StreamEvent, WANTED};
pub use lines::{Line, Lines};
