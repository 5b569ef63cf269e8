//! The doctor: finds out what a host can do, with the command that mends what it cannot.
//!
//! ```text
//! Host (files, programs, kernel) ─▶ facts ─▶ checks (pure) ─▶ Diagnosis ─▶ table, JSON
//! ```
//! Each subject is a file: it asks for its facts, and judges them by a pure function. A check says
//! that the host can, that it cannot, or that it could not be asked. What is tried out decides, and
//! what is read only explains.
//!
//! Invariants: nothing is changed on the host but by `install`, no module is loaded, and no program
//! outlasts its deadline. What a component needs is asked by the preflight of a run
//! (`workspace/preflight`).

mod cgroups;
mod check;
mod components;
mod containerd;
mod crio;
mod docker;
mod engines;
mod gerrit;
mod git;
mod host;
mod install;
mod isolation;
mod kata;
mod kernel;
mod kubernetes;
mod kvm;
mod proxy;
mod qemu;
mod shim;
mod table;
mod tools;
mod variables;

use std::io;
use std::thread::{self, ScopedJoinHandle};

use super::root::HostRoot;
use crate::model::CommandError;
use crate::run::RunRequest;
use host::{Host, ThisHost};

pub use check::{Check, Diagnosis, Purpose, State, Verdict};
pub use table::table;

/// The request of a caller.
#[derive(Debug, Clone)]
pub struct DoctorRequest {
    /// The work that the host is for.
    pub purposes: Vec<Purpose>,
    /// The workspace, as a run would take it.
    pub run: RunRequest,
    /// True to install the programs that the pipeline lists first.
    pub install: bool,
}

/// A subject of the host.
struct Subject {
    /// The work that it matters for.
    purposes: &'static [Purpose],
    examine: fn(&Host<'_>) -> Vec<Check>,
}

/// The subjects of the host, in the order of the answer.
const SUBJECTS: &[Subject] = &[
    Subject {
        purposes: tools::PURPOSES,
        examine: tools::examine,
    },
    Subject {
        purposes: variables::PURPOSES,
        examine: variables::examine,
    },
    Subject {
        purposes: git::PURPOSES,
        examine: git::examine,
    },
    Subject {
        purposes: proxy::PURPOSES,
        examine: proxy::examine,
    },
    Subject {
        purposes: kvm::PURPOSES,
        examine: kvm::examine,
    },
    Subject {
        purposes: qemu::PURPOSES,
        examine: qemu::examine,
    },
    Subject {
        purposes: kata::PURPOSES,
        examine: kata::examine,
    },
    Subject {
        purposes: engines::PURPOSES,
        examine: engines::examine,
    },
    Subject {
        purposes: kernel::PURPOSES,
        examine: kernel::examine,
    },
    Subject {
        purposes: cgroups::PURPOSES,
        examine: cgroups::examine,
    },
    Subject {
        purposes: isolation::PURPOSES,
        examine: isolation::examine,
    },
];

/// Examines this host.
///
/// # Errors
///
/// The directory of the request is not there.
pub fn examine(request: &DoctorRequest) -> Result<Diagnosis, CommandError> {
    let directory = std::fs::canonicalize(&request.run.directory).map_err(|error| {
        let hint = "name a directory that is there with -C DIR";
        CommandError::path(&request.run.directory, &error, hint)
    })?;
    let environment = &request.run.environment;
    let ask = ThisHost::new(environment, &directory);
    let host = Host {
        files: HostRoot::default(),
        ask: &ask,
        environment: environment.clone(),
        user: nix::unistd::geteuid().as_raw(),
        directory,
    };
    let purposes = request.purposes.as_slice();
    let installed = match request.install {
        true => install::install(&host, &request.run, purposes),
        false => Vec::new(),
    };
    let (mut checks, of_server) = thread::scope(|scope| {
        let server = || gerrit::examine(&request.run, purposes);
        let server = thread::Builder::new().spawn_scoped(scope, server);
        let mut checks = components::examine(&request.run, purposes);
        checks.extend(examine_host(&host, purposes));
        (
            checks,
            joined(server, || gerrit::examine(&request.run, purposes)),
        )
    });
    checks.extend(of_server);
    checks.splice(0..0, installed);
    Ok(Diagnosis::of(&request.purposes, checks))
}

/// Examines the subjects side by side, because most of the time is waiting for programs.
fn examine_host(host: &Host<'_>, purposes: &[Purpose]) -> Vec<Check> {
    let matters =
        |subject: &&Subject| (subject.purposes.iter()).any(|purpose| purposes.contains(purpose));
    thread::scope(|scope| {
        let threads: Vec<_> = (SUBJECTS.iter().filter(matters))
            .map(|subject| {
                let begin =
                    || thread::Builder::new().spawn_scoped(scope, || (subject.examine)(host));
                (subject, begin())
            })
            .collect();
        let answers = threads
            .into_iter()
            .map(|(subject, thread)| joined(thread, || (subject.examine)(host)));
        answers.flatten().collect()
    })
}

/// Waits for a thread. If there was none to be had, the work is done here.
fn joined<T>(thread: io::Result<ScopedJoinHandle<'_, T>>, work: impl FnOnce() -> T) -> T {
    match thread.map(ScopedJoinHandle::join) {
        Err(_) => work(),
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
    }
}

#[cfg(test)]
mod tests;
