//! The process between a supervisor and its job: `kata-ci __job`, with the control socket as standard input.
//!
//! It starts one job and answers for all of its processes: they can leave its process group and its session, but as the
//! helper is their subreaper, none of them can leave its descendants. It ends them when told to, when the job's own process
//! has ended, and when the socket ends, which is what a supervisor's death looks like, KILL included.
//!
//! It is single-threaded, keeps only the control socket and the job's output open, and says nothing on its own: what it has
//! to report goes through the socket. Isolation is to be set up between `setup` and `launch`.

mod launch;
mod setup;
mod tree;
mod watch;

use std::io;

use super::protocol::{Channel, Order, Report};

/// The first argument that makes the program the helper.
pub const ARGUMENT: &str = "__job";

/// Runs as the helper; returns the exit code of the process.
///
/// To be called first thing in `main`: it closes every file descriptor but the standard three. The exit code says nothing
/// of the job: 0 when all was reported, 1 when the supervisor was gone before, 2 when not called by a supervisor.
pub fn main() -> i32 {
    setup::close_inherited();
    let Ok(mut control) = setup::control_socket() else {
        eprintln!(
            "kata-ci {ARGUMENT}: this is how kata-ci starts its jobs; to run them: kata-ci run"
        );
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
    let events = setup::become_subreaper()?;
    let Some(Order::Start(spec)) = setup::first_order(control)? else {
        return Ok(());
    };
    match launch::launch(&spec) {
        Ok(job) => {
            // The job may be of the same user: it is not to trace the one that watches it.
            let _ = nix::sys::prctl::set_dumpable(false);
            control.send(&Report::Started { pid: job })?;
            watch::Watch::new(job, control, events).run()
        }
        Err(error) => control.send(&Report::SpawnFailed {
            errno: error.raw_os_error().unwrap_or(0),
            what: format!("{}: {error}", spec.program.display()),
        }),
    }
}
