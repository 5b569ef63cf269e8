//! Makes, reads and removes the control group of one job.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Kind;
use super::hierarchy::{CgroupDirectory, Version};

/// The prefix of the directories of groups: `kata-ci-PROCESS-START-NUMBER`.
const PREFIX: &str = "kata-ci-";

/// The highest limit of processes that Linux takes: PID_MAX_LIMIT, see proc_sys_kernel(5).
const MOST_PROCESSES: u64 = 1 << 22;

/// The time that the kernel gets to release a group whose processes have ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pause between two tries to remove a group.
const PAUSE: Duration = Duration::from_millis(2);

/// A limit that a group enforces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::exec) struct CgroupLimit {
    pub(super) kind: Kind,
    pub(super) place: CgroupDirectory,
    /// The number of bytes or processes.
    pub(super) limit: u64,
}

/// The counters of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::exec) struct Used {
    /// The peak memory of all processes together, with their file caches, in bytes.
    pub peak_memory: Option<u64>,
    /// The number of processes that the kernel killed for lack of memory.
    pub killed: u64,
    /// The number of times that a process was refused another one.
    pub refused: u64,
}

/// The group of a job; in version 1 one group for each resource. Dropping it removes it.
#[derive(Debug, Default)]
pub(in crate::exec) struct Group {
    held: Vec<(CgroupLimit, PathBuf)>,
}

impl Group {
    /// Makes the group with its limits and without a process.
    pub fn create(wanted: &[CgroupLimit]) -> io::Result<Self> {
        let name = name();
        let mut group = Self::default();
        for held in wanted {
            let directory = held.place.directory.join(&name);
            // In version 2 one group counts both.
            if !directory.exists() {
                held.place.prepare(held.kind)?;
                fs::create_dir(&directory).map_err(|error| at(&directory, &error))?;
            }
            group.held.push((held.clone(), directory.clone()));
            set(held, &directory)?;
        }
        Ok(group)
    }

    /// Returns the files that a process writes 0 to in order to enter the group.
    pub fn entrances(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = (self.held.iter())
            .map(|(_, directory)| directory.join("cgroup.procs"))
            .collect();
        files.dedup();
        files
    }

    /// Reads the counters. Call it when the job is over.
    pub fn used(&self) -> Used {
        let mut used = Used::default();
        for (held, directory) in &self.held {
            match (held.kind, held.place.version) {
                (Kind::Memory, Version::One) => {
                    used.peak_memory = number(directory, "memory.max_usage_in_bytes");
                    used.killed = counted(directory, "memory.oom_control", "oom_kill");
                }
                (Kind::Memory, Version::Two) => {
                    used.peak_memory = number(directory, "memory.peak");
                    used.killed = counted(directory, "memory.events", "oom_kill");
                }
                (Kind::Processes, _) => used.refused = counted(directory, "pids.events", "max"),
            }
        }
        used
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        for (_, directory) in &self.held {
            while remove(directory).is_err() && directory.exists() && Instant::now() < deadline {
                thread::sleep(PAUSE);
            }
        }
    }
}

impl CgroupDirectory {
    /// Delegates the controller: in version 2 children have only those that their group delegates.
    fn prepare(&self, kind: Kind) -> io::Result<()> {
        let controller = match (self.version, kind) {
            (Version::One, _) => return Ok(()),
            (Version::Two, Kind::Memory) => "memory",
            (Version::Two, Kind::Processes) => "pids",
        };
        let read = |name| fs::read_to_string(self.directory.join(name));
        let has = |list: String| list.split_whitespace().any(|word| word == controller);
        if !has(read("cgroup.controllers")?) {
            return Err(io::Error::other(format!(
                "{} has no {controller} controller",
                self.directory.display()
            )));
        }
        let file = "cgroup.subtree_control";
        match has(read(file)?) {
            true => Ok(()),
            false => write(&self.directory, file, &format!("+{controller}")),
        }
    }

    /// Removes the groups of killed runs.
    pub fn sweep(&self) {
        let entries = fs::read_dir(&self.directory).into_iter().flatten();
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name.to_str().is_some_and(is_abandoned) {
                let _ = remove(&entry.path());
            }
        }
    }
}

fn set(held: &CgroupLimit, directory: &Path) -> io::Result<()> {
    let limit = held.limit.to_string();
    match (held.kind, held.place.version) {
        (Kind::Processes, _) if held.limit >= MOST_PROCESSES => write(directory, "pids.max", "max"),
        (Kind::Processes, _) => write(directory, "pids.max", &limit),
        (Kind::Memory, Version::One) => {
            write(directory, "memory.limit_in_bytes", &limit)?;
            write_if_there(directory, "memory.memsw.limit_in_bytes", &limit)
        }
        (Kind::Memory, Version::Two) => {
            write(directory, "memory.max", &limit)?;
            write_if_there(directory, "memory.swap.max", "0")
        }
    }
}

pub(super) fn write(directory: &Path, name: &str, text: &str) -> io::Result<()> {
    let path = directory.join(name);
    fs::write(&path, text).map_err(|error| at(&path, &error))
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Writes to a file, if it exists. A kernel that does not count swap lacks its file.
fn write_if_there(directory: &Path, name: &str, text: &str) -> io::Result<()> {
    match directory.join(name).exists() {
        true => write(directory, name, text),
        false => Ok(()),
    }
}

fn number(directory: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(directory.join(name)).ok()?;
    text.trim().parse().ok()
}

/// Reads the number in a line `WORD NUMBER`; 0 if there is none.
fn counted(directory: &Path, name: &str, word: &str) -> u64 {
    let text = fs::read_to_string(directory.join(name)).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(key, _)| *key == word)
        .and_then(|(_, number)| number.trim().parse().ok())
        .unwrap_or(0)
}

/// Removes a group, and the groups that a kata-ci inside the job left in it.
pub(super) fn remove(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path())?;
        }
    }
    fs::remove_dir(directory)
}

pub(super) fn name() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let process = std::process::id();
    let start = start_of(process).unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{PREFIX}{process}-{start}-{number}")
}

/// Returns true for the name of a group whose maker is gone.
fn is_abandoned(name: &str) -> bool {
    let mut parts = name
        .strip_prefix(PREFIX)
        .unwrap_or_default()
        .split('-')
        .map(str::parse::<u64>);
    let (Some(Ok(process)), Some(Ok(start)), Some(Ok(_)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    u32::try_from(process).ok().and_then(start_of) != Some(start)
}

/// Returns the start time of a process in ticks of the kernel (field 22, see proc_pid_stat(5)).
/// With the process id it is unique.
fn start_of(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a directory with the files of version 2. The kernel would make those of the group.
    fn version_two(controllers: &str) -> (tempfile::TempDir, CgroupDirectory) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("cgroup.controllers"), controllers).unwrap();
        fs::write(directory.path().join("cgroup.subtree_control"), "").unwrap();
        let place = CgroupDirectory {
            version: Version::Two,
            directory: directory.path().to_owned(),
        };
        (directory, place)
    }

    fn held(place: &CgroupDirectory, kind: Kind, limit: u64) -> CgroupLimit {
        CgroupLimit {
            kind,
            place: place.clone(),
            limit,
        }
    }

    #[test]
    fn of_version_two_one_group_holds_both_and_is_read() {
        let (root, place) = version_two("cpu memory pids\n");
        let wanted = [
            held(&place, Kind::Memory, 1 << 20),
            held(&place, Kind::Processes, 7),
        ];
        let group = Group::create(&wanted).unwrap();
        assert_eq!(group.entrances().len(), 1);
        let directory = group.entrances()[0].parent().unwrap().to_owned();
        let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
        assert_eq!(
            (read("memory.max"), read("pids.max")),
            ("1048576".into(), "7".into())
        );
        let handed_on = fs::read_to_string(root.path().join("cgroup.subtree_control")).unwrap();
        assert!(handed_on.starts_with('+'), "{handed_on}");
        fs::write(directory.join("memory.peak"), "4096\n").unwrap();
        fs::write(directory.join("memory.events"), "oom 3\noom_kill 2\n").unwrap();
        fs::write(directory.join("pids.events"), "max 9\n").unwrap();
        let used = group.used();
        assert_eq!(
            (used.peak_memory, used.killed, used.refused),
            (Some(4096), 2, 9)
        );
        for file in fs::read_dir(&directory).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
        drop(group);
        assert!(!directory.exists());
    }

    #[test]
    fn more_processes_than_there_can_be_are_no_limit() {
        let (_root, place) = version_two("pids");
        for (limit, expected) in [(MOST_PROCESSES - 1, "4194303"), (u64::MAX, "max")] {
            set(&held(&place, Kind::Processes, limit), &place.directory).unwrap();
            let set = fs::read_to_string(place.directory.join("pids.max")).unwrap();
            assert_eq!(set, expected);
        }
    }

    #[test]
    fn a_controller_that_is_not_there_is_named() {
        let (_root, place) = version_two("cpu\n");
        let error = Group::create(&[held(&place, Kind::Memory, 1)]).unwrap_err();
        assert!(
            error.to_string().contains("no memory controller"),
            "{error}"
        );
    }

    #[test]
    fn what_a_killed_run_left_is_swept_and_what_is_in_use_is_not() {
        let (root, place) = version_two("memory");
        let own = name();
        let foreign = ["kata-ci-x-1-1", "kata-ci-1", "other-4-5-6"];
        let abandoned = "kata-ci-4194305-1-0";
        for name in foreign.iter().copied().chain([own.as_str(), abandoned]) {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        place.sweep();
        for name in foreign.iter().copied().chain([own.as_str()]) {
            assert!(root.path().join(name).exists(), "{name}");
        }
        assert!(!root.path().join(abandoned).exists());
    }
}
