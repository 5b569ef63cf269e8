//! Ends the orphans of jobs: processes whose helper was killed. They become children of kata-ci,
//! which is a subreaper.
//!
//! A helper has a session of its own, and no process can go back to a session that it has left. So
//! a child in another session is an orphan if it is not a helper and was not there before the first
//! run. Only orphans are waited for here; other children belong to the rest of the program.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, getsid};

use super::processes;
use super::processes::Process;

/// The children that are not orphans: helpers, and children from before the first run.
static KNOWN: Mutex<Option<BTreeSet<i32>>> = Mutex::new(None);

/// The pause between two rounds of killing.
const PAUSE: Duration = Duration::from_millis(2);

fn known() -> MutexGuard<'static, Option<BTreeSet<i32>>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes this process the parent of future orphans, before the first helper starts. A kernel that
/// refuses (before Linux 3.4) leaves them to init.
fn adopt(known: &mut Option<BTreeSet<i32>>) -> &mut BTreeSet<i32> {
    known.get_or_insert_with(|| {
        let _ = prctl::set_child_subreaper(true);
        children().into_iter().map(|child| child.pid).collect()
    })
}

/// Starts a helper so that no sweep takes it for an orphan. `start` returns it with its process id.
pub(super) fn start_known<T, E>(start: impl FnOnce() -> Result<(T, i32), E>) -> Result<T, E> {
    let mut known = known();
    let adopted = adopt(&mut known);
    let (helper, pid) = start()?;
    adopted.insert(pid);
    Ok(helper)
}

/// Forgets a helper that was waited for.
pub(super) fn forget(pid: i32) {
    if let Some(known) = known().as_mut() {
        known.remove(&pid);
    }
}

/// Kills orphans and their descendants until none is left or the time is up. Returns those that are
/// left.
pub(super) fn sweep(deadline: Instant) -> Vec<String> {
    loop {
        let left = kill_orphans(&known());
        if left.is_empty() {
            return Vec::new();
        }
        if Instant::now() >= deadline {
            return left.iter().map(Process::describe).collect();
        }
        thread::sleep(PAUSE);
    }
}

/// Kills once, under the lock, so that no helper starts or is forgotten meanwhile. Returns the
/// processes that were not waited for yet.
fn kill_orphans(known: &Option<BTreeSet<i32>>) -> Vec<Process> {
    let is_known = |pid| known.as_ref().is_some_and(|known| known.contains(&pid));
    let mut orphans = children();
    orphans.retain(|child| !is_known(child.pid));
    let roots: Vec<_> = orphans.iter().map(|orphan| orphan.pid).collect();
    orphans.extend(processes::descendants(processes::all(), &roots));
    for orphan in &orphans {
        orphan.signal(Signal::SIGKILL);
    }
    orphans.retain(|orphan| {
        !orphan.is_zombie || waitpid(Pid::from_raw(orphan.pid), Some(WaitPidFlag::WNOHANG)).is_err()
    });
    orphans
}

/// Returns the children of this process that are in another session.
fn children() -> Vec<Process> {
    let (own, session) = (Pid::this().as_raw(), getsid(None).map(Pid::as_raw));
    let mut children = processes::all();
    children.retain(|child| child.parent == own && Ok(child.session) != session);
    children
}
