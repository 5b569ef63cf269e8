//! Finds the unix sockets of the host that have a path.
//!
//! Neither a network namespace nor a read-only file system stops connections to them. Every process
//! that sees the path and may write to the socket can connect.
//!
//! It does not find sockets that are bound later, that were bound by a relative path, or that were
//! moved since, because the kernel does not tell their paths.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// Returns the paths of all unix sockets of this network namespace, without abstract ones.
pub(in crate::exec) fn path_sockets() -> Vec<PathBuf> {
    paths(&fs::read_to_string("/proc/net/unix").unwrap_or_default())
}

/// Parses lines of `Num: RefCount Protocol Flags Type St Inode Path`; see proc_net_unix(5). A path
/// can have blanks.
fn paths(table: &str) -> Vec<PathBuf> {
    let paths: BTreeSet<_> = table
        .lines()
        .filter_map(|line| line.splitn(8, ' ').nth(7))
        .filter(|path| path.starts_with('/'))
        .map(PathBuf::from)
        .collect();
    paths.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_and_abstract_sockets_are_not() {
        let table = "\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 17059 /run/my docker.sock
0000000000000000: 00000003 00000000 00000000 0001 03 20139
0000000000000000: 00000002 00000000 00010000 0001 01 17060 @abstract /x
0000000000000000: 00000003 00000000 00000000 0001 03 20140 /run/my docker.sock
";
        assert_eq!(paths(table), [PathBuf::from("/run/my docker.sock")]);
    }
}
