//! The number of clients that are connected to dlv, from the tables of the kernel.

use std::fs;

/// The state of a connection that stands, in `/proc/net/tcp`.
const ESTABLISHED: &str = "01";
/// The same, in `/proc/net/unix`.
const CONNECTED: &str = "03";

/// Returns the number of connections to this place.
pub(super) fn connections(listen: &str) -> usize {
    let table = |name: &str| fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
    match listen.strip_prefix("unix:") {
        Some(path) => of_unix(&table("unix"), path),
        None => ["tcp", "tcp6"]
            .map(|name| of_tcp(&table(name), listen))
            .iter()
            .sum(),
    }
}

fn of_tcp(table: &str, listen: &str) -> usize {
    let port = listen.rsplit(':').next().and_then(|port| port.parse().ok());
    let Some(port) = port.map(|port: u16| format!(":{port:04X}")) else {
        return 0;
    };
    let is_one = |line: &&str| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.get(1).is_some_and(|local| local.ends_with(&port))
            && words.get(3) == Some(&ESTABLISHED)
    };
    table.lines().filter(is_one).count()
}

fn of_unix(table: &str, path: &str) -> usize {
    let is_one = |line: &&str| {
        let words: Vec<_> = line
            .splitn(8, ' ')
            .filter(|word| !word.is_empty())
            .collect();
        line.trim_end().ends_with(&format!(" {path}")) && words.contains(&CONNECTED)
    };
    table.lines().filter(is_one).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_counted_and_listeners_are_not() {
        let tcp = "  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:0929 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:0929 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 2 1
   2: 0100007F:9C40 0100007F:0929 01 00000000:00000000 00:00000000 00000000     0        0 3 1
   3: 0100007F:0929 0100007F:9C41 08 00000000:00000000 00:00000000 00000000     0        0 4 1\n";
        assert_eq!(of_tcp(tcp, "127.0.0.1:2345"), 1);
        assert_eq!(of_tcp(tcp, "127.0.0.1:2346"), 0);
        assert_eq!(of_tcp(tcp, "nowhere"), 0);
        let unix = "Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 11 /run/d.sock
0000000000000000: 00000003 00000000 00000000 0001 03 12 /run/d.sock
0000000000000000: 00000003 00000000 00000000 0001 03 13 /other/run/d.sock
0000000000000000: 00000003 00000000 00000000 0001 03 14\n";
        assert_eq!(of_unix(unix, "/run/d.sock"), 1);
    }
}
