//! Reads processes and their descent from /proc.
//!
//! A walk of /proc is not a snapshot: it can miss a process that forks meanwhile. A caller who must
//! be sure repeats it until waitpid(2) says that there are no children.

use std::collections::BTreeMap;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The longest description of a process, in characters.
const DESCRIPTION: usize = 120;

/// The useful fields of /proc/PID/stat, see proc_pid_stat(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub pid: i32,
    pub parent: i32,
    pub group: i32,
    pub session: i32,
    /// True if it ended and was not waited for yet.
    pub is_zombie: bool,
    /// The program's name, at most 15 bytes.
    pub name: String,
}

impl Process {
    fn parse(stat: &str) -> Option<Self> {
        // The name is in parentheses, and can itself hold parentheses and blanks.
        let (pid, rest) = stat.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let mut fields = rest.split(' ');
        let state = fields.next()?;
        let mut number = || fields.next()?.parse().ok();
        Some(Self {
            pid: pid.parse().ok()?,
            parent: number()?,
            group: number()?,
            session: number()?,
            is_zombie: matches!(state, "Z" | "X"),
            name: name.to_owned(),
        })
    }

    /// Sends a signal. A process that has just ended is no error.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.pid), signal);
    }

    /// Returns `NAME (PID): COMMAND LINE` in one line of clean text.
    pub fn describe(&self) -> String {
        let bytes = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let words = String::from_utf8_lossy(&bytes).replace('\0', " ");
        let text = match words.trim() {
            "" => format!("{} ({})", self.name, self.pid),
            words => format!("{} ({}): {words}", self.name, self.pid),
        };
        text.chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .take(DESCRIPTION)
            .collect()
    }
}

/// Returns every process that can be seen.
pub(super) fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit())
        .filter_map(|entry| fs::read(entry.path().join("stat")).ok())
        .filter_map(|stat| Process::parse(&String::from_utf8_lossy(&stat)))
        .collect()
}

/// Returns the children of the calling thread in the quickest way. Some can be missing while others
/// end, and all are missing on a kernel without CONFIG_PROC_CHILDREN, see proc_tid_children(5).
pub(super) fn children_of_this_thread() -> Vec<Pid> {
    let text = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    text.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .map(Pid::from_raw)
        .collect()
}

/// Returns the processes that descend from one of the roots, parents before children, without the
/// roots.
pub(super) fn descendants(processes: Vec<Process>, roots: &[i32]) -> Vec<Process> {
    let mut children: BTreeMap<i32, Vec<Process>> = BTreeMap::new();
    for process in processes {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found: Vec<Process> = Vec::new();
    for root in roots {
        found.extend(children.remove(root).unwrap_or_default());
    }
    let mut next = 0;
    while let Some(process) = found.get(next) {
        let more = children.remove(&process.pid).unwrap_or_default();
        found.extend(more);
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32) -> Process {
        let stat = format!("{pid} (p {pid}) S {parent} 7 8 0 -1");
        Process::parse(&stat).unwrap()
    }

    #[test]
    fn a_name_may_look_like_the_end_of_a_name() {
        let process = Process::parse("12 (a) Z 1 (b)) Z 3 4 5 0 -1\n").unwrap();
        assert_eq!(process.name, "a) Z 1 (b)");
        assert_eq!((process.pid, process.parent), (12, 3));
        assert_eq!((process.group, process.session), (4, 5));
        assert!(process.is_zombie);
    }

    #[test]
    fn a_line_cut_short_is_no_process() {
        for stat in ["", "1", "1 (x", "1 (x) S 2", "1 (x) S 2 3 y"] {
            assert_eq!(Process::parse(stat), None, "{stat}");
        }
    }

    #[test]
    fn descendants_come_after_their_parents_and_strangers_not_at_all() {
        let all = vec![
            process(9, 5),
            process(5, 2),
            process(2, 1),
            process(3, 1),
            process(6, 3),
        ];
        let pids = |roots: &[i32]| -> Vec<i32> {
            descendants(all.clone(), roots)
                .iter()
                .map(|process| process.pid)
                .collect()
        };
        assert_eq!(pids(&[2]), [5, 9]);
        assert_eq!(pids(&[3, 2]), [6, 5, 9]);
        assert!(pids(&[9]).is_empty());
    }

    #[test]
    fn this_process_is_seen() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(all().iter().any(|process| process.pid == own));
    }
}
