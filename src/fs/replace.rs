//! Replaces a file of the user's in one step.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Place;
use super::directory::Attributes;

/// Writes a file aside with these permissions, syncs it, and renames it into place. A directory
/// that is missing is made; a link of that name is replaced, not followed.
///
/// # Errors
///
/// The error of the operating system. What was there before is there still.
pub fn replace(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let attributes = Attributes { mode, owner: None };
    Place::of(path)?.write_aside_as(attributes, |file| file.write_all(content))
}

/// Writes a file aside, syncs it, and renames it to a name that nothing has.
///
/// # Errors
/// `AlreadyExists` if something has the name, which stays as it is; else the error of the operating
/// system. Nothing is left then.
pub fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}", std::process::id()));
    let written = write_new(Path::new(&aside), content).and_then(|()| {
        let here = rustix::fs::CWD;
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        Ok(rustix::fs::renameat_with(here, &*aside, here, path, flags)?)
    });
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Replaces a file as [`replace`] does, and keeps owner, group and permissions of the one that is
/// there. A new one gets `mode`.
///
/// # Errors
/// The error of the operating system, also when the owner cannot be kept. What was there before is
/// there still.
pub fn replace_kept(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let Ok(there) = fs::symlink_metadata(path) else {
        return replace(path, mode, content);
    };
    let attributes = Attributes {
        mode: there.mode() & 0o7777,
        owner: Some((there.uid(), there.gid())),
    };
    Place::of(path)?.write_aside_as(attributes, |file| file.write_all(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn owner_and_permissions_are_kept() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        replace_kept(&path, 0o640, b"one").unwrap();
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(7), Some(8)).unwrap();
        }
        let before = path.metadata().unwrap();
        replace_kept(&path, 0o600, b"two").unwrap();
        let after = path.metadata().unwrap();
        let all = |of: &fs::Metadata| (of.mode(), of.uid(), of.gid());
        assert_eq!(all(&after), all(&before));
        assert_eq!(after.mode() & 0o777, 0o640);
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[test]
    fn a_new_file_takes_no_name_that_is_taken() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        create(&path, b"one").unwrap();
        let taken = create(&path, b"two").unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(place.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_file_is_replaced_with_its_permissions() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("new/file");
        for (mode, content) in [(0o600, "one"), (0o755, "two")] {
            replace(&path, mode, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode);
        }
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_stays() {
        let place = tempfile::tempdir().unwrap();
        let (file, link) = (place.path().join("file"), place.path().join("link"));
        fs::write(&file, "before").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, 0o600, b"after").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "before");
        assert_eq!(fs::read_to_string(&link).unwrap(), "after");
    }
}
