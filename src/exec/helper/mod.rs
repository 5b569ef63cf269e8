//! The process between a supervisor and its job: `kata-ci __job`, with the control socket as standard input.
//!
//! It starts one job and answers for all of its processes: they can leave its process group and its session, but as the
//! helper is their subreaper, none of them can leave its descendants. It ends them when told to, when the job's own process
//! has ended, and when the socket ends, which is what a supervisor's death looks like, KILL included.
//!
//! It is single-threaded, keeps only the control socket and the job's output open, and says nothing on its own: what it has
//! to report goes through the socket.
//!
//! With a sandbox it sets that up first. For a job with processes of its own (`namespaces.rs`) it starts one more process,
//! pid 1 of the namespace, which then does all of the above from inside.

mod calls;
mod keys;
mod launch;
mod leftovers;
mod mounts;
mod namespaces;
mod network;
mod overlay;
mod privileges;
mod set_id;
mod setup;
mod step;
mod tree;
mod watch;

use std::ffi::OsString;
use std::io::{self, Write};

use super::isolation::{Sandbox, Space};
use super::protocol::{ARGUMENT, Channel, Order, Report, Spec};
use namespaces::{Inside, Side};
use set_id::Tripwire;
use step::{Refused, Step};

/// Runs as the helper; returns the exit code of the process.
///
/// To be called first thing in `main`: it closes every file descriptor but the standard three. The exit code says nothing
/// of the job: 0 when all was reported, 1 when the supervisor was gone before, 2 when not called by a supervisor.
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
        Some(space) => match namespaces::split(&spec.sandbox) {
            Ok(Side::Outside(init)) => return namespaces::guard(control, init, space),
            Ok(Side::Inside(inside)) => furnish(&spec.sandbox, space, inside),
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

/// Enters the job's control groups, and with this process all that it starts from now on.
fn join(groups: &[OsString]) -> Result<(), Refused> {
    groups.iter().try_for_each(|entrance| {
        std::fs::write(entrance, "0")
            .step(|| format!("entering the control group by {}", entrance.display()))
    })
}

fn raise_loopback() -> Result<(), Refused> {
    network::raise_loopback().step(|| "switching the loopback device on".into())
}

/// Inside of new namespaces, as pid 1: makes them what the sandbox says.
fn furnish(sandbox: &Sandbox, space: &Space, inside: Inside) -> Result<Option<Tripwire>, Refused> {
    nix::unistd::setsid().step(|| "making a session".into())?;
    keys::leave_session_keyring().step(|| "making a keyring".into())?;
    if sandbox.network {
        raise_loopback()?;
    }
    mounts::arrange(space, &inside.sockets)?;
    let mut tripwire = None;
    if space.strict {
        privileges::give_up().step(|| "giving privileges up".into())?;
        let words = || "filtering system calls".to_owned();
        calls::refuse_always().step(words)?;
        if sandbox.network {
            calls::refuse_vsock().step(words)?;
        }
        tripwire = Some(Tripwire::set(inside.tripped).step(words)?);
    }
    std::env::set_current_dir("/").step(|| "entering the new view of the files".into())?;
    Ok(tripwire)
}

/// Starts the job and sees it to its end.
fn work(control: &mut Channel, spec: &Spec, tripwire: Option<Tripwire>) -> io::Result<()> {
    let events = setup::adopt_orphans()?;
    spec.sandbox.limits.take()?;
    let before = leftovers::Before::look(&spec.sandbox);
    match launch::launch(spec) {
        Ok(job) => {
            // The job may be of the same user: it is not to trace the one that watches it.
            let _ = nix::sys::prctl::set_dumpable(false);
            control.send(&Report::Started { pid: job })?;
            watch::Watch::new(job, control, events, before)
                .with_tripwire(tripwire.zip(spec.sandbox.space.as_ref()))
                .run()
        }
        Err(error) => control.send(&Report::SpawnFailed {
            errno: error.raw_os_error().unwrap_or(0),
            what: format!("{}: {error}", spec.program.display()),
        }),
    }
}
