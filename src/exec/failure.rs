//! A failure that kept a job from its own end, with its fix.

use std::io;
use std::path::Path;

use crate::outcome::{Trouble, Verdict, unstarted};

/// A [`Trouble`] with the fix, where one is known to help.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub trouble: Trouble,
    pub fix: Option<String>,
}

impl Failure {
    /// Makes the failure of something that kata-ci could not do.
    pub fn infrastructure(what: impl Into<String>) -> Self {
        Self {
            trouble: Trouble::Infrastructure(what.into()),
            fix: None,
        }
    }

    /// Makes the failure of an operation that fails again until its cause is fixed.
    pub fn lasting(what: impl Into<String>) -> Self {
        Self {
            trouble: Trouble::Lasting(what.into()),
            fix: None,
        }
    }

    /// Makes the failure of a job that was cancelled for this reason.
    pub fn cancelled(why: impl Into<String>) -> Self {
        Self {
            trouble: Trouble::Cancelled(why.into()),
            fix: None,
        }
    }

    /// Makes the failure of a system call on a path.
    pub fn of_path(what: &str, path: &Path, error: &io::Error) -> Self {
        Self {
            fix: fix_of(error),
            ..Self::infrastructure(format!("{what} {}: {error}", path.display()))
        }
    }

    /// Makes the failure of a system call without a path.
    pub fn of_system(what: &str, error: &io::Error) -> Self {
        Self {
            fix: fix_of(error),
            ..Self::infrastructure(format!("{what}: {error}"))
        }
    }

    /// Returns the verdict on a job that this failure kept from its start.
    pub fn verdict(self) -> Verdict {
        unstarted(&self.trouble, self.fix)
    }

    /// Adds the fix.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

fn fix_of(error: &io::Error) -> Option<String> {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    const EMFILE: i32 = nix::errno::Errno::EMFILE as i32;
    const EAGAIN: i32 = nix::errno::Errno::EAGAIN as i32;
    let fix = match error.kind() {
        StorageFull | QuotaExceeded => "free some space, or choose another place for the report",
        PermissionDenied | ReadOnlyFilesystem => "make it writable, or choose another place",
        _ => match error.raw_os_error()? {
            EMFILE => "raise the limit of open files (`ulimit -n`), or run fewer jobs side by side",
            EAGAIN => "raise the limit of processes (`ulimit -u`), or run fewer jobs side by side",
            _ => return None,
        },
    };
    Some(fix.to_owned())
}
