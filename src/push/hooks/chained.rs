//! Calling the hook that was there before ours, as git would have called it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::hook_file::HookFile;

/// The kept hook could not be called, or said no.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// It could not be started.
    #[error("the hook {path}, kept from before, cannot be run: {source}", path = path.display())]
    Spawn {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It said no.
    #[error("the hook {path}, kept from before, ended with {status}", path = path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// How it ended.
        status: ExitStatus,
    },
}

/// Calls it with these arguments and this standard input, if there is one that git would call: an executable file.
///
/// # Errors
/// [`KeptError`].
pub fn call_kept(place: &HookFile, arguments: &[OsString], input: &[u8]) -> Result<(), KeptError> {
    let path = &place.kept;
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
        // Without a first line that names its interpreter it is one for sh: so does git.
        Err(error) if error.raw_os_error() == Some(nix::libc::ENOEXEC) => Command::new("sh")
            .arg(path)
            .args(arguments)
            .stdin(Stdio::piped())
            .spawn()?,
        spawned => spawned?,
    };
    if let Some(mut pipe) = child.stdin.take() {
        // A hook need not read what it is given.
        let _ = pipe.write_all(input);
    }
    child.wait()
}
