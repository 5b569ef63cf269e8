//! Programs that run as who owns them, by the bits set-user-ID and set-group-ID. What a strict job makes of them would work
//! on the host: of a job of root's, as root, for everybody there. The job may make them, as tests do; when it is over the
//! bits are taken away, and what they were taken from is told.
//!
//! Looking at every file that a job can write would cost each job its time. So the kernel tells: the first call that sets
//! such a bit waits until this process has taken notice, and goes on then. Where the kernel cannot tell, such calls fail.
//! Bits from before the job stay; capabilities of files, the other way to the same, a strict job cannot give at all.

use std::fs::{self, Permissions};
use std::io::{self, PipeWriter, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::libc;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpOp, SeccompRule};

use super::calls::{Calls, condition, filter, refuse, rule};
use crate::exec::isolation::{Space, View};

/// set-user-ID and set-group-ID.
const BITS: [u32; 2] = [libc::S_ISUID, libc::S_ISGID];
const BOTH: u32 = libc::S_ISUID | libc::S_ISGID;

/// Flags with which open(2) looks at the mode that it is given.
const CREATING: [i32; 2] = [libc::O_CREAT, libc::O_TMPFILE & !libc::O_DIRECTORY];

/// The clock of files ticks this coarsely at most.
const TICK: Duration = Duration::from_millis(20);

/// Tells of the calls that set such bits.
#[derive(Debug)]
pub(super) struct Tripwire {
    /// None where the kernel cannot tell: then nothing can be set.
    listener: Option<OwnedFd>,
    /// Told once, for who outlives this process.
    outside: PipeWriter,
    is_tripped: bool,
}

impl Tripwire {
    /// For what is started from now on. Does not work for a process that is to set such bits itself.
    ///
    /// # Errors
    /// Where the kernel filters no calls.
    pub fn set(outside: PipeWriter) -> io::Result<Self> {
        let calls = calls()?;
        let listener = match listen(calls.clone()) {
            Ok(listener) => Some(listener),
            // There is one already around this process, or the kernel is older.
            Err(_) => {
                refuse(calls, Errno::EPERM)?;
                None
            }
        };
        Ok(Self {
            listener,
            outside,
            is_tripped: false,
        })
    }

    /// What is readable when a call waits.
    pub fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(AsFd::as_fd)
    }

    /// Whether there was such a call.
    pub fn is_tripped(&self) -> bool {
        self.is_tripped
    }

    /// Takes notice of a call, and lets it go on.
    pub fn take_notice(&mut self) {
        if !self.is_tripped {
            self.is_tripped = true;
            let _ = self.outside.write_all(b"!");
        }
        if let Some(listener) = &self.listener {
            // Who called may be gone by now.
            let _ = let_go_on(listener);
        }
    }
}

/// Calls that set such bits. openat2(2) has the mode where no filter can read it: it counts as one that does.
fn calls() -> io::Result<Calls> {
    let mut all = Calls::from([
        (libc::SYS_fchmod, sets(1)?),
        (libc::SYS_fchmodat, sets(2)?),
        (FCHMODAT2, sets(2)?),
        (libc::SYS_mknodat, sets(2)?),
        (libc::SYS_openat, creates(2, 3)?),
        (libc::SYS_openat2, Vec::new()),
    ]);
    #[cfg(target_arch = "x86_64")]
    all.extend([
        (libc::SYS_chmod, sets(1)?),
        (libc::SYS_creat, sets(1)?),
        (libc::SYS_mknod, sets(1)?),
        (libc::SYS_open, creates(1, 2)?),
    ]);
    Ok(all)
}

/// The same on every processor.
const FCHMODAT2: libc::c_long = 452;

/// The mode is this argument.
fn sets(mode: u8) -> io::Result<Vec<SeccompRule>> {
    let has = |bit: u32| {
        let is_set = SeccompCmpOp::MaskedEq(u64::from(bit));
        rule(vec![condition(mode, is_set, u64::from(bit))?])
    };
    BITS.into_iter().map(has).collect()
}

/// Flags and mode are these arguments; without the flags the mode can be anything.
fn creates(flags: u8, mode: u8) -> io::Result<Vec<SeccompRule>> {
    let has = |argument: u8, bits: u64| condition(argument, SeccompCmpOp::MaskedEq(bits), bits);
    let mut rules = Vec::new();
    for flag in CREATING {
        for bit in BITS {
            let both = vec![has(flags, flag as u64)?, has(mode, u64::from(bit))?];
            rules.push(rule(both)?);
        }
    }
    Ok(rules)
}

/// seccompiler knows nothing of listeners: what it makes for a tracer is made one for them.
fn listen(calls: Calls) -> io::Result<OwnedFd> {
    const TRACE: u32 = libc::SECCOMP_RET_TRACE;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let mut program: BpfProgram = filter(calls, SeccompAction::Trace(0))?;
    for step in program.iter_mut() {
        if step.code == RETURN && step.k == TRACE {
            step.k = libc::SECCOMP_RET_USER_NOTIF;
        }
    }
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let all = libc::sock_fprog {
        len: length,
        filter: program.as_mut_ptr().cast(),
    };
    // SAFETY: the program has as many steps as is said, of the layout that the kernel has; both outlive the call.
    let listener = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const all,
        )
    };
    let listener = Errno::result(listener)?;
    // SAFETY: the kernel has just made it, with close-on-exec, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(listener as i32) })
}

fn let_go_on(listener: &OwnedFd) -> Result<(), Errno> {
    // SAFETY: zeroes are what the kernel wants to find in it.
    let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    let listener = listener.as_raw_fd();
    // SAFETY: the structure is the one that this request fills, and outlives the call.
    let received = unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call) };
    Errno::result(received)?;
    let answer = libc::seccomp_notif_resp {
        id: call.id,
        val: 0,
        error: 0,
        flags: libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
    };
    // SAFETY: the structure is the one that this request reads, and outlives the call.
    let sent = unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const answer) };
    Errno::result(sent).map(drop)
}

/// Takes the bits away from every file in what a job could write, as far as they were changed since. Says from which, and
/// what could not be looked at.
pub(super) fn take_away(space: &Space, since: SystemTime) -> (Vec<String>, Vec<String>) {
    let since = since.checked_sub(TICK).unwrap_or(UNIX_EPOCH);
    let mut sweep = Sweep {
        since: since
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| i128::try_from(time.as_nanos()).unwrap_or(0)),
        taken: Vec::new(),
        unknown: Vec::new(),
    };
    let kept = || (space.places.iter()).filter(|place| place.view == View::Kept);
    let is_below =
        |path: &Path| kept().any(|other| other.path() != path && path.starts_with(other.path()));
    for place in kept().filter(|place| !is_below(place.path())) {
        sweep.at(place.path());
    }
    (sweep.taken, sweep.unknown)
}

/// A walk that follows no link: who else writes there meanwhile cannot lead it elsewhere.
struct Sweep {
    /// Nanoseconds.
    since: i128,
    taken: Vec<String>,
    unknown: Vec<String>,
}

impl Sweep {
    fn at(&mut self, path: &Path) {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let result = openat(rustix::fs::CWD, path, flags, Mode::empty())
            .and_then(|file| Ok((fstat(&file)?, file)));
        match result {
            Ok((metadata, _)) if is_directory(&metadata) => {
                self.directory(rustix::fs::CWD, path, path.to_owned());
            }
            Ok((metadata, _)) => self.file(rustix::fs::CWD, path, path.to_owned(), &metadata),
            Err(error) => self.missed(path, error),
        }
    }

    fn directory(&mut self, above: BorrowedFd<'_>, name: &Path, path: PathBuf) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let entries = openat(above, name, flags, Mode::empty())
            .and_then(|directory| Ok((Dir::read_from(&directory)?, directory)));
        let (entries, directory) = match entries {
            Ok(opened) => opened,
            Err(error) => return self.missed(&path, error),
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." || entry.file_type() == FileType::Symlink {
                continue;
            }
            let name =
                Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name));
            self.entry(directory.as_fd(), name, path.join(name));
        }
    }

    fn entry(&mut self, above: BorrowedFd<'_>, name: &Path, path: PathBuf) {
        match statat(above, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(metadata) if is_directory(&metadata) => self.directory(above, name, path),
            Ok(metadata) => self.file(above, name, path, &metadata),
            Err(error) => self.missed(&path, error),
        }
    }

    fn file(&mut self, above: BorrowedFd<'_>, name: &Path, path: PathBuf, metadata: &Stat) {
        if !self.is_new(metadata) {
            return;
        }
        match self.strip(above, name) {
            Ok(None) => {}
            Ok(Some(mode)) => {
                let path = path.to_string_lossy();
                self.taken.push(format!("{path} ({:04o})", mode & 0o7777));
            }
            Err(error) => self.missed(&path, error),
        }
    }

    fn is_new(&self, metadata: &Stat) -> bool {
        let is_file = FileType::from_raw_mode(metadata.st_mode) == FileType::RegularFile;
        let changed =
            i128::from(metadata.st_ctime) * 1_000_000_000 + metadata.st_ctime_nsec as i128;
        is_file && metadata.st_mode & BOTH != 0 && changed >= self.since
    }

    /// Holds on to the file, so that what is looked at is what is changed.
    fn strip(&self, above: BorrowedFd<'_>, name: &Path) -> rustix::io::Result<Option<u32>> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(above, name, flags, Mode::empty())?;
        let metadata = fstat(&file)?;
        if !self.is_new(&metadata) {
            return Ok(None);
        }
        let permissions = Permissions::from_mode(metadata.st_mode & 0o7777 & !BOTH);
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        fs::set_permissions(path, permissions).map_err(|error| {
            rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO)
        })?;
        Ok(Some(metadata.st_mode))
    }

    fn missed(&mut self, path: &Path, error: rustix::io::Errno) {
        if error != rustix::io::Errno::NOENT {
            let path = path.display();
            self.unknown
                .push(format!("set-user-ID programs in {path}: {error}"));
        }
    }
}

fn is_directory(metadata: &Stat) -> bool {
    FileType::from_raw_mode(metadata.st_mode) == FileType::Directory
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::isolation::MountPoint;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn file(path: &Path, mode: u32) {
        fs::write(path, "").unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn swept(directory: &Path, since: SystemTime) -> Vec<String> {
        let space = Space {
            strict: true,
            places: vec![
                MountPoint::new(directory, View::Kept),
                MountPoint::new(directory.join("below"), View::Kept),
            ],
        };
        let (taken, unknown) = take_away(&space, since);
        assert_eq!(unknown, [""; 0]);
        taken
    }

    #[test]
    fn bits_are_taken_from_new_files_and_nothing_else_is() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("below")).unwrap();
        fs::set_permissions(path("below"), Permissions::from_mode(0o2755)).unwrap();
        file(&path("below/both"), 0o6751);
        file(&path("plain"), 0o1644);
        let elsewhere = tempfile::tempdir().unwrap();
        file(&elsewhere.path().join("program"), 0o4755);
        std::os::unix::fs::symlink(elsewhere.path(), path("link")).unwrap();
        let later = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(swept(place.path(), later), [""; 0]);
        let expected = format!("{} (6751)", path("below/both").display());
        assert_eq!(swept(place.path(), UNIX_EPOCH), [expected]);
        assert_eq!(mode(&path("below/both")), 0o751);
        assert_eq!(mode(&path("below")), 0o2755);
        assert_eq!(mode(&path("plain")), 0o1644);
        assert_eq!(mode(&elsewhere.path().join("program")), 0o4755);
    }
}
