//! Overlays directories for one job: writes go to an upper layer in memory and are gone with the
//! job.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc;
use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, move_mount, unmount,
};

/// Temporary mount point of the upper layers, because an overlay only accepts mounted layers.
const SCRATCH: &str = "/tmp";

/// The upper layers of a job, which share a file system: each mount and its end take time.
///
/// While it is there, it covers [`SCRATCH`], so directories there have to be opened before.
pub(super) struct UpperLayers {
    memory: File,
    made: usize,
}

impl UpperLayers {
    /// Mounts the file system.
    pub fn mount() -> io::Result<Self> {
        let memory = mount("tmpfs", &[("mode", "0700")])?;
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        move_mount(&memory, "", CWD, SCRATCH, flags)?;
        Ok(Self {
            memory: directory(Path::new(SCRATCH))?,
            made: 0,
        })
    }

    /// Returns a detached overlay of a directory. It has owner and mode of the metadata.
    pub fn over(&mut self, lower: &File, metadata: &Metadata) -> io::Result<OwnedFd> {
        self.made += 1;
        let layer = Path::new(SCRATCH).join(self.made.to_string());
        let upper = layer.join("upper");
        // The kernel works with the third one.
        for directory in [&layer, &upper, &layer.join("work")] {
            DirBuilder::new().mode(0o700).create(directory)?;
        }
        resemble(&upper, metadata);
        // Paths by file descriptor avoid characters with a meaning in options.
        let path = |file: &File| format!("/proc/self/fd/{}", file.as_raw_fd());
        let layer = format!("{}/{}", path(&self.memory), self.made);
        let options = [
            ("lowerdir", path(lower)),
            ("upperdir", format!("{layer}/upper")),
            ("workdir", format!("{layer}/work")),
            // A user namespace has no trusted attributes.
            ("userxattr", String::new()),
        ];
        mount(
            "overlay",
            &options
                .each_ref()
                .map(|(name, value)| (*name, value.as_str())),
        )
    }

    /// Takes the file system away. The overlays keep it alive.
    pub fn unmount(self) -> io::Result<()> {
        Ok(unmount(SCRATCH, UnmountFlags::DETACH)?)
    }
}

/// Copies owner and permissions. An ordinary user cannot change owners, and need not, because
/// everything is the user's.
pub(super) fn resemble(path: &Path, metadata: &Metadata) {
    let _ = std::os::unix::fs::chown(path, Some(metadata.uid()), Some(metadata.gid()));
    let _ = fs::set_permissions(path, metadata.permissions());
}

/// Creates a mount. Options without a value are flags.
fn mount(kind: &str, options: &[(&str, &str)]) -> io::Result<OwnedFd> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (name, value) in options {
        match *value {
            "" => rustix::mount::fsconfig_set_flag(context.as_fd(), *name)?,
            value => fsconfig_set_string(context.as_fd(), *name, value)?,
        }
    }
    fsconfig_create(context.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    Ok(fsmount(
        context.as_fd(),
        FsMountFlags::FSMOUNT_CLOEXEC,
        attributes,
    )?)
}

/// Opens a directory to lay a layer over.
pub(super) fn directory(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
        .open(path)
}
