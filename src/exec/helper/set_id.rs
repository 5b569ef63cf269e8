//! Removes the bits set-user-ID and set-group-ID that a strict job has set. Such a program of
//! root's job would run as root for everybody on the host. The job may set the bits, as tests do.
//! After the job, the bits are removed and the programs are reported.
//!
//! Checking every file that a job can write would take too long. So the kernel reports it: the
//! first call that sets such a bit waits until this process has noticed it. If the kernel cannot
//! report it, such calls fail. Bits from before the job stay. Capabilities of files, the other way
//! to run as somebody else, cannot be set by a strict job at all.

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

use super::seccomp::{Calls, condition, filter, refuse, rule};
use crate::exec::isolation::{Space, View};

/// The bits set-user-ID and set-group-ID.
const BITS: [u32; 2] = [libc::S_ISUID, libc::S_ISGID];
const BOTH: u32 = libc::S_ISUID | libc::S_ISGID;

/// Flags of open(2) that make it use the given mode.
const CREATING: [i32; 2] = [libc::O_CREAT, libc::O_TMPFILE & !libc::O_DIRECTORY];

/// The coarsest resolution of file times.
const TICK: Duration = Duration::from_millis(20);

/// Notices calls that set such bits.
#[derive(Debug)]
pub(super) struct Tripwire {
    /// The listener; `None` if the kernel cannot report calls, so that they fail.
    listener: Option<OwnedFd>,
    /// Written to once, for the process that outlives this one.
    outside: PipeWriter,
    is_tripped: bool,
}

impl Tripwire {
    /// Starts to notice calls of everything that is started from now on. It does not work for bits
    /// that this process itself sets.
    ///
    /// # Errors
    /// Fails if the kernel has no filters.
    pub fn set(outside: PipeWriter) -> io::Result<Self> {
        let calls = calls()?;
        let listener = match listen(calls.clone()) {
            Ok(listener) => Some(listener),
            // This process has a listener already, or the kernel is older.
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

    /// Returns the file descriptor that is readable while a call waits.
    pub fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(AsFd::as_fd)
    }

    /// Returns true if there was such a call.
    pub fn is_tripped(&self) -> bool {
        self.is_tripped
    }

    /// Notices a call, and lets it continue.
    pub fn take_notice(&mut self) {
        if !self.is_tripped {
            self.is_tripped = true;
            let _ = self.outside.write_all(b"!");
        }
        if let Some(listener) = &self.listener {
            // The caller may be gone by now.
            let _ = let_go_on(listener);
        }
    }
}

/// Returns the calls that set such bits. A filter cannot read the mode of openat2(2), so each of
/// those counts.
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

/// The number is the same on every processor.
const FCHMODAT2: libc::c_long = 452;

/// Matches a call with the mode in this argument.
fn sets(mode: u8) -> io::Result<Vec<SeccompRule>> {
    let has = |bit: u32| {
        let is_set = SeccompCmpOp::MaskedEq(u64::from(bit));
        rule(vec![condition(mode, is_set, u64::from(bit))?])
    };
    BITS.into_iter().map(has).collect()
}

/// Matches a call with flags and mode in these arguments. Without the flags, the mode can be
/// anything.
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

/// Installs a filter with a listener. seccompiler knows no listeners, so it changes the action of a
/// tracer.
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
    // SAFETY: the program has the given number of steps and the kernel's layout, and outlives the
    // call.
    let listener = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const all,
        )
    };
    let listener = Errno::result(listener)?;
    // SAFETY: the kernel has just created it, with close-on-exec, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(listener as i32) })
}

fn let_go_on(listener: &OwnedFd) -> Result<(), Errno> {
    // SAFETY: the kernel expects zeroes in it.
    let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    let listener = listener.as_raw_fd();
    // SAFETY: this is the structure that the request fills, and it outlives the call.
    let received = unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call) };
    Errno::result(received)?;
    let answer = libc::seccomp_notif_resp {
        id: call.id,
        val: 0,
        error: 0,
        flags: libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
    };
    // SAFETY: this is the structure that the request reads, and it outlives the call.
    let sent = unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const answer) };
    Errno::result(sent).map(drop)
}

/// Removes the bits from every file that a job could write and that changed since then. Returns the
/// files, and the directories that could not be searched.
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

/// A walk that follows no link, so that another writer cannot redirect it.
struct Sweep {
    /// Time in nanoseconds.
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

    /// Keeps the file open, so that the inspected file is the changed one.
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
