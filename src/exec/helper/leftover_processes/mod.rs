//! Finds the processes, mounts and sockets that a job leaves behind. The helper looks from inside
//! of the job's namespaces, before it kills the last process. Files are found by
//! `crate::exec::leftover_files`.
//!
//! In namespaces of its own, everything new belongs to the job. Otherwise only what its processes
//! hold is known to be the job's; anything else that is new is reported as of unknown origin.

mod mounts;
mod sockets;

use std::collections::BTreeSet;
use std::fs;
use std::io;

use crate::event::LeftBehind;
use crate::exec::isolation::Sandbox;
use crate::exec::processes::Process;
use mounts::Mounts;

/// Largest number of entries of each kind to name.
pub(super) const NAMED: usize = 20;

/// The state before the job.
#[derive(Debug)]
pub(super) struct Before {
    mounts: io::Result<Mounts>,
    has_own_mounts: bool,
    has_own_network: bool,
}

impl Before {
    /// Takes the state.
    pub fn look(sandbox: &Sandbox) -> Self {
        Self {
            mounts: Mounts::look(),
            has_own_mounts: sandbox.space.is_some(),
            has_own_network: sandbox.network,
        }
    }

    /// Returns everything that is new, while these processes of the job are left.
    pub fn compare(&self, processes: &[Process]) -> LeftBehind {
        let mut left = LeftBehind {
            processes: described(processes),
            more_processes: beyond_named(processes.len()),
            ..LeftBehind::default()
        };
        self.compare_mounts(&mut left);
        // Only a process can listen.
        if !processes.is_empty() {
            self.look_at_sockets(processes, &mut left);
        }
        left
    }

    fn compare_mounts(&self, left: &mut LeftBehind) {
        let mut appeared = match (&self.mounts, Mounts::look()) {
            (Ok(before), Ok(now)) => now.without(before),
            (Err(error), _) => return left.unknown.push(format!("mounts: {error}")),
            (_, Err(error)) => return left.unknown.push(format!("mounts: {error}")),
        };
        if self.has_own_mounts {
            left.more_mounts = beyond_named(appeared.len());
            appeared.truncate(NAMED);
            left.mounts = appeared;
        } else if !appeared.is_empty() {
            left.unknown.push(format!(
                "whose mounts these are, which appeared on this machine while it ran, and stay until `umount`: {}",
                in_words(&appeared)
            ));
        }
    }

    fn look_at_sockets(&self, processes: &[Process], left: &mut LeftBehind) {
        let held = match self.has_own_network {
            true => None,
            false => Some(held(processes, &mut left.unknown)),
        };
        match sockets::listening() {
            Ok(all) => {
                let own = all
                    .into_iter()
                    .filter(|(inode, _)| held.as_ref().is_none_or(|held| held.contains(inode)))
                    .map(|(_, words)| words);
                let own: BTreeSet<_> = own.collect();
                left.more_sockets = beyond_named(own.len());
                left.sockets = own.into_iter().take(NAMED).collect();
            }
            Err(error) => left.unknown.push(format!("listening sockets: {error}")),
        }
    }
}

/// Describes the first processes.
pub(super) fn described(processes: &[Process]) -> Vec<String> {
    let first = processes.iter().take(NAMED);
    first.map(Process::describe).collect()
}

fn beyond_named(count: usize) -> u64 {
    count.saturating_sub(NAMED) as u64
}

/// Returns the inodes of the sockets that the processes hold.
fn held(processes: &[Process], unknown: &mut Vec<String>) -> BTreeSet<u64> {
    let mut inodes = BTreeSet::new();
    for process in processes {
        match fs::read_dir(format!("/proc/{}/fd", process.pid)) {
            Ok(entries) => inodes.extend(
                entries
                    .flatten()
                    .filter_map(|entry| fs::read_link(entry.path()).ok())
                    .filter_map(|link| sockets::inode(&link.to_string_lossy())),
            ),
            // It has just ended.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => unknown.push(format!("what {} listens on: {error}", process.describe())),
        }
    }
    inodes
}

/// Lists the first entries, and the number of the others.
fn in_words(all: &[String]) -> String {
    let named = all[..all.len().min(NAMED)].join(", ");
    match beyond_named(all.len()) {
        0 => named,
        more => format!("{named}, {more} more"),
    }
}
