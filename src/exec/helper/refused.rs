//! A failed step of setting up a sandbox.

use std::{fmt, io};

use nix::errno::Errno;

/// The step, and the error of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// The description, such as `mounting /proc`.
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

/// Adds the step to an error of the system.
pub(super) trait Describe<T> {
    /// Describes the step.
    fn describe(self, what: impl FnOnce() -> String) -> Result<T, Refused>;
}

impl<T, E: Into<io::Error>> Describe<T> for Result<T, E> {
    fn describe(self, what: impl FnOnce() -> String) -> Result<T, Refused> {
        self.map_err(|error| Refused {
            step: what(),
            errno: Errno::from_raw(error.into().raw_os_error().unwrap_or(0)),
        })
    }
}
