//! The pipeline of a review: the operator's, or that of the target branch. Never the one that the
//! commits under review contain.

use std::path::Path;

use super::request::{Reviewed, RunRequest};
use super::source::Source;
use crate::config;
use crate::config::{IsolatePolicy, NetworkPolicy, Overrides, Pipeline, PipelineSource};
use crate::model::CommandError;
use crate::workspace;
use crate::workspace::CheckoutSet;

/// Loads the pipeline. The one that the request names is the operator's, and so is one above the
/// repository. Otherwise it is that of the target branch, which can only tighten the isolation.
pub(super) fn load(
    source: &Source,
    reviewed: &Reviewed,
    request: &RunRequest,
) -> Result<Pipeline, CommandError> {
    let overrides = &request.settings.overrides;
    let user = config::user_file(&request.environment);
    if let Some(asked) = &request.pipeline
        && let Some(found) = config::locate(Some(asked), source.started_in())?
    {
        return Ok(config::load(&found, overrides, user.as_deref())?);
    }
    let top = source.started_in();
    let target = CheckoutSet::review(top, &reviewed.target, true, "HEAD", &request.environment)?;
    let found = match config::locate_below(target.directory(), target.directory())? {
        Some(file) => file,
        None => match above(top)? {
            Some(file) => return Ok(config::load(&file, overrides, user.as_deref())?),
            None => PipelineSource::Shipped(detected(&target)?),
        },
    };
    // Options for isolation are the operator's least, so that the pipeline may ask for more.
    let given = Overrides {
        network: None,
        isolate: None,
        ..overrides.clone()
    };
    let mut pipeline = config::load(&found, &given, user.as_deref())?;
    tighten(&mut pipeline, reviewed);
    if let Some(below) = (pipeline.base.as_deref()).and_then(|base| below(base, &target)) {
        pipeline.base = Some(source.directory().join(below));
        let short = reviewed.target.get(..7).unwrap_or(&reviewed.target);
        pipeline.name = format!("kata-ci.toml of {} ({short})", reviewed.branch);
    }
    Ok(pipeline)
}

fn above(top: &Path) -> Result<Option<PipelineSource>, CommandError> {
    match top.parent() {
        Some(parent) => Ok(config::locate(None, parent)?),
        None => Ok(None),
    }
}

fn detected(target: &CheckoutSet) -> Result<&'static str, CommandError> {
    let detected = workspace::detect(target.directory());
    let detected = detected.map_err(|error| target.explain_error(error))?;
    Ok(detected.pipeline)
}

fn below(base: &Path, target: &CheckoutSet) -> Option<std::path::PathBuf> {
    let top = target.directory().canonicalize().ok()?;
    let base = base.canonicalize().ok()?;
    base.strip_prefix(top).ok().map(Path::to_owned)
}

/// Raises the isolation of every step and component to the least that the operator wants.
fn tighten(pipeline: &mut Pipeline, reviewed: &Reviewed) {
    let (isolate, network) = (reviewed.least_isolate, reviewed.least_network);
    for step in &mut pipeline.steps {
        step.isolate = stricter(step.isolate, isolate);
        step.network = farther(step.network, network);
    }
    for component in &mut pipeline.components {
        component.isolate = component.isolate.map(|own| stricter(own, isolate));
        component.network = component.network.map(|own| farther(own, network));
    }
}

fn stricter(one: IsolatePolicy, other: IsolatePolicy) -> IsolatePolicy {
    let rank = |policy| match policy {
        IsolatePolicy::Off => 0,
        IsolatePolicy::Auto => 1,
        IsolatePolicy::On => 2,
    };
    if rank(one) >= rank(other) { one } else { other }
}

fn farther(one: NetworkPolicy, other: NetworkPolicy) -> NetworkPolicy {
    let rank = |policy| match policy {
        NetworkPolicy::On => 0,
        NetworkPolicy::Auto => 1,
        NetworkPolicy::Off => 2,
    };
    if rank(one) >= rank(other) { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Step;
    use crate::model::Command;

    #[test]
    fn a_pipeline_can_only_tighten() {
        let reviewed = Reviewed {
            branch: "master".to_owned(),
            target: "0".repeat(40),
            remote: "origin".to_owned(),
            companions: Vec::new(),
            only: Vec::new(),
            hidden: Vec::new(),
            least_isolate: IsolatePolicy::Auto,
            least_network: NetworkPolicy::Off,
            is_of_stranger: false,
        };
        let mut pipeline = Pipeline::new("x");
        let mut step = Step::new("test".to_owned(), Command::Run(vec!["true".to_owned()]));
        step.isolate = IsolatePolicy::On;
        step.network = NetworkPolicy::On;
        pipeline.steps.push(step);
        let mut component = crate::config::Component::new("proxy");
        component.isolate = Some(IsolatePolicy::Off);
        pipeline.components.push(component);
        tighten(&mut pipeline, &reviewed);
        assert_eq!(pipeline.steps[0].isolate, IsolatePolicy::On);
        assert_eq!(pipeline.steps[0].network, NetworkPolicy::Off);
        assert_eq!(pipeline.components[0].isolate, Some(IsolatePolicy::Auto));
    }
}
