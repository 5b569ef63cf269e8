//! Makes the job's own view of the files. Pid 1 makes it in a mount namespace of its own.
//!
//! Kept paths are cloned as detached mounts before anything is covered, and attached again
//! afterwards. So a work tree below /tmp stays, although /tmp is empty. In a strict view everything
//! becomes read-only in between, in one call; the clones stay writable. Nothing is mounted on a
//! path with a symbolic link, because that would cover the link's target. If the link itself is
//! hidden, it is created again.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc;
use rustix::fs::CWD;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount, mount_bind,
    mount_change, move_mount, open_tree,
};

use super::overlay::{overlay, resemble};
use super::privileges::forbid_user_namespaces;
use super::refused::{Describe, Refused};
use crate::exec::isolation::{MountPoint, Space, View};

/// Parts of /proc that give root access to the whole machine. They are read-only for everybody
/// else.
const KERNEL: &[&str] = &["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"];

/// Devices in a strict view, if the host has them. They include those that virtual machines need,
/// because the permissions of the nodes still hold.
const DEVICES: &[&str] = &[
    "null",
    "zero",
    "full",
    "random",
    "urandom",
    "kvm",
    "vhost-net",
    "vhost-vsock",
    "net/tun",
];

/// A path with its cloned mount.
struct Taken<'a> {
    place: &'a MountPoint,
    /// The clone; `None` for a hidden or missing path.
    tree: Option<OwnedFd>,
    metadata: Metadata,
}

/// Makes the view. `sockets` are unix sockets of the host; a read-only mount does not stop a
/// connection to one.
pub(super) fn arrange(space: &Space, sockets: &[PathBuf]) -> Result<(), Refused> {
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount_change("/", private).describe(|| "taking the mounts apart from the host's".into())?;
    let is_root = nix::unistd::geteuid().is_root();
    let owners = owners(space);
    let (taken, links) = (take(space)?, links(space));
    let devices = if space.strict {
        take_devices()
    } else {
        Vec::new()
    };
    if space.strict {
        restrict(CWD, "/", true, true).describe(|| "making the file system read-only".into())?;
    } else if is_root {
        restrict(CWD, "/sys", false, true).describe(|| "making /sys read-only".into())?;
    }
    mount_proc()?;
    if is_root && space.strict {
        forbid_user_namespaces().describe(|| "forbidding user namespaces".into())?;
    }
    if is_root {
        protect_kernel()?;
    }
    for taken in &taken {
        put(taken, &owners)?;
    }
    for (link, target) in &links {
        put_link(link, target, &owners)?;
    }
    if space.strict {
        make_devices(devices)?;
    }
    make_terminals()?;
    for socket in sockets.iter().filter(|socket| socket.exists()) {
        // A socket that is gone by now needs no cover.
        let _ = mount_bind("/dev/null", socket);
    }
    Ok(())
}

/// Clones the mounts at and below a path.
fn clone_tree(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    Ok(open_tree(CWD, path, flags)?)
}

fn attach(tree: &OwnedFd, target: &Path) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(move_mount(tree, "", CWD, target, flags)?)
}

/// Makes a mount read-only, or one with all mounts below it. rustix has no mount_setattr(2).
fn restrict(at: impl AsFd, path: &str, is_recursive: bool, is_path: bool) -> Result<(), Errno> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let path = std::ffi::CString::new(path).map_err(|_| Errno::EINVAL)?;
    let mut flags = 0;
    if is_recursive {
        flags |= libc::AT_RECURSIVE;
    }
    if !is_path {
        flags |= libc::AT_EMPTY_PATH;
    }
    // SAFETY: the path ends in NUL, the structure has the given size, and both outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            at.as_fd().as_raw_fd(),
            path.as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    Errno::result(result).map(drop)
}

/// Clones every path before anything changes. Missing paths are left out.
fn take(space: &Space) -> Result<Vec<Taken<'_>>, Refused> {
    let mut all = Vec::new();
    for place in &space.places {
        let path = place.path();
        let Ok(metadata) = fs::metadata(path) else {
            continue;
        };
        if leads_to(path).is_some() {
            continue;
        }
        let tree = match place.view {
            View::Hidden => None,
            View::ReadOnly | View::Copied | View::Kept => {
                Some(clone_tree(path).describe(|| format!("taking {}", path.display()))?)
            }
        };
        if let (View::ReadOnly, Some(tree)) = (place.view, &tree) {
            restrict(tree, "", true, false)
                .describe(|| format!("making {} read-only", path.display()))?;
        }
        all.push(Taken {
            place,
            tree,
            metadata,
        });
    }
    Ok(all)
}

/// Returns paths that lead through a symbolic link, and their targets, which get the same view.
fn links(space: &Space) -> Vec<(&Path, PathBuf)> {
    let seen = space
        .places
        .iter()
        .filter(|place| place.view != View::Hidden);
    seen.filter_map(|place| Some((place.path(), leads_to(place.path())?)))
        .collect()
}

/// Returns the target; `None` if the path has no link.
fn leads_to(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().filter(|real| real != path)
}

/// Returns owner and permissions of the directories above the paths. Directories that are created
/// again get the same.
fn owners(space: &Space) -> BTreeMap<PathBuf, Metadata> {
    space
        .places
        .iter()
        .flat_map(|place| place.path().ancestors())
        .filter_map(|path| Some((path.to_owned(), fs::metadata(path).ok()?)))
        .collect()
}

fn put(taken: &Taken<'_>, owners: &BTreeMap<PathBuf, Metadata>) -> Result<(), Refused> {
    let path = taken.place.path();
    let words = || match taken.place.view {
        View::Hidden => format!("covering {}", path.display()),
        View::ReadOnly | View::Kept => format!("bringing {} back", path.display()),
        View::Copied => format!("laying a layer of the job's own over {}", path.display()),
    };
    let is_new = !path.exists();
    if is_new {
        make(path, taken.metadata.is_dir(), owners).describe(words)?;
    }
    match &taken.tree {
        Some(tree) if taken.place.view == View::Copied => {
            if is_new {
                attach(tree, path).describe(words)?;
            }
            let copy = overlay(path, &taken.metadata).describe(words)?;
            attach(&copy, path).describe(words)
        }
        Some(tree) => attach(tree, path).describe(words),
        // It was in a directory that is empty now.
        None if is_new => Ok(()),
        None if taken.metadata.is_dir() => cover(path, &taken.metadata).describe(words),
        None => mount_bind("/dev/null", path).describe(words),
    }
}

fn put_link(
    link: &Path,
    target: &Path,
    owners: &BTreeMap<PathBuf, Metadata>,
) -> Result<(), Refused> {
    if link.ancestors().any(Path::is_symlink) {
        // It was not hidden.
        return Ok(());
    }
    let words = || format!("bringing the link {} back", link.display());
    if let Some(above) = link.parent() {
        make(above, true, owners).describe(words)?;
    }
    std::os::unix::fs::symlink(target, link).describe(words)
}

/// Creates a directory or an empty file, with the directories above it.
fn make(path: &Path, is_directory: bool, owners: &BTreeMap<PathBuf, Metadata>) -> io::Result<()> {
    let missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
    for directory in missing.into_iter().rev() {
        if directory == path && !is_directory {
            File::create(path)?;
            continue;
        }
        let metadata = owners.get(directory);
        let mode = metadata.map_or(0o755, |metadata| metadata.mode() & 0o7777);
        DirBuilder::new().mode(mode).create(directory)?;
        if let Some(metadata) = metadata {
            resemble(directory, metadata);
        }
    }
    Ok(())
}

/// Covers a directory of the host with an empty one.
fn cover(path: &Path, metadata: &Metadata) -> io::Result<()> {
    mount_tmpfs(path, metadata.mode() & 0o7777)?;
    resemble(path, metadata);
    Ok(())
}

fn mount_tmpfs(path: &Path, mode: u32) -> io::Result<()> {
    let data = std::ffi::CString::new(format!("mode={mode:o}"))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    Ok(mount("tmpfs", path, "tmpfs", flags, data.as_c_str())?)
}

fn mount_proc() -> Result<(), Refused> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", flags, None).describe(|| "mounting /proc".into())
}

fn protect_kernel() -> Result<(), Refused> {
    for path in KERNEL.iter().map(Path::new).filter(|path| path.exists()) {
        let words = || format!("making {} read-only", path.display());
        let tree = clone_tree(path).describe(words)?;
        restrict(&tree, "", true, false).describe(words)?;
        attach(&tree, path).describe(words)?;
    }
    Ok(())
}

fn take_devices() -> Vec<(&'static str, OwnedFd)> {
    DEVICES
        .iter()
        .filter_map(|name| Some((*name, clone_tree(&Path::new("/dev").join(name)).ok()?)))
        .collect()
}

/// Makes /dev of the given devices and the usual links. There is no terminal, so no /dev/tty.
fn make_devices(devices: Vec<(&str, OwnedFd)>) -> Result<(), Refused> {
    let words = || "making a /dev of the job's own".to_owned();
    let dev = Path::new("/dev");
    mount_tmpfs(dev, 0o755).describe(words)?;
    for (name, device) in devices {
        let path = dev.join(name);
        make(&path, false, &BTreeMap::new()).describe(words)?;
        attach(&device, &path).describe(words)?;
    }
    for name in ["shm", "pts"] {
        DirBuilder::new().create(dev.join(name)).describe(words)?;
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ] {
        std::os::unix::fs::symlink(target, dev.join(name)).describe(words)?;
    }
    Ok(())
}

/// Mounts shared memory and pseudo-terminals of the job's own.
fn make_terminals() -> Result<(), Refused> {
    if Path::new("/dev/shm").is_dir() {
        mount_tmpfs(Path::new("/dev/shm"), 0o1777).describe(|| "covering /dev/shm".into())?;
    }
    if Path::new("/dev/pts").is_dir() {
        let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
        mount(
            "devpts",
            "/dev/pts",
            "devpts",
            flags,
            c"newinstance,ptmxmode=0666,mode=0620",
        )
        .describe(|| "mounting /dev/pts".into())?;
    }
    Ok(())
}
