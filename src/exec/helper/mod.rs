//! The helper: the process between a supervisor and its job, `kata-ci __job`, with the control
//! socket as standard input.
//!
//! A helper starts one job and controls all of its processes. They can leave its process group and
//! session, but they stay its descendants, because the helper is their subreaper. It ends them on
//! an order, after the end of the job's own process, and when the socket closes, which a
//! supervisor's death causes, even by KILL.
//!
//! A helper has one thread and keeps only the control socket and the job's output open. It prints
//! nothing: its reports go through the socket.
//!
//! The sandbox is set up first. For a job with processes of its own (`namespaces.rs`), the helper
//! starts pid 1 of the namespace, which then does all of the above inside.

mod keys;
mod launch;
mod leftover_processes;
mod mount_table;
mod mounts;
mod namespaces;
mod network;
mod overlay;
mod privileges;
mod refused;
mod seccomp;
mod set_id;
mod setup;
mod tree;
mod tree_watch;

use std::ffi::OsString;
use std::io::{self, Write};

use super::isolation::{Sandbox, Space};
use super::protocol::{ARGUMENT, Channel, Order, Report, Spec};
use namespaces::{Inside, Side};
use refused::{Describe, Refused};
use set_id::Tripwire;

/// Runs the helper, and returns the exit code of the process.
///
/// Call it first in `main`, because it closes every file descriptor except for the standard three.
/// The exit code does not depend on the job: 0 if everything was reported, 1 if the supervisor was
/// gone before, 2 if the caller is no supervisor.
pub fn main() -> i32 {
    setup::close_inherited();
    let Ok(mut control) = setup::control_socket() else {
        let words = "this is how kata-ci starts its jobs; to run them: kata-ci run";
        let _ = writeln!(io::stderr(), "kata-ci {ARGUMENT}: {words}");
        return 2;
    };
    match serve(&mut control) {
        Ok(()) => 0,
        Err(error) => {
            let _ = control.send(&Report::SpawnFailed {
                errno: error.raw_os_error().unwrap_or(0),
                what: format!("the process around the job: {error}"),
            });
            1
        }
    }
}

fn serve(control: &mut Channel) -> io::Result<()> {
    setup::leave_terminal()?;
    let Some(Order::Start(spec)) = setup::first_order(control)? else {
        return Ok(());
    };
    let joined = join(&spec.sandbox.groups);
    let ready = match &spec.sandbox.space {
        _ if joined.is_err() => joined.map(|()| None),
        Some(space) => match namespaces::clone_init(&spec.sandbox) {
            Ok(Side::Outside(init)) => return namespaces::wait_for_init(control, init, space),
            Ok(Side::Inside(inside)) => set_up_sandbox(&spec.sandbox, space, inside),
            Err(refused) => Err(refused),
        },
        None if spec.sandbox.network => namespaces::leave_network()
            .and_then(|()| raise_loopback())
            .map(|()| None),
        None => Ok(None),
    };
    match ready {
        Ok(tripwire) => work(control, &spec, tripwire),
        Err(refused) => control.send(&Report::Refused {
            what: refused.to_string(),
        }),
    }
}

/// Joins the job's control groups, together with everything that it starts later.
fn join(groups: &[OsString]) -> Result<(), Refused> {
    groups.iter().try_for_each(|entrance| {
        std::fs::write(entrance, "0")
            .describe(|| format!("entering the control group by {}", entrance.display()))
    })
}

fn raise_loopback() -> Result<(), Refused> {
    network::raise_loopback().describe(|| "switching the loopback device on".into())
}

/// Sets the sandbox up inside of new namespaces, as pid 1.
fn set_up_sandbox(
    sandbox: &Sandbox,
    space: &Space,
    inside: Inside,
) -> Result<Option<Tripwire>, Refused> {
    nix::unistd::setsid().describe(|| "making a session".into())?;
    keys::leave_session_keyring().describe(|| "making a keyring".into())?;
    if sandbox.network {
        raise_loopback()?;
    }
    mounts::arrange(sandbox, space, &inside)?;
    let mut tripwire = None;
    if space.strict {
        privileges::give_up().describe(|| "giving privileges up".into())?;
        let words = || "filtering system calls".to_owned();
        seccomp::refuse_always().describe(words)?;
        if sandbox.network {
            seccomp::refuse_vsock().describe(words)?;
        }
        tripwire = Some(Tripwire::set(inside.tripped).describe(words)?);
    }
    std::env::set_current_dir("/").describe(|| "entering the new view of the files".into())?;
    Ok(tripwire)
}

/// Starts the job and controls it until its end.
fn work(control: &mut Channel, spec: &Spec, tripwire: Option<Tripwire>) -> io::Result<()> {
    let events = setup::adopt_orphans()?;
    spec.sandbox.limits.take()?;
    let before = leftover_processes::Before::look(&spec.sandbox);
    match launch::launch(spec) {
        Ok(job) => {
            // The job may be of the same user, and must not trace this process.
            let _ = nix::sys::prctl::set_dumpable(false);
            control.send(&Report::Started { pid: job })?;
            tree_watch::TreeWatch::new(job, control, events, before)
                .with_tripwire(tripwire.zip(spec.sandbox.space.as_ref()))
                .run()
        }
        Err(error) => control.send(&Report::SpawnFailed {
            errno: error.raw_os_error().unwrap_or(0),
            what: format!("{}: {error}", spec.program.display()),
        }),
    }
}
