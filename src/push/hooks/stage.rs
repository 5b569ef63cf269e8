//! A directory beside that of the hooks, in which the kept hook has its own name.
//!
//! Many hooks look at `$0`: husky's and overcommit's find out by their name what to run, others
//! source a file beside themselves. So the stage has the same depth as the directory of the hooks
//! and a link to each file of it; the hook's own name leads to the kept hook.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::hook::Hook;
use super::hook_file::HookFile;

/// The stage of a hook.
pub(super) struct Stage<'a> {
    place: &'a HookFile,
    /// The directory of the hooks.
    hooks: &'a Path,
    /// The name of that directory.
    name: &'a OsStr,
    directory: PathBuf,
}

impl<'a> Stage<'a> {
    pub(super) fn of(place: &'a HookFile) -> io::Result<Self> {
        let nowhere = || io::Error::from(io::ErrorKind::InvalidInput);
        let hooks = place.file.parent().ok_or_else(nowhere)?;
        let name = hooks.file_name().ok_or_else(nowhere)?;
        let mut own = name.to_owned();
        own.push(".kata-ci");
        Ok(Self {
            place,
            hooks,
            name,
            directory: hooks.with_file_name(own),
        })
    }

    /// Makes the links, and returns the path to call the kept hook by.
    pub(super) fn set(&self) -> io::Result<PathBuf> {
        if !self.directory.is_dir() {
            fs::create_dir_all(&self.directory)?;
            // Where the hooks are in the work tree, git need not see the links.
            fs::write(self.directory.join(".gitignore"), "*\n")?;
        }
        let own = OsStr::new(self.place.hook.name());
        for entry in fs::read_dir(self.hooks)? {
            let name = entry?.file_name();
            // A call of the other hook may use the stage at the same time.
            let is_staged = Hook::ALL.iter().any(|hook| name == hook.name());
            if !is_staged && !name.to_string_lossy().ends_with(".sample") {
                self.link(&name, &name)?;
            }
        }
        let kept = self.place.kept.file_name().unwrap_or(own);
        self.link(own, kept)?;
        Ok(self.directory.join(own))
    }

    /// Makes a link in the stage to a file of the hooks. Another call may make it at the same time.
    fn link(&self, name: &OsStr, target: &OsStr) -> io::Result<()> {
        let (at, target) = (
            self.directory.join(name),
            Path::new("..").join(self.name).join(target),
        );
        if fs::read_link(&at).is_ok_and(|there| there == target) {
            return Ok(());
        }
        let _ = fs::remove_file(&at);
        match symlink(&target, &at) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    /// Removes the stage. It holds only links and its own `.gitignore`.
    pub(super) fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}
