//! Overlays a directory for one job: writes go to an upper layer in memory and are gone with the
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

/// Temporary mount point of the upper layer, because an overlay only accepts mounted layers.
const SCRATCH: &str = "/tmp";

/// Returns a detached overlay of a directory.
pub(super) fn overlay(path: &Path, metadata: &Metadata) -> io::Result<OwnedFd> {
    let lower = directory(path)?;
    let memory = mount("tmpfs", &[("mode", "0700")])?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    move_mount(&memory, "", CWD, SCRATCH, flags)?;
    let made = upper(metadata).and_then(|upper| over(&lower, &upper));
    // The overlay keeps the layer alive.
    unmount(SCRATCH, UnmountFlags::DETACH)?;
    made
}

/// Returns the upper layer with its two directories: the one for writes, and the one that the
/// kernel works with. The overlay has the owner and mode of the first.
fn upper(metadata: &Metadata) -> io::Result<File> {
    let scratch = Path::new(SCRATCH);
    for name in ["upper", "work"] {
        DirBuilder::new().mode(0o700).create(scratch.join(name))?;
    }
    let upper = scratch.join("upper");
    resemble(&upper, metadata);
    directory(scratch)
}

/// Copies owner and permissions. An ordinary user cannot change owners, and need not, because
/// everything is the user's.
pub(super) fn resemble(path: &Path, metadata: &Metadata) {
    let _ = std::os::unix::fs::chown(path, Some(metadata.uid()), Some(metadata.gid()));
    let _ = fs::set_permissions(path, metadata.permissions());
}

fn over(lower: &File, upper: &File) -> io::Result<OwnedFd> {
    // Paths by file descriptor avoid characters with a meaning in options.
    let path = |file: &File| format!("/proc/self/fd/{}", file.as_raw_fd());
    let layers = [
        ("lowerdir", path(lower)),
        ("upperdir", format!("{}/upper", path(upper))),
        ("workdir", format!("{}/work", path(upper))),
    ];
    let mut options: Vec<_> = layers
        .iter()
        .map(|(name, path)| (*name, path.as_str()))
        .collect();
    // A user namespace has no trusted attributes.
    options.push(("userxattr", ""));
    mount("overlay", &options)
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

fn directory(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
        .open(path)
}
