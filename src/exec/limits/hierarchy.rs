//! Finds the directories in which control groups can be made, from the mounts and the groups of
//! this process. See cgroups(7) and proc_pid_mountinfo(5).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::Kind;

/// The version of control groups. Each has its own file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// The group that this process is in, as a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CgroupDirectory {
    pub version: Version,
    pub directory: PathBuf,
}

/// Returns the directories in which groups that count this resource could be made, best first. They
/// are those of the first call, because kata-ci may have moved into a child of its group since.
pub(super) fn places(kind: Kind) -> Vec<CgroupDirectory> {
    static FIRST: OnceLock<[String; 2]> = OnceLock::new();
    let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    let [mounts, groups] = FIRST.get_or_init(|| ["mountinfo", "cgroup"].map(read));
    parse(kind, mounts, groups)
}

fn parse(kind: Kind, mounts: &str, groups: &str) -> Vec<CgroupDirectory> {
    let controller = match kind {
        Kind::Memory => "memory",
        Kind::Processes => "pids",
    };
    let mut places: Vec<_> = mounts
        .lines()
        .filter_map(|line| place(line, controller, groups))
        .collect();
    places.sort_by_key(|place| place.version == Version::Two);
    places
}

/// Parses `36 32 0:29 ROOT MOUNT-POINT OPTIONS … - TYPE SOURCE CONTROLLERS`.
fn place(mount: &str, controller: &str, groups: &str) -> Option<CgroupDirectory> {
    let (before, after) = mount.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let (root, point) = (before.next()?, before.next()?);
    let mut after = after.split(' ');
    let (version, own) = match after.next()? {
        "cgroup" if after.next_back()?.split(',').any(|word| word == controller) => {
            (Version::One, own(groups, controller)?)
        }
        "cgroup2" => (Version::Two, own(groups, "")?),
        _ => return None,
    };
    // A container sees only its own part of the tree, and its paths may not show that.
    let own = Path::new(own);
    let below = own.strip_prefix(root).or(own.strip_prefix("/")).ok()?;
    Some(CgroupDirectory {
        version,
        directory: Path::new(point).join(below),
    })
}

/// Finds the path in a line `4:memory,pids:/user/ann`, in version 2 `0::/user/ann`.
fn own<'a>(groups: &'a str, controller: &str) -> Option<&'a str> {
    groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let names = parts.next()?;
        let is_it = match controller {
            "" => names.is_empty(),
            controller => names.split(',').any(|name| name == controller),
        };
        parts.next().filter(|_| is_it)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = "23 1 0:20 / /proc rw - proc proc rw\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n\
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
        39 31 0:36 /docker/1 /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n";
    const OWN: &str = "9:name=systemd:/\n8:pids:/docker/1/ci\n4:memory:/a:b\n0::/\n";

    fn directories(kind: Kind, mounts: &str, own: &str) -> Vec<String> {
        let places = parse(kind, mounts, own);
        let shown =
            |place: &CgroupDirectory| format!("{:?} {}", place.version, place.directory.display());
        places.iter().map(shown).collect()
    }

    #[test]
    fn of_both_versions_the_one_that_has_the_controller_comes_first() {
        assert_eq!(
            directories(Kind::Memory, MIXED, OWN),
            [
                "One /sys/fs/cgroup/memory/a:b",
                "Two /sys/fs/cgroup/unified/"
            ]
        );
    }

    #[test]
    fn a_container_sees_its_part_of_the_tree() {
        let places = directories(Kind::Processes, MIXED, OWN);
        assert_eq!(places[0], "One /sys/fs/cgroup/pids/ci");
    }

    #[test]
    fn where_there_is_version_two_alone_it_counts_everything() {
        let mount = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw,nsdelegate\n";
        let own = "0::/user.slice/ann.scope\n";
        let expected = ["Two /sys/fs/cgroup/user.slice/ann.scope"];
        assert_eq!(directories(Kind::Memory, mount, own), expected);
        assert_eq!(directories(Kind::Processes, mount, own), expected);
    }

    #[test]
    fn what_is_cut_short_is_no_place() {
        for mounts in ["", "1 2", "1 2 3 / - cgroup2", "x - cgroup y memory"] {
            assert!(parse(Kind::Memory, mounts, OWN).is_empty(), "{mounts}");
        }
        assert!(parse(Kind::Memory, MIXED, "").is_empty());
    }
}
