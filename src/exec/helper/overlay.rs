//! A directory as it is, in which what is written is kept for the job alone: an overlay file system whose upper layer is in
//! memory, and goes with the job.

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

/// Where the upper layer is mounted for a moment: an overlay takes only what is mounted somewhere.
const SCRATCH: &str = "/tmp";

/// A mount of it that is nowhere yet.
pub(super) fn overlay(path: &Path, metadata: &Metadata) -> io::Result<OwnedFd> {
    let lower = directory(path)?;
    let memory = mount("tmpfs", &[("mode", "0700")])?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    move_mount(&memory, "", CWD, SCRATCH, flags)?;
    let made = upper(metadata).and_then(|upper| over(&lower, &upper));
    // The overlay holds on to it.
    unmount(SCRATCH, UnmountFlags::DETACH)?;
    made
}

/// The two directories of an upper layer: what is written, and what the kernel works with. The merged directory looks as
/// the first.
fn upper(metadata: &Metadata) -> io::Result<File> {
    let scratch = Path::new(SCRATCH);
    for name in ["upper", "work"] {
        DirBuilder::new().mode(0o700).create(scratch.join(name))?;
    }
    let upper = scratch.join("upper");
    resemble(&upper, metadata);
    directory(scratch)
}

/// An ordinary user can give nothing away, and needs not: all is the user's own then.
pub(super) fn resemble(path: &Path, metadata: &Metadata) {
    let _ = std::os::unix::fs::chown(path, Some(metadata.uid()), Some(metadata.gid()));
    let _ = fs::set_permissions(path, metadata.permissions());
}

fn over(lower: &File, upper: &File) -> io::Result<OwnedFd> {
    // By number: a path can hold what means something in options.
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
    // In a user namespace there are no trusted attributes.
    options.push(("userxattr", ""));
    mount("overlay", &options)
}

/// Options without a value are flags.
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
