//! Starting the job's own process.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::exec::protocol::Spec;

/// Starts the job in a process group of its own, with the helper's standard output and error and nothing else of it.
/// Returns its process id; its end is seen by waiting for any child.
pub(super) fn launch(spec: &Spec) -> io::Result<i32> {
    let child = Command::new(&spec.program)
        .args(&spec.arguments)
        .current_dir(&spec.directory)
        .env_clear()
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    i32::try_from(child.id()).map_err(io::Error::other)
}
