//! A step of setting up a sandbox that the system refused.

use std::{fmt, io};

use nix::errno::Errno;

/// Which step it was, in words, and what the system said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// `mounting /proc`
    pub step: String,
    pub errno: Errno,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {} ({:?})",
            self.step,
            self.errno.desc(),
            self.errno
        )
    }
}

/// Adds to what the system said which step it refused.
pub(super) trait Step<T> {
    /// Names the step.
    fn step(self, what: impl FnOnce() -> String) -> Result<T, Refused>;
}

impl<T, E: Into<io::Error>> Step<T> for Result<T, E> {
    fn step(self, what: impl FnOnce() -> String) -> Result<T, Refused> {
        self.map_err(|error| Refused {
            step: what(),
            errno: Errno::from_raw(error.into().raw_os_error().unwrap_or(0)),
        })
    }
}
