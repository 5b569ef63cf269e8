//! Makes the job's own view of the files. Pid 1 makes it in a mount namespace of its own.
//!
//! Kept paths are cloned as detached mounts before anything is covered, and attached again
//! afterwards. So a work tree below /tmp stays, although /tmp is empty. In a strict view everything
//! becomes read-only in between, in one call; the clones stay writable. Nothing is mounted on a
//! path with a symbolic link, because that would cover the link's target. If the link itself is
//! hidden, it is created again.
//!
//! A root that stays the host's root has /sys, /proc/sys and devices as on the host. Its mounts
//! propagate among each other where the host's do, and never reach the host.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc;
use rustix::fs::{CWD, StatVfsMountFlags};
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount, mount_bind,
    mount_change, move_mount, open_tree,
};

use super::mount_table::{self, Mount};
use super::namespaces::Inside;
use super::overlay::{UpperLayers, directory, resemble};
use super::privileges::forbid_user_namespaces;
use super::refused::{Describe, Refused};
use crate::exec::isolation::{MountPoint, Sandbox, Space, View};

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
    /// The clone, or the layer over it; `None` for a hidden or missing path.
    tree: Option<OwnedFd>,
    metadata: Metadata,
}

/// Makes the view.
pub(super) fn arrange(sandbox: &Sandbox, space: &Space, inside: &Inside) -> Result<(), Refused> {
    let before =
        mount_table::parse(&mount_table::table().describe(|| "reading the mounts".into())?);
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount_change("/", private).describe(|| "taking the mounts apart from the host's".into())?;
    let owners = owners(space);
    let (mut taken, links) = (take(space)?, links(space));
    let devices = match space.strict {
        true => take_devices(),
        false => Vec::new(),
    };
    if space.strict {
        restrict(CWD, "/", true, true).describe(|| "making the file system read-only".into())?;
    }
    mount_proc()?;
    match inside.keeps_root {
        true if sandbox.network => renew_sys(&before)?,
        true => {}
        false => restrain_root(space)?,
    }
    lay_over(&mut taken)?;
    let flags = Flags::new(space, inside.keeps_root);
    for taken in &taken {
        put(taken, &owners, flags)?;
    }
    for (link, target) in &links {
        put_link(link, target, &owners)?;
    }
    if space.strict {
        make_devices(devices)?;
    }
    make_terminals(flags)?;
    cover_sockets(&inside.sockets);
    match inside.keeps_root {
        true => share_again(&before),
        false => Ok(()),
    }
}

/// Keeps who is root in a user namespace only from what is the host's root's.
fn restrain_root(space: &Space) -> Result<(), Refused> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    if space.strict {
        forbid_user_namespaces().describe(|| "forbidding user namespaces".into())?;
    } else {
        restrict(CWD, "/sys", false, true).describe(|| "making /sys read-only".into())?;
    }
    protect_kernel()
}

/// Covers sockets of the host by their paths: connecting to one needs no permission to write.
fn cover_sockets(sockets: &[PathBuf]) {
    for socket in sockets.iter().filter(|socket| socket.exists()) {
        // A socket that is gone by now needs no cover.
        let _ = mount_bind("/dev/null", socket);
    }
}

/// Mounts a /sys that shows the devices of the job's own network, not the host's. The mounts below
/// it stay.
fn renew_sys(before: &[Mount]) -> Result<(), Refused> {
    let sys = Path::new("/sys");
    if !before.iter().any(|mount| mount.point == sys) {
        return Ok(());
    }
    let mut points: Vec<_> = before.iter().map(|mount| mount.point.as_path()).collect();
    points.retain(|point| *point != sys && point.starts_with(sys));
    points.sort();
    // What lies below another comes along with it.
    points.dedup_by(|point, above| point.starts_with(&**above));
    let trees: Vec<_> = (points.into_iter())
        .filter_map(|point| Some((point, clone_tree(point).ok()?)))
        .collect();
    let flags = flags_of(sys).union(flags_of_writing(sys));
    match mount("sysfs", sys, "sysfs", flags, None) {
        // In a container whose root may not: its /sys stays as it is.
        Err(rustix::io::Errno::PERM) => return Ok(()),
        result => result.describe(|| "mounting /sys".into())?,
    }
    for (point, tree) in trees {
        attach(&tree, point).describe(|| format!("bringing {} back", point.display()))?;
    }
    Ok(())
}

/// Makes the mounts shared within the job's namespace, if they are shared on the host.
fn share_again(before: &[Mount]) -> Result<(), Refused> {
    let root = (before.iter().rev()).find(|mount| mount.point == Path::new("/"));
    if root.is_none_or(|root| !root.is_shared) {
        return Ok(());
    }
    let shared = MountPropagationFlags::REC | MountPropagationFlags::SHARED;
    mount_change("/", shared).describe(|| "sharing mounts within the job".into())
}

/// The flags of an empty directory that covers another.
#[derive(Debug, Clone, Copy)]
enum Flags {
    /// The flags of the covered mount, so that devices and set-user-ID programs work as before.
    Inherited,
    /// Neither devices nor set-user-ID programs work.
    Careful,
}

impl Flags {
    fn new(space: &Space, keeps_root: bool) -> Self {
        match keeps_root && !space.strict {
            true => Self::Inherited,
            false => Self::Careful,
        }
    }

    fn at(self, path: &Path) -> MountFlags {
        match self {
            Self::Inherited => flags_of(path),
            Self::Careful => MountFlags::NOSUID | MountFlags::NODEV,
        }
    }
}

/// Returns the restrictions of the mount at a path, but for `RDONLY`.
fn flags_of(path: &Path) -> MountFlags {
    let Ok(found) = rustix::fs::statvfs(path) else {
        return MountFlags::NOSUID | MountFlags::NODEV;
    };
    let mut flags = MountFlags::empty();
    for (flag, mounted) in [
        (MountFlags::NOSUID, StatVfsMountFlags::NOSUID),
        (MountFlags::NODEV, StatVfsMountFlags::NODEV),
        (MountFlags::NOEXEC, StatVfsMountFlags::NOEXEC),
    ] {
        flags.set(flag, found.f_flag.contains(mounted));
    }
    flags
}

/// Returns `RDONLY` if the mount at a path is read-only.
fn flags_of_writing(path: &Path) -> MountFlags {
    match rustix::fs::statvfs(path) {
        Ok(found) if found.f_flag.contains(StatVfsMountFlags::RDONLY) => MountFlags::RDONLY,
        _ => MountFlags::empty(),
    }
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
            View::Hidden | View::Copied => None,
            View::ReadOnly | View::Kept => {
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

/// Lays a layer of the job's own over each copied path, before anything covers these. The new /proc
/// is needed for it.
fn lay_over(taken: &mut [Taken<'_>]) -> Result<(), Refused> {
    let copied = (taken.iter_mut()).filter(|taken| taken.place.view == View::Copied);
    let words = |path: &Path| format!("laying a layer of the job's own over {}", path.display());
    let mut lower = Vec::new();
    for taken in copied {
        let path = taken.place.path();
        lower.push((directory(path).describe(|| words(path))?, taken));
    }
    if lower.is_empty() {
        return Ok(());
    }
    let mount = || "mounting memory for layers of the job's own".to_owned();
    let mut layers = UpperLayers::mount().describe(mount)?;
    for (directory, taken) in lower {
        let layer = layers.over(&directory, &taken.metadata);
        taken.tree = Some(layer.describe(|| words(taken.place.path()))?);
    }
    layers.unmount().describe(mount)
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

fn put(
    taken: &Taken<'_>,
    owners: &BTreeMap<PathBuf, Metadata>,
    flags: Flags,
) -> Result<(), Refused> {
    let path = taken.place.path();
    let words = || match taken.place.view {
        View::Hidden => format!("covering {}", path.display()),
        View::ReadOnly | View::Copied | View::Kept => format!("bringing {} back", path.display()),
    };
    let is_new = !path.exists();
    if is_new {
        make(path, taken.metadata.is_dir(), owners).describe(words)?;
    }
    match &taken.tree {
        Some(tree) => attach(tree, path).describe(words),
        // It was in a directory that is empty now.
        None if is_new => Ok(()),
        None if taken.metadata.is_dir() => {
            cover(path, &taken.metadata, flags.at(path)).describe(words)
        }
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
fn cover(path: &Path, metadata: &Metadata, flags: MountFlags) -> io::Result<()> {
    mount_tmpfs(path, metadata.mode() & 0o7777, flags)?;
    resemble(path, metadata);
    Ok(())
}

fn mount_tmpfs(path: &Path, mode: u32, flags: MountFlags) -> io::Result<()> {
    let data = std::ffi::CString::new(format!("mode={mode:o}"))?;
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
    mount_tmpfs(dev, 0o755, Flags::Careful.at(dev)).describe(words)?;
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
fn make_terminals(flags: Flags) -> Result<(), Refused> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        mount_tmpfs(memory, 0o1777, flags.at(memory)).describe(|| "covering /dev/shm".into())?;
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
