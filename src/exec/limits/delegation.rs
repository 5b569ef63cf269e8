//! Moves kata-ci into a child of its control group, so that the groups of jobs can be made beside
//! it.
//!
//! A group of version 2 that delegates controllers must have no processes of its own, unless it is
//! the root (see cgroups(7), "no internal processes"). So kata-ci moves into a child, and moves
//! back at the end. Processes of others are never moved: if the group has some, no group can be
//! made in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::group::{name, remove, write};
use super::hierarchy::{CgroupDirectory, Version};

/// The child group that kata-ci moved into. Dropping it moves kata-ci back; the groups of all jobs
/// are gone by then.
#[derive(Debug)]
pub(in crate::exec) struct OwnCgroup {
    group: PathBuf,
    child: PathBuf,
}

impl OwnCgroup {
    /// Moves kata-ci into a child, if that is needed.
    ///
    /// # Errors
    /// If others are in the group, or it cannot be written to.
    pub(super) fn make(place: &CgroupDirectory) -> io::Result<Option<Self>> {
        let group = &place.directory;
        if place.version == Version::One || !group.join("cgroup.type").exists() {
            return Ok(None);
        }
        let processes = fs::read_to_string(group.join("cgroup.procs"))?;
        let own = std::process::id().to_string();
        match processes.lines().collect::<Vec<_>>().as_slice() {
            [] => Ok(None),
            [process] if *process == own => Self::enter(group, &own).map(Some),
            _ => Err(io::Error::other(format!(
                "{} has other processes in it; one for kata-ci alone is made by \
                 `systemd-run --user --scope -p Delegate=yes kata-ci …`",
                group.display()
            ))),
        }
    }

    fn enter(group: &Path, own: &str) -> io::Result<Self> {
        let child = group.join(name());
        fs::create_dir(&child)?;
        write(&child, "cgroup.procs", own)?;
        Ok(Self {
            group: group.to_owned(),
            child,
        })
    }
}

impl Drop for OwnCgroup {
    fn drop(&mut self) {
        for controller in ["memory", "pids"] {
            let _ = write(
                &self.group,
                "cgroup.subtree_control",
                &format!("-{controller}"),
            );
        }
        let own = std::process::id().to_string();
        let _ = write(&self.group, "cgroup.procs", &own);
        let _ = remove(&self.child);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up group with these processes; the kernel makes the files of groups itself.
    fn group(processes: &[u32]) -> (tempfile::TempDir, CgroupDirectory) {
        let root = tempfile::tempdir().unwrap();
        let lines: String = processes.iter().map(|one| format!("{one}\n")).collect();
        fs::write(root.path().join("cgroup.type"), "domain\n").unwrap();
        fs::write(root.path().join("cgroup.procs"), lines).unwrap();
        let place = CgroupDirectory {
            version: Version::Two,
            directory: root.path().to_owned(),
        };
        (root, place)
    }

    #[test]
    fn where_it_is_alone_it_moves_and_goes_back() {
        let own = std::process::id();
        let (root, place) = group(&[own]);
        let read = |path: PathBuf| fs::read_to_string(path).unwrap();
        let moved = OwnCgroup::make(&place)
            .unwrap()
            .expect("a group was needed");
        assert_eq!(read(moved.child.join("cgroup.procs")), own.to_string());
        fs::remove_file(moved.child.join("cgroup.procs")).unwrap();
        let child = moved.child.clone();
        drop(moved);
        assert_eq!(read(root.path().join("cgroup.procs")), own.to_string());
        let taken_back = read(root.path().join("cgroup.subtree_control"));
        assert!(taken_back.starts_with('-'), "{taken_back}");
        assert!(!child.exists());
    }

    #[test]
    fn others_stay_where_they_are_and_what_to_do_is_said() {
        let (root, place) = group(&[1, std::process::id()]);
        let error = OwnCgroup::make(&place).unwrap_err();
        assert!(error.to_string().contains("systemd-run"), "{error}");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_root_and_an_empty_group_need_none() {
        let (root, place) = group(&[]);
        assert!(OwnCgroup::make(&place).unwrap().is_none());
        fs::write(root.path().join("cgroup.procs"), "1\n").unwrap();
        fs::remove_file(root.path().join("cgroup.type")).unwrap();
        assert!(OwnCgroup::make(&place).unwrap().is_none());
    }
}
