//! Starts the job's own process.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::exec::protocol::Spec;

/// Starts the job in a process group of its own. It inherits standard output and error of the
/// helper and nothing else. Returns its process id; wait for any child to see its end.
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
