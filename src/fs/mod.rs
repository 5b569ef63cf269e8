//! Files in places that others write to as well.
//!
//! A name that was right a moment ago can lead elsewhere now: a program that runs beside this one may have put a link, a
//! pipe or another directory there. So a [`Directory`] is held, and what is made in it is made by its descriptor: no link
//! is followed, nothing that is there is written to. What is read is a regular file ([`open`]), which nobody waits for.
//!
//! Nothing here knows of runs, jobs or reports.

mod directory;
mod pipe;
mod place;
mod regular;
mod replace;

pub use directory::{ASIDE, Directory};
pub use pipe::open_or_wait;
pub use place::Place;
pub use regular::{open, open_own, open_plain, read};
pub use replace::replace;
