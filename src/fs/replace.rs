//! Replaces a file of the user's in one step.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Place;

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
    let permissions = Permissions::from_mode(mode);
    Place::of(path)?.write_aside_as(permissions, |file| file.write_all(content))
}

#[cfg(test)]
mod tests {
    use super::*;

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
