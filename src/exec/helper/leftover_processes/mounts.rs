//! Reads the mounts of this mount namespace from /proc/self/mountinfo; see proc_pid_mountinfo(5).

use std::collections::BTreeMap;
use std::fs;
use std::io;

/// The unparsed table. Most jobs mount nothing, and then it need not be parsed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mounts(Vec<u8>);

/// Descriptions of mounts by id and mount point, because ids are used again.
type Known = BTreeMap<(u64, Vec<u8>), String>;

impl Mounts {
    /// Reads the current mounts.
    pub fn look() -> io::Result<Self> {
        fs::read("/proc/self/mountinfo").map(Self)
    }

    fn parse(&self) -> Known {
        let lines = self.0.split(|byte| *byte == b'\n');
        lines.filter_map(mount).collect()
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

/// Parses `36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw`, with any number
/// of fields before the dash.
fn mount(line: &[u8]) -> Option<((u64, Vec<u8>), String)> {
    let mut words = line.split(|byte| *byte == b' ');
    let number = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let point = unescaped(words.nth(3)?);
    let kind = words.skip_while(|word| *word != b"-").nth(1)?;
    let kind = String::from_utf8_lossy(kind);
    let words = format!("{} ({kind})", String::from_utf8_lossy(&point));
    Some(((number, point), words))
}

/// Decodes blank, tab, newline and backslash, which the kernel writes as `\040` and so on.
fn unescaped(word: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((byte, after)) = rest.split_first() {
        let octal = (*byte == b'\\').then(|| after.get(..3)).flatten();
        match octal.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 8).ok()) {
            Some(meant) => {
                bytes.push(meant);
                rest = &after[3..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    bytes
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
        fn escaping_is_undone(point in prop::collection::vec(any::<u8>(), 0..20)) {
            let escaped: Vec<u8> = point
                .iter()
                .flat_map(|byte| match byte {
                    b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}").into_bytes(),
                    other => vec![*other],
                })
                .collect();
            prop_assert_eq!(unescaped(&escaped), point);
        }

        #[test]
        fn no_table_is_too_strange(table in prop::collection::vec(any::<u8>(), 0..200)) {
            let mounts = Mounts(table.clone());
            prop_assert!(mounts.without(&Mounts([table, b"\n".to_vec()].concat())).is_empty());
        }
    }
}
