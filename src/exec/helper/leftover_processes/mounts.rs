//! Compares the mounts of this mount namespace at two times.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use crate::exec::helper::mount_table::{self, Mount};

/// The unparsed table. Most jobs mount nothing, and then it need not be parsed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mounts(Vec<u8>);

/// The id of a mount and its mount point, because ids are used again.
type Key = (u64, PathBuf);

impl Mounts {
    /// Reads the current mounts.
    pub fn look() -> io::Result<Self> {
        mount_table::table().map(Self)
    }

    fn parse(&self) -> BTreeMap<Key, String> {
        let mounts = mount_table::parse(&self.0).into_iter();
        mounts.map(in_words).collect()
    }

    /// Describes the mounts that the others lack, oldest first.
    pub fn without(&self, others: &Self) -> Vec<String> {
        if self == others {
            return Vec::new();
        }
        let others = others.parse();
        (self.parse().into_iter())
            .filter(|(mount, _)| !others.contains_key(mount))
            .map(|(_, words)| words)
            .collect()
    }
}

fn in_words(mount: Mount) -> (Key, String) {
    let words = format!("{} ({})", mount.point.display(), mount.kind);
    ((mount.number, mount.point), words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEFORE: &[u8] = b"21 20 0:19 / /proc rw,nosuid - proc proc rw\n36 35 98:0 /mnt1 / rw shared:1 master:2 - ext3 /dev/root rw\n";

    #[test]
    fn what_was_mounted_since_is_named_with_its_kind() {
        let after = [
            BEFORE,
            b"40 36 0:50 / /run/my\\040vm/x\\134y rw - tmpfs none rw\n".as_slice(),
            b"broken line\n\n",
        ]
        .concat();
        let (before, after) = (Mounts(BEFORE.to_vec()), Mounts(after));
        assert_eq!(after.without(&before), ["/run/my vm/x\\y (tmpfs)"]);
        assert!(before.without(&after).is_empty());
    }

    #[test]
    fn a_number_that_is_used_again_is_another_mount() {
        let again = Mounts(b"21 20 0:19 / /elsewhere rw - tmpfs none rw\n".to_vec());
        assert_eq!(
            again.without(&Mounts(BEFORE.to_vec())),
            ["/elsewhere (tmpfs)"]
        );
    }

    #[test]
    fn the_mounts_of_this_process_can_be_read() {
        assert!(Mounts::look().is_ok_and(|mounts| !mounts.parse().is_empty()));
    }

    proptest! {
        #[test]
        fn no_table_is_too_strange(table in prop::collection::vec(any::<u8>(), 0..200)) {
            let mounts = Mounts(table.clone());
            prop_assert!(mounts.without(&Mounts([table, b"\n".to_vec()].concat())).is_empty());
        }
    }
}
