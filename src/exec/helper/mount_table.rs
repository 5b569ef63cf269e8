//! Reads the mounts of this mount namespace from /proc/self/mountinfo; see proc_pid_mountinfo(5).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// The id of the mount. The kernel uses ids again.
    pub number: u64,
    pub point: PathBuf,
    /// True if mounts below it propagate to its peers.
    pub is_shared: bool,
    /// The type of the file system, such as `tmpfs`.
    pub kind: String,
}

/// Returns the unparsed table.
pub(super) fn table() -> io::Result<Vec<u8>> {
    fs::read("/proc/self/mountinfo")
}

/// Parses a table. Broken lines are left out.
pub(super) fn parse(table: &[u8]) -> Vec<Mount> {
    let lines = table.split(|byte| *byte == b'\n');
    lines.filter_map(mount).collect()
}

/// Parses `36 35 98:0 /root /mount/point rw,noatime shared:1 - ext3 /dev/root rw`, with any number
/// of fields before the dash.
fn mount(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|byte| *byte == b' ');
    let number = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let point = unescaped(words.nth(3)?);
    let mut is_shared = false;
    for word in words.by_ref().skip(1).take_while(|word| *word != b"-") {
        is_shared |= word.starts_with(b"shared:");
    }
    let kind = String::from_utf8_lossy(words.next()?).into_owned();
    Some(Mount {
        number,
        point: OsString::from_vec(point).into(),
        is_shared,
        kind,
    })
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

    #[test]
    fn a_line_tells_where_what_and_whether_it_is_shared() {
        let table = b"21 20 0:19 / /proc rw,nosuid - proc proc rw\nbroken\n36 35 98:0 / /my\\040vm rw shared:1 master:2 - ext3 /dev/root rw\n";
        let mounts = parse(table);
        let told: Vec<_> = (mounts.iter())
            .map(|it| {
                (
                    it.number,
                    it.point.to_str().unwrap(),
                    it.is_shared,
                    &*it.kind,
                )
            })
            .collect();
        assert_eq!(
            told,
            [(21, "/proc", false, "proc"), (36, "/my vm", true, "ext3")]
        );
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
    }
}
