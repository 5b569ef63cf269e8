//! Checks root, KVM, and the sudo that kata's go-test.sh calls.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::{Preflight, RequirementProblem, mentions};
use crate::config::{Step, is_set};
use crate::env::Environment;
use crate::model::Expect;
use crate::probe::Probe;
use crate::workspace::{RootHalf, overlay};

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

    /// Returns the steps whose tests kata repeats as root for another user, with what becomes of
    /// the repetition. Each step is asked by itself, and by what its Makefile does: a component in
    /// Rust calls no sudo, and neither does `check`.
    pub(in crate::workspace) fn root_half(&self) -> BTreeMap<String, RootHalf> {
        if self.machine.is_root() || !mentions(self.directory, GO_TEST) {
            return BTreeMap::new();
        }
        let reruns = |step: &Step| {
            let mut environment = self.environment.clone();
            overlay(&mut environment, &step.env);
            let is_again = root_rerun(&environment) || step.without_root;
            step.expect == Expect::Cases && is_again
        };
        let steps: Vec<_> = self.steps.iter().filter(|step| reruns(step)).collect();
        let is_wanted = steps.iter().any(|step| !step.without_root);
        let refusal = is_wanted.then(|| self.sudo_refusal()).flatten();
        let answer = |step: &Step| match (step.without_root, &refusal) {
            (true, _) => RootHalf::Unwanted,
            (false, Some(reason)) => RootHalf::Impossible(reason.clone()),
            (false, None) => RootHalf::BySudo,
        };
        (steps.into_iter())
            .map(|step| (step.name.clone(), answer(step)))
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

/// The script of kata that tests Go packages, in v1's `.ci/` and beside the monorepo's runtime.
const GO_TEST: &str = "go-test.sh";

/// Returns true if kata's go-test.sh, for a user who is not root, runs packages again as root. It
/// does in its coverage mode (`CI` is `true`, or `KATA_DEV_MODE` is set), unless both hold. Source:
/// `test_coverage` and `main` in `.ci/go-test.sh` of kata's tests repository, branch 1.x-eol.
fn root_rerun(environment: &Environment) -> bool {
    let value = |name: &str| environment.get(name);
    let continuous = value("CI").is_some_and(|value| value == "true");
    continuous != is_set(value("KATA_DEV_MODE"))
}
