//! Limits the memory, the processes and the file sizes of a job: by a control group of its own if
//! kata-ci may make one, otherwise by the limits of each process.
//!
//! ```text
//! hierarchy (parents) ─▶ Settling (once a run: tried out) ─▶ Group (a job: made, read, removed)
//! ```
//! Groups are made below the one that kata-ci was started in, so its own limits still hold. They
//! are removed when their job is over. Groups of a killed run are removed by the next run there.
//!
//! The limits guard against accidents: a job that runs as root without `isolate = "on"` can leave
//! its group.

mod delegation;
mod group;
mod hierarchy;
mod probe;
mod rlimit_symptoms;
mod usage;

use serde::{Deserialize, Serialize};

use crate::outcome::Circumstance;

pub(super) use delegation::OwnCgroup;
pub(super) use group::{Group, Used};
pub(super) use probe::{Limited, Settling};
pub(super) use rlimit_symptoms::suspect;

/// A resource that a control group counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Memory,
    Processes,
}

/// The limits of each process of a job, see setrlimit(2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rlimits {
    /// The bytes of private memory that it may ask for. The address space is not limited, because
    /// Go, Java and the sanitizers reserve much more of it than they ever use.
    pub data: Option<u64>,
    /// The number of processes of its user.
    pub processes: Option<u64>,
    /// The bytes of any file.
    pub file_size: Option<u64>,
}

impl Rlimits {
    /// Limits this process, and all processes that it starts from now on.
    pub fn take(&self) -> nix::Result<()> {
        use nix::sys::resource::{Resource, setrlimit};
        for (resource, limit) in [
            (Resource::RLIMIT_DATA, self.data),
            (Resource::RLIMIT_NPROC, self.processes),
            (Resource::RLIMIT_FSIZE, self.file_size),
        ] {
            if let Some(limit) = limit {
                setrlimit(resource, limit, limit)?;
            }
        }
        Ok(())
    }
}

/// Describes a limit that was met, with its key in `[limits]`.
fn circumstance(what: String, key: &str) -> Circumstance {
    Circumstance {
        what,
        fix: format!("raise `{key}` in [limits], or find out what uses so much"),
    }
}

/// Formats bytes as people write them: `64 MiB`, `1.5 GiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = UNITS.iter().find(|(_, shift)| bytes >> shift > 0);
    match unit {
        None => format!("{bytes} B"),
        Some((unit, shift)) => {
            let number = bytes as f64 / (1_u64 << shift) as f64;
            let text = format!("{number:.1}");
            format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let sizes = [1023, 64 << 20, 3 << 29, 2048].map(size);
        assert_eq!(sizes, ["1023 B", "64 MiB", "1.5 GiB", "2 KiB"]);
    }
}
