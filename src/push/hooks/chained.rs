//! Calls the hook that was installed before ours, as git would have called it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::hook_file::HookFile;

/// The kept hook could not be called, or it refused.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The hook could not be started.
    #[error("the hook {path}, kept from before, cannot be run: {source}", path = path.display())]
    Spawn {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The hook refused.
    #[error("the hook {path}, kept from before, ended with {status}", path = path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// The exit status.
        status: ExitStatus,
    },
}

/// Calls the kept hook with these arguments and this input. It is only called if git would call it,
/// so it must be an executable file.
///
/// # Errors
/// [`KeptError`].
pub fn call_kept(hook: &HookFile, arguments: &[OsString], input: &[u8]) -> Result<(), KeptError> {
    let path = &hook.kept;
    let executable = std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0);
    if !executable {
        return Ok(());
    }
    let status = run(path, arguments, input).map_err(|source| KeptError::Spawn {
        path: path.clone(),
        source,
    })?;
    match status.success() {
        true => Ok(()),
        false => Err(KeptError::Refused {
            path: path.clone(),
            status,
        }),
    }
}

fn run(path: &Path, arguments: &[OsString], input: &[u8]) -> io::Result<ExitStatus> {
    let mut direct = Command::new(path);
    direct.args(arguments).stdin(Stdio::piped());
    let mut child = match direct.spawn() {
        // A file without an interpreter line is a script for sh, as for git.
        Err(error) if error.raw_os_error() == Some(nix::libc::ENOEXEC) => Command::new("sh")
            .arg(path)
            .args(arguments)
            .stdin(Stdio::piped())
            .spawn()?,
        spawned => spawned?,
    };
    if let Some(mut pipe) = child.stdin.take() {
        // A hook need not read its input.
        let _ = pipe.write_all(input);
    }
    child.wait()
}
