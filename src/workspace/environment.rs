//! The environment of a job: an allowlist of the user's, then the layout's, `[network]`, the pipeline's, the component's,
//! the step's.
//!
//! What changes make's or git's behaviour behind a Makefile's back (`MAKEFLAGS`, `GIT_DIR`), and what a stranger's Makefile
//! should not see (tokens, agents), is not on the list and so never gets in, unless the pipeline itself sets it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::config::{Component, Pipeline, Step};
use crate::env::Environment;
use crate::workspace::{FoundComponent, Workspace};

/// Names that pass; the design's contract.
const PASSED: &[&str] = &[
    "HOME",
    "PATH",
    "USER",
    "LANG",
    "TERM",
    "TZ",
    "GOPATH",
    "GOCACHE",
    "GOPROXY",
    "GOFLAGS",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "CI",
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

fn passes(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| PASSED.contains(&name) || name.starts_with("LC_"))
}

/// What jobs get of the user's environment.
pub fn passed(user: &Environment) -> impl Iterator<Item = (&OsString, &OsString)> {
    user.iter().filter(|(name, _)| passes(name))
}

/// The environment all jobs of a component share: what their steps add is not in it. `layout` is
/// [`Workspace::environment`].
pub(crate) fn of_component(
    user: &Environment,
    layout: &Environment,
    pipeline: &Pipeline,
    component: &Component,
) -> Environment {
    let mut environment: Environment = passed(user)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    environment.extend(layout.clone());
    pipeline.network.set_variables(&mut environment);
    overlay(&mut environment, &pipeline.env);
    overlay(&mut environment, &component.env);
    environment
}

/// Puts a layer of the pipeline on top; an empty value unsets.
pub(crate) fn overlay(environment: &mut Environment, layer: &BTreeMap<String, String>) {
    for (name, value) in layer {
        match value.as_str() {
            "" => environment.remove(name),
            value => environment.set(name, value),
        };
    }
}

/// The whole environment of one job. `PWD` is its directory, as a shell would have it.
pub(crate) fn of_job(
    user: &Environment,
    workspace: &Workspace,
    pipeline: &Pipeline,
    found: &FoundComponent,
    step: &Step,
) -> Environment {
    let mut environment = of_component(user, &workspace.environment, pipeline, &found.component);
    overlay(&mut environment, &step.env);
    pipeline.network.tell_git(&mut environment);
    environment.set("PWD", found.directory.clone());
    environment
}
