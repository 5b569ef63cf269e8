//! The process tree with control groups and namespaces, read from /proc.
//!
//! `ps` hangs with a process whose memory is locked, so each process is read aside, and one that
//! does not answer is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::raw::Keep;

/// The most bytes of a command line.
const COMMAND: usize = 4096;

/// The time that a process has to answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The number of processes that do not answer after which no further one is asked.
const STUCK: usize = 4;

/// A process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Process {
    /// Its id.
    pub pid: u32,
    /// Its parent's id.
    pub parent: u32,
    /// Its state: `R`, `S`, `D`, `Z` …
    pub state: String,
    /// The name of its program.
    pub name: String,
    /// Its arguments; its name in brackets if it has none.
    pub command: String,
    /// Its control group.
    pub cgroup: String,
    /// The numbers of its network, mount and process namespaces.
    pub namespaces: [String; 3],
}

/// The processes of a host.
#[derive(Debug, Default)]
pub(super) struct Processes {
    /// All that answered, by id.
    pub all: BTreeMap<u32, Process>,
    /// The ids of those that did not.
    pub silent: Vec<u32>,
}

/// The names of the programs that are kata's, or that start kata.
const OURS: &[&str] = &[
    "kata",
    "qemu",
    "virtiofsd",
    "cloud-hypervisor",
    "firecracker",
    "dragonball",
    "containerd",
    "dockerd",
    "crio",
    "kubelet",
    "conmon",
    "podman",
    "nydusd",
    "jailer",
    "acrn-dm",
    "stratovirt",
];

impl Process {
    /// Returns true if the process is a part of kata, or of what starts it.
    pub fn is_ours(&self) -> bool {
        let program = self.command.split([' ', '\0']).next().unwrap_or_default();
        let program = program.rsplit('/').next().unwrap_or_default();
        let is_named = |name: &str| OURS.iter().any(|known| name.starts_with(known));
        (is_named(&self.name) || is_named(program)) && !self.name.starts_with("kata-ci")
    }
}

impl Processes {
    /// Reads all processes below a directory that stands for `/proc`.
    pub fn read(proc: &Path, until: Instant) -> Self {
        let mut found = Self::default();
        let mut pids = pids(proc);
        pids.reverse();
        while !pids.is_empty() && found.silent.len() < STUCK && Instant::now() < until {
            let (sender, answers) = channel();
            let (proc, batch) = (proc.to_owned(), pids.clone());
            let reader = thread::Builder::new().spawn(move || read_all(&proc, &batch, &sender));
            if reader.is_err() {
                break;
            }
            while let Some(next) = pids.last().copied() {
                match answers
                    .recv_timeout(PATIENCE.min(until.saturating_duration_since(Instant::now())))
                {
                    Ok(process) => {
                        pids.pop();
                        found
                            .all
                            .extend(process.map(|process| (process.pid, process)));
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        pids.pop();
                        found.silent.push(next);
                        break;
                    }
                    Err(RecvTimeoutError::Disconnected) => {
                        pids.clear();
                    }
                }
            }
        }
        found
    }

    /// Draws the tree: process, parent, state, arguments, and a line for its control group and its
    /// namespaces where they are not those of its parent.
    pub fn tree(&self) -> String {
        let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut roots = Vec::new();
        for process in self.all.values() {
            match self.all.contains_key(&process.parent) && process.parent != process.pid {
                true => children
                    .entry(process.parent)
                    .or_default()
                    .push(process.pid),
                false => roots.push(process.pid),
            }
        }
        let mut text = "    PID    PPID STAT COMMAND\n".to_owned();
        let mut seen = BTreeSet::new();
        let mut open: Vec<(u32, usize)> = roots.into_iter().rev().map(|pid| (pid, 0)).collect();
        while let Some((pid, depth)) = open.pop() {
            let Some(process) = self.all.get(&pid).filter(|_| seen.insert(pid)) else {
                continue;
            };
            self.draw(process, depth, &mut text);
            let below = children.get(&pid).into_iter().flatten().rev();
            open.extend(below.map(|pid| (*pid, depth + 1)));
        }
        for pid in &self.silent {
            text.push_str(&format!(
                "{pid:>7} did not answer within {} ms\n",
                PATIENCE.as_millis()
            ));
        }
        text
    }

    fn draw(&self, process: &Process, depth: usize, text: &mut String) {
        let Process {
            pid,
            parent,
            state,
            command,
            ..
        } = process;
        let indent = "  ".repeat(depth.min(40));
        text.push_str(&format!(
            "{pid:>7} {parent:>7} {state:<4} {indent}{command}\n"
        ));
        let above = self.all.get(&process.parent);
        let is_new = above.is_none_or(|above| {
            above.cgroup != process.cgroup || above.namespaces != process.namespaces
        });
        let is_known = process.namespaces.iter().any(|number| !number.is_empty())
            || !process.cgroup.is_empty();
        if is_new && is_known {
            let [net, mount, pid] = &process.namespaces;
            let cgroup = &process.cgroup;
            text.push_str(&format!(
                "{:21}{indent}  cgroup {cgroup}  net {net}  mnt {mount}  pid {pid}\n",
                ""
            ));
        }
    }
}

fn pids(proc: &Path) -> Vec<u32> {
    let entries = fs::read_dir(proc).into_iter().flatten().flatten();
    let mut pids: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    pids
}

/// Reads processes from the last one on, and answers for each.
fn read_all(proc: &Path, pids: &[u32], answers: &Sender<Option<Process>>) {
    for pid in pids.iter().rev() {
        if answers.send(read(proc, *pid)).is_err() {
            return;
        }
    }
}

/// Reads a process; `None` if it is gone.
pub(super) fn read(proc: &Path, pid: u32) -> Option<Process> {
    let place = proc.join(pid.to_string());
    let text = |name: &str| {
        let bytes = super::command::read(&place.join(name), Keep::Head(64 << 10))
            .ok()?
            .into_bytes();
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (name, state, parent) = stat(&text("stat")?)?;
    let command = command(&place, &name);
    let namespace = |name: &str| {
        let target: PathBuf = fs::read_link(place.join("ns").join(name)).unwrap_or_default();
        let digits = target.display().to_string();
        digits.chars().filter(char::is_ascii_digit).collect()
    };
    Some(Process {
        pid,
        parent,
        state,
        command,
        name,
        cgroup: cgroup(&text("cgroup").unwrap_or_default()),
        namespaces: ["net", "mnt", "pid"].map(namespace),
    })
}

fn command(place: &Path, name: &str) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = crate::fs::open(&place.join("cmdline")) {
        let _ =
            std::io::Read::read_to_end(&mut std::io::Read::take(file, COMMAND as u64), &mut bytes);
    }
    let is_cut = bytes.len() == COMMAND;
    let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
    let text = text.trim_end().replace(['\n', '\r', '\t', '\u{1b}'], " ");
    match text.is_empty() {
        true => format!("[{name}]"),
        false if is_cut => {
            // Half a word may be half a secret.
            let whole = text.rfind(' ').map_or("", |at| &text[..at]);
            format!("{whole} …")
        }
        false => text,
    }
}

/// Reads name, state and parent. The name is in brackets, and may hold any letter.
fn stat(text: &str) -> Option<(String, String, u32)> {
    let (open, close) = (text.find('(')?, text.rfind(')')?);
    let name = text.get(open + 1..close)?;
    let mut rest = text.get(close + 1..)?.split_whitespace();
    let state = rest.next()?;
    Some((
        name.to_owned(),
        state.to_owned(),
        rest.next()?.parse().ok()?,
    ))
}

/// Returns the path of the control group: that of version 2, else of the first hierarchy with one.
fn cgroup(text: &str) -> String {
    let paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let unified = text.lines().find_map(|line| line.strip_prefix("0::"));
    let named = paths.into_iter().find(|path| *path != "/");
    unified
        .filter(|path| *path != "/")
        .or(named)
        .unwrap_or("/")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn host(processes: &[(u32, &str, &str, &str)]) -> tempfile::TempDir {
        let proc = tempfile::tempdir().unwrap();
        for (pid, stat, command, cgroup) in processes {
            let place = proc.path().join(pid.to_string());
            fs::create_dir_all(place.join("ns")).unwrap();
            fs::write(place.join("stat"), stat).unwrap();
            fs::write(place.join("cmdline"), command).unwrap();
            fs::write(place.join("cgroup"), cgroup).unwrap();
            std::os::unix::fs::symlink(format!("net:[40{pid}]"), place.join("ns/net")).unwrap();
        }
        proc
    }

    #[test]
    fn a_tree_is_drawn_with_groups_and_namespaces() {
        let proc = host(&[
            (1, "1 (init) S 0 1", "/sbin/init\0", "0::/\n"),
            (
                7,
                "7 (a) b (c) S 1 7",
                "/opt/kata/bin/containerd-shim-kata-v2\0-id\0x\0",
                "0::/kata\n",
            ),
            (9, "9 (kworker) D 7 0", "", "1:cpu:/x\n0::/\n"),
        ]);
        let found = Processes::read(proc.path(), Instant::now() + Duration::from_secs(60));
        let tree = found.tree();
        let lines: Vec<&str> = tree.lines().collect();
        assert_eq!(lines[1], "      1       0 S    /sbin/init");
        assert_eq!(
            lines[3],
            "      7       1 S      /opt/kata/bin/containerd-shim-kata-v2 -id x"
        );
        assert_eq!(
            lines[4],
            "                         cgroup /kata  net 407  mnt   pid "
        );
        assert_eq!(lines[5], "      9       7 D        [kworker]");
        assert!(found.all[&7].is_ours() && !found.all[&1].is_ours());
    }

    #[test]
    fn a_pipe_in_place_of_a_file_is_not_waited_for() {
        let proc = host(&[(1, "1 (init) S 0 1", "", "")]);
        let pipe = proc.path().join("1/cmdline");
        fs::remove_file(&pipe).unwrap();
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let found = Processes::read(proc.path(), Instant::now() + Duration::from_secs(60));
        assert_eq!(found.all[&1].command, "[init]");
    }

    proptest! {
        #[test]
        fn any_text_of_a_process_is_read(text in "[\\PC()\n ]{0,40}") {
            let _ = (stat(&text), cgroup(&text));
        }
    }
}
