//! The sandboxes of jobs: can they be set up here. They are tried, not looked up.

use super::check::{Check, Checks, Purpose};
use super::host::Host;

pub(super) const PURPOSES: &[Purpose] = &[Purpose::Check, Purpose::Test, Purpose::Review];

/// Settings of the kernel that forbid users their own namespaces: file, the value that forbids, and
/// the setting that allows.
const FORBIDDING: [(&str, &str, &str); 3] = [
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "kernel.unprivileged_userns_clone=1",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "user.max_user_namespaces=15000",
    ),
];

pub(super) fn examine(host: &Host<'_>) -> Vec<Check> {
    let mut checks = Checks::of("isolation", PURPOSES);
    let is_forbidden = |(path, value, _): &&(&str, &str, &str)| matches!(host.files.text(path), Ok(Some(text)) if text.trim() == *value);
    let fix = match FORBIDDING.iter().find(is_forbidden) {
        Some((_, _, setting)) if host.user != 0 => host.as_root(&format!("sysctl -w {setting}")),
        _ if host.user != 0 => "sudo kata-ci run".to_owned(),
        _ => "kata-ci run --isolate off".to_owned(),
    };
    checks.matter_for(&[Purpose::Check, Purpose::Test]);
    match host.ask.sandbox(false) {
        Ok(()) => checks.can(
            "sandbox",
            "each job gets processes, directories and a network of its own",
        ),
        Err(reason) => checks.note(
            "sandbox",
            format!("jobs run without a sandbox, and can meet each other: {reason}"),
            &fix,
        ),
    }
    checks.matter_for(&[Purpose::Review]);
    match host.ask.sandbox(true) {
        Ok(()) => checks.can(
            "strict-sandbox",
            "jobs of strangers can be kept to their directory (isolate on)",
        ),
        Err(reason) => checks.cannot(
            "strict-sandbox",
            format!("jobs of strangers cannot be kept to their directory (isolate on): {reason}"),
            fix,
        ),
    }
    checks.done()
}
