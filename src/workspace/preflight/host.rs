//! Checks root, KVM, and the sudo that kata's go-test.sh calls.
use std::io;
use std::path::Path;
use std::time::Duration;

use super::{Preflight, RequirementProblem};
use crate::config::is_set;
use crate::env::Environment;
use crate::model::Expect;
use crate::probe::Probe;
use crate::workspace::overlay;

/// The time limit of sudo, which may ask a directory server.
const DEADLINE: Duration = Duration::from_secs(20);

impl Preflight<'_> {
    pub(super) fn root(&self) -> Option<RequirementProblem> {
        (!self.machine.is_root()).then(|| {
            RequirementProblem::unmet(
                format!("it needs root, and this is user {}", self.machine.user),
                "run kata-ci as root",
            )
        })
    }

    pub(super) fn kvm(&self) -> Option<RequirementProblem> {
        let error = self.machine.open_kvm().err()?;
        let device = self.machine.kvm.display();
        let (reason, fix) = match error.kind() {
            io::ErrorKind::NotFound => (
                "is not there".to_owned(),
                "enable virtualization (nested, in a virtual machine) and load kvm_intel or kvm_amd",
            ),
            io::ErrorKind::PermissionDenied => (
                "cannot be opened by this user".to_owned(),
                "add the user to the group of the device (`usermod -aG kvm USER`) and log in again, or run as root",
            ),
            _ => (
                format!("cannot be opened: {error}"),
                "see that virtualization is enabled and nothing else holds the device",
            ),
        };
        Some(RequirementProblem::unmet(format!("{device} {reason}"), fix))
    }

    /// Checks sudo. For a user who is not root kata runs every package again through `sudo -E`,
    /// which would ask on a terminal.
    pub(super) fn sudo(&self) -> Option<RequirementProblem> {
        if self.sudo_steps().is_empty() {
            return None;
        }
        let reason = self.sudo_refusal()?;
        Some(RequirementProblem::unmet(
            format!(
                "as user {} kata runs every package again through sudo, and {reason}",
                self.machine.user
            ),
            "run as root, or set CI=true (with KATA_DEV_MODE kata then leaves the second run out), or allow sudo without a password",
        ))
    }

    /// Returns the names of the steps in which kata calls sudo.
    pub(in crate::workspace) fn sudo_steps(&self) -> Vec<String> {
        if self.machine.is_root() || !self.needs_tests_clone() {
            return Vec::new();
        }
        self.steps
            .iter()
            .filter(|step| {
                let mut environment = self.environment.clone();
                overlay(&mut environment, &step.env);
                step.expect == Expect::Cases && root_rerun(&environment)
            })
            .map(|step| step.name.clone())
            .collect()
    }

    fn sudo_refusal(&self) -> Option<String> {
        let Some(program) = self.environment.find_program("sudo") else {
            return Some("sudo is not on PATH".to_owned());
        };
        let probe = Probe {
            program: &program,
            arguments: vec!["-n".into(), "true".into()],
            directory: Path::new("/"),
            environment: self.environment,
            deadline: DEADLINE,
        };
        match probe.run() {
            Ok(answer) if answer.status.success() => None,
            Ok(answer) => Some(format!("`sudo -n true` says: {}", answer.complaint())),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// Returns true if kata's go-test.sh, for a user who is not root, runs packages again as root. It
/// does in its coverage mode (`CI` is `true`, or `KATA_DEV_MODE` is set), unless both hold. Source:
/// `test_coverage` and `main` in `.ci/go-test.sh` of kata's tests repository, branch 1.x-eol.
fn root_rerun(environment: &Environment) -> bool {
    let value = |name: &str| environment.get(name);
    let continuous = value("CI").is_some_and(|value| value == "true");
    continuous != is_set(value("KATA_DEV_MODE"))
}
