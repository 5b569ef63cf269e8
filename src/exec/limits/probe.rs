//! Finds out by trying, once a run, which mechanism enforces the limits of jobs here.

use std::collections::BTreeMap;

use super::delegation::OwnCgroup;
use super::group::{CgroupLimit, Group};
use super::hierarchy::places;
use super::{Kind, Rlimits, size};
use crate::config::Limits;
use crate::event::Enforcement;

/// The limits of a job, and the degree to which they are enforced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::exec) struct Limited {
    pub limits: Limits,
    /// The limits of each process.
    pub of_each: Rlimits,
    /// The limits of all processes together.
    pub held: Vec<CgroupLimit>,
    /// The enforcement of each limit, by its key in the pipeline.
    pub enforcement: BTreeMap<String, Enforcement>,
}

/// The mechanisms that the host was found to allow.
#[derive(Debug, Default)]
pub(in crate::exec) struct Settling {
    memory: Option<Result<CgroupLimit, String>>,
    processes: Option<Result<CgroupLimit, String>>,
    /// The group that kata-ci moved into. Keep it as long as jobs need groups.
    pub cgroup: Option<OwnCgroup>,
}

/// The helper and pid 1 of the job's namespace, which are in the job's group too.
const OWN_PROCESSES: u64 = 2;

impl Settling {
    /// Chooses the mechanisms that enforce these limits. `is_counted_apart` is true if the kernel
    /// applies RLIMIT_NPROC to the job alone: it has its own user namespace and does not run as
    /// root.
    pub fn settle(&mut self, limits: Limits, is_counted_apart: bool) -> Limited {
        let mut limited = Limited {
            limits,
            ..Limited::default()
        };
        if let Some(limit) = limits.memory {
            let cgroup = &mut self.cgroup;
            let answer = self
                .memory
                .get_or_insert_with(|| attempt(Kind::Memory, limit, cgroup));
            limited.memory(limit, answer.clone());
        }
        if let Some(limit) = limits.processes {
            let all = limit.saturating_add(OWN_PROCESSES);
            let cgroup = &mut self.cgroup;
            let answer = self
                .processes
                .get_or_insert_with(|| attempt(Kind::Processes, all, cgroup));
            limited.processes(limit, answer.clone(), is_counted_apart);
        }
        if let Some(limit) = limits.file_size {
            limited.of_each.file_size = Some(limit);
            let mechanism = format!("rlimit: {} a file", size(limit));
            limited.say("file_size", Enforcement::EnforcedBy(mechanism));
        }
        limited
    }
}

impl Limited {
    fn say(&mut self, what: &str, reach: Enforcement) {
        self.enforcement.insert(what.to_owned(), reach);
    }

    fn memory(&mut self, limit: u64, answer: Result<CgroupLimit, String>) {
        let shown = size(limit);
        let mechanism = match answer {
            Ok(held) => {
                self.held.push(held);
                format!("cgroup: {shown} for all processes together")
            }
            Err(reason) => {
                self.of_each.data = Some(limit);
                format!("rlimit: {shown} for each process, not for all together ({reason})")
            }
        };
        self.say("memory", Enforcement::EnforcedBy(mechanism));
    }

    fn processes(
        &mut self,
        limit: u64,
        answer: Result<CgroupLimit, String>,
        is_counted_apart: bool,
    ) {
        let reach = match (answer, is_counted_apart) {
            (Ok(held), _) => {
                self.held.push(held);
                Enforcement::EnforcedBy(format!("cgroup: {limit} processes and threads"))
            }
            (Err(reason), true) => {
                // Pid 1 of the namespace belongs to the same user.
                self.of_each.processes = Some(limit.saturating_add(1));
                Enforcement::EnforcedBy(format!("rlimit: {limit} processes and threads ({reason})"))
            }
            (Err(reason), false) => Enforcement::Advisory(reason),
        };
        self.say("processes", reach);
    }
}

/// Makes a group with this limit and removes it. Returns the limit, or the reason why it fails.
fn attempt(kind: Kind, limit: u64, cgroup: &mut Option<OwnCgroup>) -> Result<CgroupLimit, String> {
    let mut reasons = Vec::new();
    for place in places(kind) {
        place.sweep();
        let made = OwnCgroup::make(&place);
        let held = CgroupLimit { kind, place, limit };
        let group = made.and_then(|made| {
            *cgroup = made.or(cgroup.take());
            Group::create(std::slice::from_ref(&held))
        });
        match group {
            Ok(_) => return Ok(held),
            Err(error) => reasons.push(error.to_string()),
        }
    }
    Err(match reasons.as_slice() {
        [] => "no cgroup here counts it".to_owned(),
        reasons => format!("no cgroup can be made: {}", reasons.join("; ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(is_counted_apart: bool) -> Limited {
        let refused = || Some(Err("no".to_owned()));
        let mut settling = Settling {
            memory: refused(),
            processes: refused(),
            cgroup: None,
        };
        let limits = Limits {
            memory: Some(64 << 20),
            processes: Some(10),
            file_size: Some(1 << 20),
        };
        settling.settle(limits, is_counted_apart)
    }

    #[test]
    fn without_groups_each_process_is_limited_and_that_is_said() {
        let limited = settled(true);
        assert_eq!(
            limited.of_each,
            Rlimits {
                data: Some(64 << 20),
                processes: Some(11),
                file_size: Some(1 << 20)
            }
        );
        assert!(limited.held.is_empty());
        let enforcement: BTreeMap<_, _> = (limited.enforcement.iter())
            .map(|(what, reach)| (what.as_str(), reach.to_string()))
            .collect();
        insta::assert_debug_snapshot!(enforcement, @r#"
        {
            "file_size": "enforced by rlimit: 1 MiB a file",
            "memory": "enforced by rlimit: 64 MiB for each process, not for all together (no)",
            "processes": "enforced by rlimit: 10 processes and threads (no)",
        }
        "#);
    }

    #[test]
    fn a_limit_that_would_count_others_is_not_set() {
        let limited = settled(false);
        assert_eq!(limited.of_each.processes, None);
        assert_eq!(limited.enforcement["processes"].to_string(), "advisory: no");
    }

    #[test]
    fn nothing_asked_for_is_nothing_said() {
        let limited = Settling::default().settle(Limits::default(), true);
        assert_eq!(limited, Limited::default());
    }
}
