//! Control groups: their version, the controllers that kata uses, and delegation to a user.

use super::check::{Check, Checks, Purpose};
use super::host::Host;

pub(super) const PURPOSES: &[Purpose] = &[Purpose::Run, Purpose::Test];

/// The numbers of statfs(2).
const CGROUP2: i64 = 0x6367_7270;
const TMPFS: i64 = 0x0102_1994;

const ROOT: &str = "/sys/fs/cgroup";

/// The controllers that kata's sandbox needs.
const NEEDED: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

/// The hierarchy of control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Two,
    One,
    Hybrid,
    None,
}

/// The facts about control groups.
#[derive(Debug)]
struct Facts {
    version: Version,
    /// The controllers that are there.
    controllers: Vec<String>,
    /// True if this user may make groups below its own one.
    is_delegated: bool,
    user: u32,
}

pub(super) fn examine(host: &Host<'_>) -> Vec<Check> {
    let mut checks = Checks::of("cgroups", PURPOSES);
    if let Some(version) = checks.answer("version", version(host)) {
        let controllers = checks.answer("controllers", controllers(host, version));
        if let Some(controllers) = controllers {
            let facts = Facts {
                version,
                controllers,
                is_delegated: is_delegated(host, version),
                user: host.user,
            };
            judge(&facts, &|command| host.as_root(command), &mut checks);
        }
    }
    checks.done()
}

fn version(host: &Host<'_>) -> super::host::Asked<Version> {
    Ok(match host.ask.file_system(ROOT)? {
        CGROUP2 => Version::Two,
        TMPFS => match host.ask.file_system("/sys/fs/cgroup/unified") {
            Ok(CGROUP2) => Version::Hybrid,
            _ => Version::One,
        },
        _ => Version::None,
    })
}

fn controllers(host: &Host<'_>, version: Version) -> super::host::Asked<Vec<String>> {
    let words = |text: String| text.split_whitespace().map(str::to_owned).collect();
    match version {
        Version::Two => {
            let text = host.files.text("/sys/fs/cgroup/cgroup.controllers")?;
            Ok(text.map(words).unwrap_or_default())
        }
        // name, hierarchy, number of groups, enabled
        _ => {
            let text = host.files.text("/proc/cgroups")?.unwrap_or_default();
            let enabled = |line: &str| {
                let fields: Vec<_> = line.split_whitespace().collect();
                match fields.as_slice() {
                    [name, .., "1"] if !name.starts_with('#') => Some((*name).to_owned()),
                    _ => None,
                }
            };
            Ok(text.lines().filter_map(enabled).collect())
        }
    }
}

fn is_delegated(host: &Host<'_>, version: Version) -> bool {
    let Ok(Some(own)) = host.files.text("/proc/self/cgroup") else {
        return false;
    };
    let path = own.lines().find_map(|line| line.strip_prefix("0::"));
    let path = path.unwrap_or("/").trim_start_matches('/');
    version == Version::Two
        && ["cgroup.procs", "cgroup.subtree_control"]
            .iter()
            .all(|file| host.ask.may_write(&format!("{ROOT}/{path}/{file}")))
}

fn judge(facts: &Facts, as_root: &dyn Fn(&str) -> String, checks: &mut Checks) {
    let version = match facts.version {
        Version::Two => "2",
        Version::One => "1",
        Version::Hybrid => "1, with an empty hierarchy of version 2 (hybrid)",
        Version::None => {
            let fix = as_root("mount -t cgroup2 none /sys/fs/cgroup");
            checks.matter_for(&[Purpose::Run]);
            checks.cannot(
                "version",
                "no control groups are mounted at /sys/fs/cgroup",
                fix,
            );
            return;
        }
    };
    let has = |name: &&&str| facts.controllers.iter().any(|one| one == *name);
    let missing: Vec<_> = NEEDED.iter().filter(|name| !has(name)).copied().collect();
    if missing.is_empty() {
        checks.can(
            "version",
            format!(
                "control groups of version {version}, with {}",
                NEEDED.join(", ")
            ),
        );
    } else {
        checks.matter_for(&[Purpose::Run]);
        let enable = match missing.contains(&"memory") {
            true => {
                "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&cgroup_enable=memory swapaccount=1 /' /etc/default/grub"
            }
            false => {
                "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&systemd.unified_cgroup_hierarchy=1 /' /etc/default/grub"
            }
        };
        checks.cannot(
            "controllers",
            format!(
                "control groups of version {version} lack {}, which limit and count a sandbox",
                missing.join(", ")
            ),
            format!(
                "{} && {}  # and restart",
                as_root(enable),
                as_root("update-grub")
            ),
        );
    }
    delegation(facts, checks);
}

/// Judges an ordinary user's own groups, which `[limits]` of jobs need.
fn delegation(facts: &Facts, checks: &mut Checks) {
    checks.matter_for(&[Purpose::Test]);
    match (facts.user, facts.version, facts.is_delegated) {
        (0, ..) | (_, Version::None, _) => {}
        (_, _, true) => checks.can(
            "delegation",
            "limits of jobs hold: this user may make control groups",
        ),
        (_, Version::Two, false) => checks.note(
            "delegation",
            "limits of jobs hold for each process only: this user may make no control group here",
            "systemd-run --user --scope -p Delegate=yes kata-ci run",
        ),
        (_, _, false) => checks.can(
            "delegation",
            "limits of jobs hold for each process only: version 1 gives users no control groups",
        ),
    }
}
