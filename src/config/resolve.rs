//! Turns the merged layers into the [`Pipeline`]: adds the defaults, and checks that all names
//! exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::cycle;
use super::diagnostic::{ConfigError, Diagnostic, Diagnostics, quote};
use super::layer::{ComponentLayer, Layer, List, StepLayer, Texts, unknown};
use super::source::{Document, Located, Location};
use super::{Component, IsolatePolicy, NetworkPolicy, Pipeline, Step, Tool, scalars};

/// The options given for this run. They win over every file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The time limit of any job.
    pub timeout: Option<Duration>,
    /// The time between TERM and KILL of any job.
    pub grace: Option<Duration>,
    /// The number of times that failed tests of any job are run again.
    pub retries: Option<u32>,
    /// The network of any job.
    pub network: Option<NetworkPolicy>,
    /// The sandbox of any job.
    pub isolate: Option<IsolatePolicy>,
    /// True if the tests that kata runs again as root are left out of any job.
    pub without_root: bool,
}

impl Overrides {
    fn check(&self) -> Result<(), Diagnostic> {
        if self.timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(Diagnostic::new("a timeout of zero")
                .help("every job would be ended at once: give it some time, such as 30m"));
        }
        let too_long = |time: Option<Duration>| time.and_then(scalars::bounded) != time;
        if too_long(self.timeout) || too_long(self.grace) {
            return Err(Diagnostic::new("a time limit longer than a year")
                .help("give the longest time worth waiting for"));
        }
        Ok(())
    }
}

/// Makes the pipeline from its layers, the uppermost of which is the document's. It has no base
/// directory yet.
pub(super) fn resolve(
    layer: Layer,
    document: &Arc<Document>,
    overrides: &Overrides,
    diagnostics: Diagnostics,
) -> Result<Pipeline, ConfigError> {
    overrides.check()?;
    if layer.steps.is_empty() {
        diagnostics.add(
            Diagnostic::new("a pipeline without a step")
                .at(&Location::new(document, 0..0), "nothing would be run")
                .help("add [[step]] with `name` and `run`, or extend a pipeline: extends = \"makefile\""),
        );
    }
    let steps: Vec<_> = layer
        .steps
        .iter()
        .map(|step| complete(step, &layer, &diagnostics))
        .collect();
    check_names(&steps, &layer.components, &diagnostics);
    let pipeline = Pipeline {
        layout: layer.layout.unwrap_or_default(),
        ignore: list(layer.ignore),
        env: values(layer.env),
        pass_env: layer.pass_env,
        gerrit: layer.gerrit,
        network: layer.network,
        limits: layer.limits,
        tools: tools(layer.tools),
        components: (layer.components.into_iter())
            .map(|layer| component(layer, overrides))
            .collect(),
        steps: steps
            .into_iter()
            .filter_map(|step| resolved(step, overrides))
            .collect(),
        ..Pipeline::new(document.source.to_string())
    };
    diagnostics.or(pipeline)
}

/// Lays the step over `[defaults]`. A step without a command is refused.
fn complete(step: &StepLayer, layer: &Layer, diagnostics: &Diagnostics) -> StepLayer {
    let settings = step.settings.clone().over(layer.defaults.clone());
    let name = &step.name;
    if settings.command.is_none() {
        diagnostics.add(
            Diagnostic::new(format!("step {} runs nothing", quote(&name.value))).at(
                &name.place,
                "add `run = [\"make\", \"check\"]`, or a `script`",
            ),
        );
    }
    StepLayer {
        name: name.clone(),
        settings,
        remove: false,
    }
}

fn check_names(steps: &[StepLayer], components: &[ComponentLayer], diagnostics: &Diagnostics) {
    let names: BTreeSet<_> = steps.iter().map(|step| &*step.name.value).collect();
    for component in components {
        let allowed = component
            .allow_vacuous
            .iter()
            .map(|(name, reason)| Located {
                value: name.clone(),
                place: reason.place.clone(),
            });
        let used = component.steps.iter().flatten().cloned();
        for name in used.chain(allowed) {
            if !names.contains(&*name.value) {
                diagnostics.add(unknown("step", &name, names.iter().copied()));
            }
        }
    }
    check_needs(
        "step",
        steps.iter().map(|step| (&step.name, &step.settings.needs)),
        diagnostics,
    );
    check_needs(
        "component",
        components
            .iter()
            .map(|component| (&component.name, &component.needs)),
        diagnostics,
    );
}

fn check_needs<'a>(
    what: &str,
    items: impl Iterator<Item = (&'a Located<String>, &'a List<String>)>,
    diagnostics: &Diagnostics,
) {
    let graph: BTreeMap<&str, &[Located<String>]> = items
        .map(|(name, needs)| (&*name.value, needs.as_deref().unwrap_or_default()))
        .collect();
    for need in graph.values().copied().flatten() {
        if !graph.contains_key(&*need.value) {
            diagnostics.add(unknown(what, need, graph.keys().copied()));
        }
    }
    if let Some(cycle) = cycle::find(&graph) {
        diagnostics.add(cycle::diagnostic(what, &cycle));
    }
}

fn resolved(step: StepLayer, overrides: &Overrides) -> Option<Step> {
    let settings = step.settings;
    let built_in = Step::new(step.name.value, settings.command?);
    Some(Step {
        expect: settings.expect.unwrap_or(built_in.expect),
        timeout: overrides
            .timeout
            .or(settings.timeout)
            .unwrap_or(built_in.timeout),
        grace: overrides.grace.or(settings.grace).unwrap_or(built_in.grace),
        retries: overrides
            .retries
            .or(settings.retries)
            .unwrap_or(built_in.retries),
        flaky: settings.flaky.unwrap_or(built_in.flaky),
        left_behind: settings.left_behind.unwrap_or_default(),
        network: overrides
            .network
            .or(settings.network)
            .unwrap_or(built_in.network),
        isolate: overrides
            .isolate
            .or(settings.isolate)
            .unwrap_or(built_in.isolate),
        without_root: overrides.without_root || settings.without_root.unwrap_or_default(),
        writable: list(settings.writable),
        junit: list(settings.junit),
        env: values(settings.env),
        needs: list(settings.needs),
        locks: list(settings.locks),
        reads: settings.reads.unwrap_or_default(),
        allow_vacuous: settings.allow_vacuous,
        allow_errors: settings.allow_errors,
        name: built_in.name,
        command: built_in.command,
    })
}

fn component(layer: ComponentLayer, overrides: &Overrides) -> Component {
    let name = layer.name.value;
    Component {
        path: layer.path.unwrap_or_else(|| PathBuf::from(&name)),
        optional: layer.optional,
        requires: list(layer.requires),
        needs: list(layer.needs),
        locks: list(layer.locks),
        steps: layer.steps.map(|steps| list(Some(steps))),
        env: values(layer.env),
        network: overrides.network.or(layer.network),
        isolate: overrides.isolate.or(layer.isolate),
        ignore: list(layer.ignore),
        project: layer.project,
        allow_vacuous: values(layer.allow_vacuous),
        name,
    }
}

/// Returns the programs, whose texts were checked when they were read. An empty one removes a
/// program of the pipeline below.
fn tools(texts: Texts) -> BTreeMap<String, Tool> {
    let tool = |(name, text): (String, Located<String>)| Some((name, text.value.parse().ok()?));
    texts.into_iter().filter_map(tool).collect()
}

fn values(texts: Texts) -> BTreeMap<String, String> {
    texts
        .into_iter()
        .map(|(name, text)| (name, text.value))
        .collect()
}

fn list<T>(list: List<T>) -> Vec<T> {
    list.into_iter()
        .flatten()
        .map(|located| located.value)
        .collect()
}
