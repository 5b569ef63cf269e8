//! The kata of a host, as docker sees it: a program with the command line of OCI runtimes (kata 1),
//! or a shim of containerd (kata 2 and later).
//!
//! The two are not told apart by name: from kata 2 on `kata-runtime` is a helper, and docker's
//! `create` fails on it. `kata-runtime --help` lists `create` or does not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use memchr::memmem;

use crate::env::Environment;
use crate::host::root::HostRoot;
use crate::probe::{Probe, at_least, dotted, version_in};

/// The time limit of `--help` and `--version`.
const DEADLINE: Duration = Duration::from_secs(20);

/// The places of `kata-runtime`.
const RUNTIMES: [&str; 3] = [
    "/usr/bin/kata-runtime",
    "/usr/local/bin/kata-runtime",
    "/opt/kata/bin/kata-runtime",
];
/// The places of the shim.
const SHIMS: [&str; 4] = [
    "/opt/kata/bin/containerd-shim-kata-v2",
    "/usr/local/bin/containerd-shim-kata-v2",
    "/usr/bin/containerd-shim-kata-v2",
    "/opt/kata/runtime-rs/bin/containerd-shim-kata-v2",
];

/// The kind of a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuntimeKind {
    /// A command line as that of runc: `kata-runtime` of kata 1, runc, crun.
    CommandLine,
    /// The shim of kata 2 and later that is written in Go.
    GoShim,
    /// The shim that is written in Rust (runtime-rs).
    RustShim,
    /// `kata-runtime` of kata 2 and later: no runtime.
    Helper,
}

/// A runtime that was found on the host.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Runtime {
    /// The path on the host.
    pub path: PathBuf,
    /// The kind.
    pub kind: RuntimeKind,
    /// The version, if it is known.
    pub version: Option<String>,
}

impl Runtime {
    /// Looks at a program. `None` if nothing tells what it is.
    ///
    /// A program of this machine is asked; of another root, its bytes are searched.
    pub fn of(root: &HostRoot, path: &Path, environment: &Environment) -> Option<Self> {
        let (kind, version) = match root.is_this_machine() {
            true => asked(path, environment)?,
            false => (searched(root, path)?, installed_version(root)),
        };
        Some(Self {
            path: path.to_owned(),
            kind,
            version,
        })
    }

    /// Finds kata: the runtime of kata 1, else the shim.
    pub fn find(root: &HostRoot, environment: &Environment) -> Option<Self> {
        let all = RUNTIMES.iter().chain(&SHIMS).map(Path::new);
        let mut there = all.filter(|path| root.has_program(path));
        there.find_map(|path| {
            let found = Self::of(root, path, environment)?;
            (found.kind != RuntimeKind::Helper).then_some(found)
        })
    }

    /// Returns the places that are searched.
    pub fn places() -> Vec<&'static str> {
        RUNTIMES.iter().chain(&SHIMS).copied().collect()
    }

    /// Returns true if the version is known and older.
    pub fn is_older_than(&self, least: &[u32]) -> bool {
        let version = self.version.as_deref().and_then(version_in);
        version.is_some_and(|version| !at_least(&version, least))
    }
}

/// Asks a program of this machine for its kind and version.
fn asked(path: &Path, environment: &Environment) -> Option<(RuntimeKind, Option<String>)> {
    let version = output(path, "--version", environment);
    let told = version
        .as_deref()
        .and_then(version_in)
        .map(|found| dotted(&found));
    let shim = version
        .as_deref()
        .filter(|text| text.contains("containerd shim"));
    if let Some(text) = shim {
        let kind = match text.contains("(Rust)") {
            true => RuntimeKind::RustShim,
            false => RuntimeKind::GoShim,
        };
        return Some((kind, told));
    }
    let help = output(path, "--help", environment)?;
    let lists = |word: &str| {
        help.lines().any(|line| {
            line.split_whitespace()
                .next()
                .is_some_and(|first| first.trim_end_matches(',') == word)
        })
    };
    match (lists("create"), lists("kata-env") || lists("env")) {
        (true, _) => Some((RuntimeKind::CommandLine, told)),
        (false, true) => Some((RuntimeKind::Helper, told)),
        (false, false) => None,
    }
}

fn output(path: &Path, argument: &str, environment: &Environment) -> Option<String> {
    let probe = Probe {
        program: path,
        arguments: vec![argument.into()],
        directory: Path::new("/"),
        environment,
        deadline: DEADLINE,
    };
    let answer = probe.run().ok()?;
    let text = [answer.output, answer.errors].concat();
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// Words in programs, and the kind that they prove. The first that is found counts.
const WORDS: [(&str, RuntimeKind); 5] = [
    ("containerd shim (Rust)", RuntimeKind::RustShim),
    ("containerd shim (Golang)", RuntimeKind::GoShim),
    (
        "kata-containers/src/runtime/cmd/kata-runtime",
        RuntimeKind::Helper,
    ),
    (
        "github.com/kata-containers/runtime/",
        RuntimeKind::CommandLine,
    ),
    ("github.com/opencontainers/runc", RuntimeKind::CommandLine),
];

/// Searches the bytes of a program for words that prove its kind.
fn searched(root: &HostRoot, path: &Path) -> Option<RuntimeKind> {
    let file = root.resolve(path).ok()?;
    let bytes = crate::fs::read(&file, 512 << 20).ok()?;
    let holds = |word: &str| memmem::find(&bytes, word.as_bytes()).is_some();
    let found = WORDS.iter().find(|(word, _)| holds(word));
    found.map(|(_, kind)| *kind)
}

/// Returns the version that an installed kata left in a file.
fn installed_version(root: &HostRoot) -> Option<String> {
    let bytes = root.read(Path::new("/opt/kata/VERSION")).ok()??;
    let version = version_in(&String::from_utf8_lossy(&bytes))?;
    Some(dotted(&version))
}
