//! The tracked files of a work tree, compared without a filter and mostly without being read.
//!
//! No program can set the time of a file's last change (`ctime`). If it is the same, so is the
//! file, whatever git would make of it (line ends, large files kept elsewhere). A file that was
//! written again is the same if its bytes are those of git's object.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::git::Listed;

/// Two changes within a tick of the kernel's clock have the same time. A tick takes 10 ms at most.
const TICK: Duration = Duration::from_millis(100);

/// The most bytes of a file that are read.
const READ: u64 = 1 << 30;

/// The files by their path from the top.
#[derive(Debug)]
pub(super) struct Tracked {
    files: BTreeMap<PathBuf, File>,
}

#[derive(Debug)]
struct File {
    /// `None` if it is missing.
    state: Option<State>,
    /// Git's object of it.
    object: Option<String>,
    /// A digest of its content if it was changed just now.
    content: Option<String>,
}

/// The state of a file, which differs if the file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    mode: u32,
    size: u64,
    changed: (i64, i64),
}

impl Tracked {
    /// Looks at the listed files.
    pub fn look(top: &Path, listed: BTreeMap<PathBuf, Listed>) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let recent = since_epoch.unwrap_or_default().saturating_sub(TICK);
        let recent = (recent.as_secs() as i64, i64::from(recent.subsec_nanos()));
        let files = listed.into_iter().map(|(path, listed)| {
            let full = top.join(&path);
            let state = State::of(&full);
            let is_recent = state.is_some_and(|state| state.changed >= recent);
            let file = File {
                state,
                object: listed.object().map(str::to_owned),
                content: is_recent.then(|| content(&full)).flatten(),
            };
            (path, file)
        });
        Self {
            files: files.collect(),
        }
    }

    /// Returns true if each is the same file, and no directory above one is a link now.
    pub fn holds(&self, top: &Path) -> bool {
        let directories: BTreeSet<_> = (self.files.iter())
            .filter(|(_, file)| file.state.is_some())
            .flat_map(|(path, _)| path.ancestors().skip(1))
            .collect();
        let is_directory = |below: &&Path| {
            let path = top.join(below);
            path.symlink_metadata().is_ok_and(|it| it.is_dir())
        };
        directories.iter().all(is_directory)
            && (self.files.iter()).all(|(path, file)| file.holds(&top.join(path)))
    }
}

impl File {
    fn holds(&self, path: &Path) -> bool {
        match (self.state, State::of(path)) {
            (None, None) => true,
            (Some(was), Some(is)) if was == is => {
                self.content.is_none() || self.content == content(path)
            }
            (Some(was), Some(is)) => was.is_alike(is) && self.is_the_object(path),
            _ => false,
        }
    }

    fn is_the_object(&self, path: &Path) -> bool {
        let found = |object: &String| Some(object) == object_of(path, object.len()).as_ref();
        self.object.as_ref().is_some_and(found)
    }
}

impl State {
    fn of(path: &Path) -> Option<Self> {
        let metadata: Metadata = path.symlink_metadata().ok()?;
        // A directory is a submodule, which is looked at by itself.
        let is_file = !metadata.is_dir();
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            mode: metadata.mode(),
            size: if is_file { metadata.size() } else { 0 },
            changed: match is_file {
                true => (metadata.ctime(), metadata.ctime_nsec()),
                false => (0, 0),
            },
        })
    }

    /// Returns true if only writing can have made one of the other.
    fn is_alike(self, other: Self) -> bool {
        self.mode == other.mode && self.size == other.size
    }
}

fn content(path: &Path) -> Option<String> {
    let mut hash = Sha256::new();
    raw(path, |bytes| hash.update(bytes))?;
    Some(hexadecimal(&hash.finalize()))
}

/// Passes the target of a link, or the content of a file, on in pieces. Returns their length in
/// bytes.
fn raw(path: &Path, mut pass: impl FnMut(&[u8])) -> Option<u64> {
    let metadata = path.symlink_metadata().ok()?;
    if metadata.is_symlink() {
        let target = path.read_link().ok()?;
        pass(target.as_os_str().as_bytes());
        return Some(target.as_os_str().len() as u64);
    }
    let mut file = crate::fs::open_plain(path).ok()?.take(READ + 1);
    let mut piece = vec![0; 64 << 10];
    let mut size = 0;
    loop {
        match file.read(&mut piece).ok()? {
            0 => return (size <= READ).then_some(size),
            read => {
                size += read as u64;
                pass(&piece[..read]);
            }
        }
    }
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the id of the object that the file would be as it is. The length of an id tells git's
/// hash function.
fn object_of(path: &Path, length: usize) -> Option<String> {
    let size = path.symlink_metadata().ok()?.size();
    let head = format!("blob {size}\0");
    let (digest, read) = match length {
        40 => {
            let mut hash = Sha1::new();
            hash.update(head);
            let read = raw(path, |bytes| hash.update(bytes))?;
            (hexadecimal(&hash.finalize()), read)
        }
        64 => {
            let mut hash = Sha256::new();
            hash.update(head);
            let read = raw(path, |bytes| hash.update(bytes))?;
            (hexadecimal(&hash.finalize()), read)
        }
        _ => return None,
    };
    (read == size).then_some(digest)
}
