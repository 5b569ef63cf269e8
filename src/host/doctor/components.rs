//! The findings of the preflight of a run: the requirements of the components of a workspace.

use super::check::{Check, Checks, Purpose};
use crate::config::{Pipeline, Requirement, Step};
use crate::model::{CommandError, ExitCode, Expect, Readiness};
use crate::run::{RunRequest, look};
use crate::workspace::{FoundComponent, RequirementProblem, Workspace};

/// The name of the subject.
const SUBJECT: &str = "components";
/// The command that gets the programs of `[tools]`.
const INSTALL: &str = "kata-ci doctor --install";
/// The work that needs components.
const PURPOSES: [Purpose; 4] = [
    Purpose::Build,
    Purpose::Check,
    Purpose::Test,
    Purpose::Review,
];

/// Examines the components of a workspace, if the work needs any.
pub(super) fn examine(request: &RunRequest, purposes: &[Purpose]) -> Vec<Check> {
    let needed: Vec<_> = (purposes.iter().copied())
        .filter(|purpose| PURPOSES.contains(purpose))
        .collect();
    if needed.is_empty() {
        return Vec::new();
    }
    let mut checks = Checks::of(SUBJECT, &needed);
    match look(request) {
        Ok((pipeline, workspace)) => {
            of_workspace(&pipeline, &workspace, &needed, &mut checks);
        }
        Err(error) => no_workspace(&error, &mut checks),
    }
    checks.done()
}

/// A workspace that is not there leaves the question without an answer. One with a mistake in its
/// pipeline can do nothing.
fn no_workspace(error: &CommandError, checks: &mut Checks) {
    let hint = error.hints.join("; ");
    let text = first_line(&error.to_string());
    match error.kind {
        ExitCode::Error => checks.unasked("workspace", text),
        ExitCode::Usage if is_missing(error) => checks.unasked_but(
            "workspace",
            format!("no component could be asked: {text}"),
            "git clone https://github.com/kata-containers/kata-containers && kata-ci doctor -C kata-containers",
        ),
        _ if hint.is_empty() => checks.cannot("workspace", text, "kata-ci list"),
        _ => checks.cannot("workspace", text, hint),
    }
}

fn is_missing(error: &CommandError) -> bool {
    use crate::workspace::WorkspaceError;
    matches!(
        error.error.downcast_ref::<WorkspaceError>(),
        Some(WorkspaceError::Nothing { .. } | WorkspaceError::NoComponents { .. })
    )
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// A finding that several components may have.
#[derive(Debug, PartialEq, Eq)]
struct Shared {
    what: String,
    fix: String,
    components: Vec<String>,
    purposes: Vec<Purpose>,
}

/// The findings of all components, each once.
#[derive(Debug, Default)]
struct Findings(Vec<Shared>);

impl Findings {
    fn add(&mut self, component: &str, purpose: Purpose, what: &str, fix: &str) {
        let same = |one: &Shared| one.what == what && one.fix == fix;
        let at = match self.0.iter().position(same) {
            Some(at) => at,
            None => {
                self.0.push(Shared {
                    what: what.to_owned(),
                    fix: fix.to_owned(),
                    components: Vec::new(),
                    purposes: Vec::new(),
                });
                self.0.len() - 1
            }
        };
        let shared = &mut self.0[at];
        if !shared.components.iter().any(|one| one == component) {
            shared.components.push(component.to_owned());
        }
        if !shared.purposes.contains(&purpose) {
            shared.purposes.push(purpose);
        }
    }
}

fn of_workspace(
    pipeline: &Pipeline,
    workspace: &Workspace,
    needed: &[Purpose],
    checks: &mut Checks,
) {
    let mut findings = Findings::default();
    for found in &workspace.components {
        let of: Vec<_> = (needed.iter().copied())
            .filter(|&purpose| has_step(pipeline, found, purpose))
            .collect();
        let ready: Vec<_> = (of.iter().copied())
            .filter(|&purpose| !is_judged(pipeline, found, purpose, &mut findings))
            .collect();
        if !ready.is_empty() {
            checks.matter_for(&ready);
            checks.can("component", meets(found));
        }
    }
    for shared in findings.0 {
        checks.matter_for(&shared.purposes);
        let text = format!("{}: {}", shared.components.join(", "), shared.what);
        checks.cannot("requirement", text, shared.fix);
    }
    checks.matter_for(&[Purpose::Test]);
    for notice in workspace
        .notices
        .iter()
        .filter(|_| needed.contains(&Purpose::Test))
    {
        match &notice.fix {
            Some(fix) => checks.note("notice", &notice.text, fix),
            None => checks.can("notice", &notice.text),
        }
    }
}

/// Returns true if the component has a step for this work. Every component is built.
fn has_step(pipeline: &Pipeline, found: &FoundComponent, purpose: Purpose) -> bool {
    let is_of = |step: &&Step| match &found.component.steps {
        Some(steps) => steps.contains(&step.name),
        None => true,
    };
    let mut steps = pipeline.steps.iter().filter(is_of);
    purpose == Purpose::Build || steps.any(|step| is_for(step, purpose))
}

/// Returns true if a step is a part of this work. A review runs all steps.
fn is_for(step: &Step, purpose: Purpose) -> bool {
    purpose == Purpose::Review || purpose_of(step) == purpose
}

/// Returns the work that a step is for, by its name, else by the evidence that it must show.
fn purpose_of(step: &Step) -> Purpose {
    match (step.name.as_str(), step.expect) {
        ("check", _) => Purpose::Check,
        ("test", _) => Purpose::Test,
        ("build", _) => Purpose::Build,
        (_, Expect::Commands) => Purpose::Check,
        (_, Expect::Cases) => Purpose::Test,
        (_, Expect::Exit) => Purpose::Build,
    }
}

/// Adds what keeps a component from this work. Returns true if there is anything.
fn is_judged(
    pipeline: &Pipeline,
    found: &FoundComponent,
    purpose: Purpose,
    findings: &mut Findings,
) -> bool {
    let name = &found.component.name;
    let mut is_found = false;
    let mut add = |what: &str, fix: &str| {
        findings.add(name, purpose, what, fix);
        is_found = true;
    };
    for problem in &found.problems {
        let is_for_tests = |requirement| !matches!(requirement, &Requirement::Program { .. });
        let is_for_tests = problem.requirement.as_ref().is_some_and(is_for_tests);
        if !(purpose == Purpose::Build && is_for_tests) {
            add(&problem.what, fix(pipeline, problem));
        }
    }
    let of_purpose = |name: &String| {
        let mut steps = pipeline.steps.iter();
        steps.any(|step| step.name == *name && is_for(step, purpose))
    };
    for (_, readiness) in found
        .unready_steps
        .iter()
        .filter(|(name, _)| of_purpose(name))
    {
        match readiness {
            Readiness::Ready => {}
            Readiness::Unmet { what, fix } | Readiness::Broken { what, fix } => add(what, fix),
        }
    }
    is_found
}

/// Returns the command that mends a problem. A program of `[tools]` can be installed.
fn fix<'a>(pipeline: &Pipeline, problem: &'a RequirementProblem) -> &'a str {
    match &problem.requirement {
        Some(Requirement::Program { name, .. }) if pipeline.tools.contains_key(name) => INSTALL,
        _ => &problem.fix,
    }
}

/// Returns the component with what it asks for, all of which is there.
fn meets(found: &FoundComponent) -> String {
    let requires = &found.component.requires;
    let asked: Vec<_> = requires.iter().map(ToString::to_string).collect();
    match asked.as_slice() {
        [] => format!("{}: asks for nothing but make", found.component.name),
        asked => format!("{}: has {}", found.component.name, asked.join(", ")),
    }
}
