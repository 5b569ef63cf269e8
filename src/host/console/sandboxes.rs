//! The sandboxes of a host, by the sockets that their runtimes keep.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::CommandError;

/// The runtime that keeps a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Runtime {
    /// kata 1.
    V1,
    /// The Go runtime of kata 2 and later.
    Go,
    /// runtime-rs.
    Rust,
}

impl Runtime {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "kata 1",
            Self::Go => "Go runtime",
            Self::Rust => "runtime-rs",
        }
    }
}

/// A sandbox, or what is left of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sandbox {
    /// Its id.
    pub id: String,
    /// Its runtime.
    pub runtime: Runtime,
    /// The socket of its serial console.
    pub console: Option<PathBuf>,
    /// The socket of its shim, which knows the address of the agent.
    pub monitor: Option<PathBuf>,
    /// The socket that stands for the vsock of its guest.
    pub hybrid: Option<PathBuf>,
}

/// The directories of sandboxes below `/run`, and the sockets in each of theirs.
struct Layout {
    directory: &'static str,
    runtime: Runtime,
    consoles: &'static [&'static str],
    monitor: Option<&'static str>,
    hybrids: &'static [&'static str],
}

const LAYOUTS: &[Layout] = &[
    Layout {
        directory: "vc/vm",
        runtime: Runtime::V1,
        consoles: &["console.sock", "console.socket"],
        monitor: None,
        hybrids: &["clh.sock", "kata.hvsock"],
    },
    Layout {
        directory: "vc/firecracker",
        runtime: Runtime::Go,
        consoles: &[],
        monitor: None,
        hybrids: &["root/kata.hvsock"],
    },
    Layout {
        directory: "vc/sbs",
        runtime: Runtime::Go,
        consoles: &[],
        monitor: Some("shim-monitor.sock"),
        hybrids: &[],
    },
    Layout {
        directory: "kata/firecracker",
        runtime: Runtime::Rust,
        consoles: &[],
        monitor: None,
        hybrids: &["root/kata.hvsock"],
    },
    Layout {
        directory: "kata",
        runtime: Runtime::Rust,
        consoles: &["console.sock", "root/console.sock"],
        monitor: Some("shim-monitor.sock"),
        hybrids: &[
            "root/kata.hvsock",
            "kata.hvsock",
            "ch-vm.sock",
            "root/ch-vm.sock",
        ],
    },
];

/// Returns all sandboxes below a directory that stands for `/run`, by id.
///
/// # Errors
/// When a directory cannot be read, mostly by others than root.
pub(super) fn all(run: &Path) -> Result<Vec<Sandbox>, CommandError> {
    let mut found: BTreeMap<String, Sandbox> = BTreeMap::new();
    for layout in LAYOUTS {
        let directory = run.join(layout.directory);
        for id in ids(&directory)? {
            let place = directory.join(&id);
            let first = |names: &[&str]| {
                names
                    .iter()
                    .map(|name| place.join(name))
                    .find(|path| is_socket(path))
            };
            let console = first(layout.consoles);
            let monitor = layout.monitor.and_then(|name| first(&[name]));
            let hybrid = first(layout.hybrids);
            if console.is_none() && monitor.is_none() && hybrid.is_none() {
                continue;
            }
            let sandbox = found.entry(id.clone()).or_insert(Sandbox {
                id,
                runtime: layout.runtime,
                console: None,
                monitor: None,
                hybrid: None,
            });
            // Only a shim of kata 2 and later has a socket for its state.
            if monitor.is_some() && sandbox.runtime == Runtime::V1 {
                sandbox.runtime = layout.runtime;
            }
            sandbox.console = sandbox.console.take().or(console);
            sandbox.monitor = sandbox.monitor.take().or(monitor);
            sandbox.hybrid = sandbox.hybrid.take().or(hybrid);
        }
    }
    Ok(found.into_values().collect())
}

fn ids(directory: &Path) -> Result<Vec<String>, CommandError> {
    match fs::read_dir(directory) {
        Ok(entries) => {
            let names = entries
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned());
            Ok(names.collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => {
            let failed = CommandError::unavailable(format!("{}: {error}", directory.display()));
            Err(failed.hint("sandboxes are root's: call it with sudo"))
        }
    }
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

/// Returns the sandboxes that an id or the beginning of one names.
pub(super) fn named<'a>(all: &'a [Sandbox], name: &str) -> Vec<&'a Sandbox> {
    let exact = all.iter().find(|sandbox| sandbox.id == name);
    match exact {
        Some(sandbox) => vec![sandbox],
        None => all
            .iter()
            .filter(|sandbox| sandbox.id.starts_with(name))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    fn host(sockets: &[&str]) -> (tempfile::TempDir, Vec<UnixListener>) {
        let run = tempfile::tempdir().unwrap();
        let bind = |path: &&str| {
            let path = run.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            UnixListener::bind(path).unwrap()
        };
        let bound = sockets.iter().map(bind).collect();
        (run, bound)
    }

    #[test]
    fn sandboxes_of_all_runtimes_are_found() {
        let (run, _bound) = host(&[
            "vc/vm/old/console.sock",
            "vc/vm/goqemu/console.sock",
            "vc/sbs/goqemu/shim-monitor.sock",
            "vc/vm/goclh/clh.sock",
            "vc/sbs/goclh/shim-monitor.sock",
            "vc/firecracker/gofc/root/kata.hvsock",
            "kata/rsqemu/root/console.sock",
            "kata/rsqemu/shim-monitor.sock",
            "kata/rsdb/console.sock",
            "kata/rsdb/root/kata.hvsock",
        ]);
        fs::create_dir_all(run.path().join("kata/empty")).unwrap();
        let all = all(run.path()).unwrap();
        let shown: Vec<_> = all
            .iter()
            .map(|one| {
                let has = [
                    one.console.is_some(),
                    one.monitor.is_some(),
                    one.hybrid.is_some(),
                ];
                (one.id.as_str(), one.runtime, has)
            })
            .collect();
        let expected = [
            ("goclh", Runtime::Go, [false, true, true]),
            ("gofc", Runtime::Go, [false, false, true]),
            ("goqemu", Runtime::Go, [true, true, false]),
            ("old", Runtime::V1, [true, false, false]),
            ("rsdb", Runtime::Rust, [true, false, true]),
            ("rsqemu", Runtime::Rust, [true, true, false]),
        ];
        assert_eq!(shown, expected);
        let ids = |name: &str| {
            named(&all, name)
                .iter()
                .map(|one| one.id.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids("rs"), ["rsdb", "rsqemu"]);
        assert_eq!(ids("goq"), ["goqemu"]);
        assert_eq!(ids("x"), Vec::<String>::new());
    }
}
