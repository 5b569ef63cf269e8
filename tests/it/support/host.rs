//! Programs of a kata host: real ones, as `scripts/setup tests` installs them, and made-up ones.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Returns a program. `None` if it is not installed; the test then reports that and ends.
pub fn real(name: &str) -> Option<PathBuf> {
    let places = [
        "/usr/bin",
        "/usr/sbin",
        "/sbin",
        "/bin",
        "/lib/systemd",
        "/usr/share/ovmf",
    ];
    let found = places
        .iter()
        .map(|place| Path::new(place).join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        skip(&format!("no {name}: scripts/setup tests"));
    }
    found
}

/// Reports that the running test is skipped, or fails it where that is not allowed.
pub fn skip(why: &str) {
    skip_unless("KATACI_TEST_REQUIRE_HOST", why);
}

/// As [`skip`], where a variable of this name does not allow it.
pub fn skip_unless(variable: &str, why: &str) {
    assert!(std::env::var_os(variable).is_none(), "{why}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("SKIPPED {test}: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Returns true for root. Other users cannot make namespaces of networks.
pub fn is_root() -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root {
        skip("needs root");
    }
    is_root
}

/// Writes a program of this script into a directory.
pub fn fake(directory: &Path, name: &str, script: &str) {
    fs::create_dir_all(directory).unwrap();
    let path = directory.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Returns a `PATH` that begins with this directory.
pub fn path_with(directory: &Path) -> String {
    format!("{}:{}", directory.display(), std::env::var("PATH").unwrap())
}

/// An entry of a journal: tag, priority, message.
pub type Entry<'a> = (&'a str, u8, &'a str);

/// Returns entries as `journalctl -o export` writes them, a second apart, up to now.
pub fn export(entries: &[Entry<'_>]) -> Vec<u8> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let mut text = Vec::new();
    for (index, (tag, priority, message)) in entries.iter().enumerate() {
        let time = now.as_micros() as u64 - 1_000_000 * (entries.len() - index) as u64;
        let head = format!(
            "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID=0123456789abcdef0123456789abcdef\n\
             _TRANSPORT={}\nSYSLOG_IDENTIFIER={tag}\nPRIORITY={priority}\n_PID=77\n_CMDLINE=/usr/bin/{tag} --token HiddenInCmdline7\nMESSAGE\n",
            index + 1,
            if *tag == "kernel" { "kernel" } else { "syslog" },
        );
        text.extend(head.into_bytes());
        text.extend((message.len() as u64).to_le_bytes());
        text.extend(message.as_bytes());
        text.extend(b"\n\n");
    }
    text
}

/// Makes a journal of these entries with systemd-journal-remote; `None` without that program.
pub fn journal(directory: &Path, entries: &[Entry<'_>]) -> Option<PathBuf> {
    let program = real("systemd-journal-remote")?;
    let path = directory.join("made.journal");
    let mut child = Command::new(program)
        .args(["-o", path.to_str().unwrap(), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&export(entries))
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(path)
}
