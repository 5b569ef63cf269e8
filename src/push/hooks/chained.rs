//! Calls the hook that was installed before ours, as git would have called it: once, with its own
//! name, the arguments and the input.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::hook_file::HookFile;
use super::manager::HookManager;
use super::stage::Stage;

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

/// A call of a hook by git.
#[derive(Debug, Clone, Copy)]
pub struct HookCall<'a> {
    /// The files of the hook.
    pub place: &'a HookFile,
    /// The arguments.
    pub arguments: &'a [OsString],
    /// The standard input.
    pub input: &'a [u8],
    /// True if the installed script calls, which stands for the kept hook too.
    pub chain: bool,
}

/// The environment variable that holds the call for which a kept hook is running.
const RUNNING: &str = "KATACI_HOOK_RUNNING";

impl HookCall<'_> {
    /// Returns true if the kept hook has led back here, for the same call of git. The outer call
    /// does the work.
    pub(super) fn is_nested(&self) -> bool {
        std::env::var(RUNNING).is_ok_and(|running| running == self.key())
    }

    fn key(&self) -> String {
        let mut hasher = DefaultHasher::new();
        (self.place.hook, self.arguments, self.input).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Calls the kept hook. It is only called if git would call it, so it must be an executable
    /// file.
    ///
    /// # Errors
    /// [`KeptError`].
    pub(super) fn call_kept(&self) -> Result<(), KeptError> {
        let path = &self.place.kept;
        let is_asked_for = self.chain || self.place.has_early_script();
        if !is_asked_for || !is_executable(path) || self.runs_anyway() {
            return Ok(());
        }
        let status = self.run().map_err(|source| KeptError::Spawn {
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

    /// Returns true if git calls a script of the same manager as the kept one.
    fn runs_anyway(&self) -> bool {
        let in_place = HookManager::of(&self.place.file);
        in_place.is_some() && in_place == HookManager::of(&self.place.kept)
    }

    fn run(&self) -> io::Result<ExitStatus> {
        // A directory that cannot be written has no stage; then the hook runs by the name it has.
        let staged = Stage::of(self.place).and_then(|stage| stage.set());
        let path = staged.unwrap_or_else(|_| self.place.kept.clone());
        let mut child = match self.spawn(Command::new(&path)) {
            // A file without an interpreter line is a script for sh, as for git.
            Err(error) if error.raw_os_error() == Some(nix::libc::ENOEXEC) => {
                let mut shell = Command::new("sh");
                shell.arg(&path);
                self.spawn(shell)?
            }
            spawned => spawned?,
        };
        if let Some(mut pipe) = child.stdin.take() {
            // A hook need not read its input.
            let _ = pipe.write_all(self.input);
        }
        child.wait()
    }

    fn spawn(&self, mut command: Command) -> io::Result<std::process::Child> {
        command.args(self.arguments).env(RUNNING, self.key());
        command.stdin(Stdio::piped()).spawn()
    }
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
