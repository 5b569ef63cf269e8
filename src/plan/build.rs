//! Builds the jobs of a run from the pipeline and the components found.

use crate::env::Environment;
use crate::model::Selection;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Bounds, Job, Plan};
use crate::config::{Flaky, LeftBehindPolicy, Pipeline, Step};
use crate::model::{CommandError, Expect, JobId, Reach};
use crate::workspace::{FoundComponent, RootHalf, Workspace, held_back, of_job};

/// A selection with an unknown name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// There is no such component.
    #[error("no component `{name}`{suggestion}; there are: {known}")]
    UnknownComponent {
        /// The requested name.
        name: String,
        /// A suggestion of a similar name.
        suggestion: String,
        /// All known names.
        known: String,
    },
    /// There is no such step.
    #[error("no step `{name}`{suggestion}; there are: {known}")]
    UnknownStep {
        /// The requested name.
        name: String,
        /// A suggestion of a similar name.
        suggestion: String,
        /// All known names.
        known: String,
    },
}

impl From<SelectionError> for CommandError {
    fn from(error: SelectionError) -> Self {
        Self::usage(error)
    }
}

/// Builds the plan. Jobs get an allowlist of `user`, the environment that kata-ci was called with.
pub fn build(
    pipeline: &Pipeline,
    workspace: &Workspace,
    selection: &Selection,
    user: &Environment,
) -> Result<Plan, SelectionError> {
    let selected = Selected {
        steps: selected_steps(pipeline, selection)?,
        jobs: selected_jobs(pipeline, selection)?,
        components: selected_components(workspace, selection)?,
    };
    let jobs = (selected.components.iter())
        .flat_map(|found| {
            (selected.steps_of(found))
                .map(|step| job(pipeline, workspace, found, step, user, &selected))
        })
        .collect();
    Ok(Plan { jobs })
}

/// The components and steps of a run.
struct Selected<'a> {
    components: Vec<&'a FoundComponent>,
    /// The steps of a component that runs as a whole.
    steps: Vec<&'a Step>,
    /// The steps of a component of which single jobs were asked for.
    jobs: BTreeMap<&'a str, Vec<&'a Step>>,
}

impl<'a> Selected<'a> {
    fn steps_of<'b>(&'b self, found: &'b FoundComponent) -> impl Iterator<Item = &'a Step> + 'b {
        let component = &found.component;
        let steps = self.jobs.get(&*component.name).unwrap_or(&self.steps);
        let has = |step: &Step| {
            let own = component.steps.as_ref();
            own.is_none_or(|steps| steps.contains(&step.name))
        };
        steps.iter().copied().filter(move |step| has(step))
    }
}

fn job(
    pipeline: &Pipeline,
    workspace: &Workspace,
    found: &FoundComponent,
    step: &Step,
    user: &Environment,
    selected: &Selected,
) -> Job {
    let component = &found.component;
    let needs = step
        .needs
        .iter()
        .filter(|name| selected.steps_of(found).any(|step| step.name == **name))
        .map(|name| JobId::new(&component.name, name))
        .collect();
    let after = (selected.components.iter())
        .filter(|other| component.needs.contains(&other.component.name))
        .flat_map(|other| {
            (selected.steps_of(other)).map(|step| JobId::new(&other.component.name, &step.name))
        })
        .collect();
    let environment = of_job(user, workspace, pipeline, found, step);
    Job {
        id: JobId::new(&component.name, &step.name),
        command: step.command.clone(),
        directory: found.directory.clone(),
        held_back: held_back(user, &environment),
        environment,
        expect: step.expect,
        timeout: step.timeout,
        grace: step.grace,
        needs,
        after,
        locks: component.locks.iter().chain(&step.locks).cloned().collect(),
        only: None,
        asked: None,
        reach: Reach::default(),
        retries: step.retries,
        flaky_fails: step.flaky == Flaky::Fail,
        left_behind_fails: step.left_behind == LeftBehindPolicy::Fail,
        estimate: None,
        allow_vacuous: component
            .allow_vacuous
            .get(&step.name)
            .or(step.allow_vacuous.as_ref())
            .cloned(),
        allow_errors: step.allow_errors.clone(),
        junit: step.junit.clone(),
        readiness: found.readiness_of(&step.name).clone(),
        // A step that only lints or builds runs no package, so none is missing afterwards.
        packages: (step.expect == Expect::Cases)
            .then(|| found.packages.clone())
            .flatten(),
        go_root: found.go_root.clone(),
        changed_files: found.changed_files.clone(),
        bounds: Bounds {
            network: component.network.unwrap_or(step.network),
            isolate: component.isolate.unwrap_or(step.isolate),
            writable: (step.writable.iter())
                .map(|path| writable(path, &found.directory, user))
                .collect(),
            calls_sudo: found.root_half.get(&step.name) == Some(&RootHalf::BySudo),
            limits: pipeline.limits,
        },
    }
}

/// Resolves a path: `~` is the user's home, a relative path lies in the component.
fn writable(path: &str, directory: &Path, user: &Environment) -> PathBuf {
    let home = user.get(OsStr::new("HOME")).map(PathBuf::from);
    match (path.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            home.join(rest.trim_start_matches('/'))
        }
        _ => directory.join(path),
    }
}

fn selected_components<'a>(
    workspace: &'a Workspace,
    selection: &Selection,
) -> Result<Vec<&'a FoundComponent>, SelectionError> {
    let names: Vec<_> = workspace
        .components
        .iter()
        .map(|found| &*found.component.name)
        .collect();
    if let Some(name) = unknown(&selection.components, &names) {
        let (suggestion, known) = words(name, &names);
        return Err(SelectionError::UnknownComponent {
            name: name.clone(),
            suggestion,
            known,
        });
    }
    let wanted =
        |name: &String| selection.components.is_empty() || selection.components.contains(name);
    Ok(workspace
        .components
        .iter()
        .filter(|found| wanted(&found.component.name))
        .collect())
}

fn selected_steps<'a>(
    pipeline: &'a Pipeline,
    selection: &Selection,
) -> Result<Vec<&'a Step>, SelectionError> {
    match selection.steps.as_slice() {
        [] => Ok(pipeline.steps.iter().collect()),
        steps => with_needed(pipeline, steps),
    }
}

fn selected_jobs<'a>(
    pipeline: &'a Pipeline,
    selection: &'a Selection,
) -> Result<BTreeMap<&'a str, Vec<&'a Step>>, SelectionError> {
    (selection.jobs.iter())
        .map(|(component, steps)| {
            let steps: Vec<_> = steps.iter().cloned().collect();
            Ok((&**component, with_needed(pipeline, &steps)?))
        })
        .collect()
}

/// Returns the named steps and those that they need.
fn with_needed<'a>(
    pipeline: &'a Pipeline,
    asked: &[String],
) -> Result<Vec<&'a Step>, SelectionError> {
    let names: Vec<_> = pipeline.steps.iter().map(|step| &*step.name).collect();
    if let Some(name) = unknown(asked, &names) {
        let (suggestion, known) = words(name, &names);
        return Err(SelectionError::UnknownStep {
            name: name.clone(),
            suggestion,
            known,
        });
    }
    let mut wanted: Vec<&str> = asked.iter().map(String::as_str).collect();
    let mut next = 0;
    while let Some(name) = wanted.get(next) {
        let step = pipeline.steps.iter().find(|step| step.name == *name);
        let needs = step.map(|step| step.needs.as_slice()).unwrap_or_default();
        let new: Vec<_> = needs
            .iter()
            .map(String::as_str)
            .filter(|need| !wanted.contains(need))
            .collect();
        wanted.extend(new);
        next += 1;
    }
    Ok(pipeline
        .steps
        .iter()
        .filter(|step| wanted.contains(&&*step.name))
        .collect())
}

fn unknown<'a>(asked: &'a [String], known: &[&str]) -> Option<&'a String> {
    asked.iter().find(|name| !known.contains(&name.as_str()))
}

fn words(name: &str, known: &[&str]) -> (String, String) {
    let suggestion = crate::config::closest(name, known.iter().copied())
        .map(|similar| format!("; did you mean `{similar}`?"))
        .unwrap_or_default();
    let known = if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    };
    (suggestion, known)
}
