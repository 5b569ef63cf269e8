//! Files in places that others write to as well, and the one way to replace a file.
//!
//! A name that was right a moment ago can lead elsewhere now: a program that runs beside this one
//! may have put a link, a pipe or another directory there. So a [`Directory`] is held, and files
//! are made in it by its descriptor. No link is followed, and no existing file is written to. Only
//! a regular file is read ([`open()`]), so that nobody waits for it. [`replace()`] writes a file
//! aside, syncs it and renames it.
//!
//! Nothing here knows of runs, jobs or reports.

mod directory;
mod pipe;
mod place;
mod regular;
mod remove;
mod replace;

pub use directory::{ASIDE, Directory};
pub use pipe::open_or_wait;
pub use place::Place;
pub use regular::{open, open_own, open_plain, read};
pub use remove::remove_tree;
pub use replace::{create, replace, replace_kept};
