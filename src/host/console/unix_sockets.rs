//! The state of a socket in the file system, found without touching it.
//!
//! A serial console of qemu serves one client. A second one connects and reads nothing, a third one
//! waits. So it is asked of `/proc/net/unix`, which each network namespace has for itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The most bytes of a table.
const MOST: u64 = 16 << 20;

/// The state of a listening socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Listener {
    /// True if somebody listens.
    pub listens: bool,
    /// The number of clients that are served.
    pub clients: usize,
    /// The number of clients that wait.
    pub waiting: usize,
}

/// Returns the state of a socket, from the tables of all network namespaces below `/proc`.
pub(super) fn state(proc: &Path, socket: &Path) -> Listener {
    let mut names = BTreeSet::from([socket.to_owned()]);
    names.extend(fs::canonicalize(socket));
    names.extend(std::path::absolute(socket));
    let mut all = Listener::default();
    for table in tables(proc) {
        let text = crate::fs::open(&table).and_then(|file| {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::Read::take(file, MOST), &mut bytes)?;
            Ok(bytes)
        });
        let text = text.unwrap_or_default();
        add(&String::from_utf8_lossy(&text), &names, &mut all);
    }
    all
}

/// Returns a table of each network namespace.
fn tables(proc: &Path) -> Vec<PathBuf> {
    let namespace = |place: &Path| fs::read_link(place.join("ns/net")).ok();
    let own = proc.join("self");
    let mut seen = BTreeSet::from([namespace(&own)]);
    let mut tables = vec![proc.join("net/unix")];
    for entry in fs::read_dir(proc).into_iter().flatten().flatten() {
        let is_process = entry
            .file_name()
            .to_string_lossy()
            .bytes()
            .all(|byte| byte.is_ascii_digit());
        if !is_process {
            continue;
        }
        let place = entry.path();
        let found = namespace(&place);
        if found.is_some() && seen.insert(found) {
            tables.push(place.join("net/unix"));
        }
    }
    tables
}

/// Counts the lines of a table that have one of these paths.
fn add(table: &str, names: &BTreeSet<PathBuf>, all: &mut Listener) {
    for line in table.lines().skip(1) {
        let Some((flags, state, inode, path)) = fields(line) else {
            continue;
        };
        if !names.contains(Path::new(path)) {
            continue;
        }
        match (flags, state, inode) {
            ("00010000", "01", _) => all.listens = true,
            (_, "03", inode) if inode != "0" => all.clients += 1,
            (_, "02" | "03", _) => all.waiting += 1,
            _ => {}
        }
    }
}

/// Returns flags, state, inode and path: `ffff…: 00000002 00000000 00010000 0001 01 4711 /path`.
fn fields(line: &str) -> Option<(&str, &str, &str, &str)> {
    let mut rest = line;
    let mut fields = [""; 7];
    for field in &mut fields {
        rest = rest.trim_start_matches(' ');
        let end = rest.find(' ')?;
        *field = &rest[..end];
        rest = &rest[end..];
    }
    // The path begins after one blank, and may hold some.
    let [_, _, _, flags, _, state, inode] = fields;
    Some((flags, state, inode, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::net::{UnixListener, UnixStream};

    const TABLE: &str = "Num       RefCount Protocol Flags    Type St Inode Path\n\
        ffff: 00000002 00000000 00010000 0001 01  4711 /run/a b/console.sock\n\
        ffff: 00000003 00000000 00000000 0001 03  4712 /run/a b/console.sock\n\
        ffff: 00000003 00000000 00000000 0001 02     0 /run/a b/console.sock\n\
        ffff: 00000002 00000000 00010000 0001 01  4713 /run/other.sock\n\
        ffff: 00000002 00000000 00000000 0002 01  4714\n";

    fn of(table: &str, path: &str) -> Listener {
        let mut all = Listener::default();
        add(table, &BTreeSet::from([path.into()]), &mut all);
        all
    }

    #[test]
    fn listeners_clients_and_those_that_wait_are_counted() {
        let busy = of(TABLE, "/run/a b/console.sock");
        assert_eq!((busy.listens, busy.clients, busy.waiting), (true, 1, 1));
        let free = of(TABLE, "/run/other.sock");
        assert_eq!((free.listens, free.clients, free.waiting), (true, 0, 0));
        assert_eq!(of(TABLE, "/run/none"), Listener::default());
    }

    #[test]
    fn a_real_socket_is_seen() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s");
        let proc = Path::new("/proc");
        let listener = UnixListener::bind(&path).unwrap();
        assert!(state(proc, &path).listens);
        let client = UnixStream::connect(&path).unwrap();
        assert_eq!(state(proc, &path).waiting, 1);
        let served = listener.accept().unwrap();
        assert_eq!(state(proc, &path).clients, 1);
        drop((client, served, listener));
        assert_eq!(state(proc, &path), Listener::default());
    }

    proptest! {
        #[test]
        fn any_table_is_read(table in "\\PC{0,80}\n(\\PC|0|1| |/run/x){0,120}") {
            let _ = of(&table, "/run/x");
        }
    }
}
