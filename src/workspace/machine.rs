//! The facts of the machine that the preflight checks, and the notes to the user about it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use crate::config::{Component, Requirement, is_set};
use crate::env::Environment;
use crate::event::Notice;
use crate::workspace::{FoundComponent, RootHalf};

/// The machine and the user.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    /// The effective user id.
    pub(super) user: u32,
    /// The path of the KVM device.
    pub(super) kvm: PathBuf,
}

impl Machine {
    /// Returns this machine.
    pub(super) fn this() -> Self {
        Self {
            user: nix::unistd::geteuid().as_raw(),
            kvm: "/dev/kvm".into(),
        }
    }

    pub(super) fn is_root(&self) -> bool {
        self.user == 0
    }

    /// Opens the device as a hypervisor does, without using it.
    pub(super) fn open_kvm(&self) -> io::Result<()> {
        File::options()
            .read(true)
            .write(true)
            .open(&self.kvm)
            .map(drop)
    }
}

/// Returns the notices for the selected components, each with the environment of its jobs.
pub(super) fn notices<'a>(
    machine: &Machine,
    components: impl Iterator<Item = (&'a Component, Environment)>,
) -> Vec<Notice> {
    let mut dangerous = components
        .filter(|(component, _)| component.requires.contains(&Requirement::TestsClone))
        .filter(|(_, environment)| is_continuous_development(environment));
    dangerous
        .next()
        .map(|_| continuous_development(machine))
        .into_iter()
        .collect()
}

/// Returns the notices about tests that need root and are left out.
pub(super) fn without_root(machine: &Machine, components: &[FoundComponent]) -> Vec<Notice> {
    let mut jobs: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
    for found in components {
        for (step, half) in &found.root_half {
            let reason = match half {
                RootHalf::BySudo => continue,
                RootHalf::Unwanted => None,
                RootHalf::Impossible(reason) => Some(reason.as_str()),
            };
            let name = format!("{}.{step}", found.component.name);
            jobs.entry(reason).or_default().push(name);
        }
    }
    jobs.into_iter()
        .map(|(reason, jobs)| left_out(machine, reason, &jobs.join(", ")))
        .collect()
}

fn left_out(machine: &Machine, reason: Option<&str>, jobs: &str) -> Notice {
    let text = format!(
        "{jobs}: tested as user {} only; the tests that need root are left out",
        machine.user
    );
    match reason {
        None => Notice::fact(text),
        Some(reason) => Notice::warning(format!("{text}: {reason}")).with_fix(
            "run as root, or allow sudo without a password; --without-root says that it is meant",
        ),
    }
}

/// Returns true if kata's test_coverage would warn: it compares `CI` with `true` and asks whether
/// `KATA_DEV_MODE` is set. Source: `.ci/go-test.sh` of kata's tests repository, branch 1.x-eol.
fn is_continuous_development(environment: &Environment) -> bool {
    let value = |name: &str| environment.get(name);
    value("CI").is_some_and(|value| value == "true") && is_set(value("KATA_DEV_MODE"))
}

fn continuous_development(machine: &Machine) -> Notice {
    let both = "CI=true and KATA_DEV_MODE are set together, which kata calls dangerous";
    match machine.is_root() {
        true => Notice::warning(format!(
            "{both}: as root, as here, tests run once and those for other users are left out; as another user kata \
             would refuse to run them as root"
        )),
        false => Notice::warning(format!(
            "{both}: it refuses to run the tests again as root, so those that need root are left out"
        ))
        .with_fix("unset CI: they are run through sudo where it can be used, and left out without danger elsewhere (or with --without-root)"),
    }
}
