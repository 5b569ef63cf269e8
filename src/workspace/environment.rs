//! The environment of a job: allowed variables of the user, then those of the layout, of
//! `[network]`, of the pipeline, the component and the step.
//!
//! Variables that would change make or git behind a Makefile's back (`MAKEFLAGS`, `GIT_DIR`) or
//! that a stranger's Makefile must not see (tokens, agents) are not allowed. They get in only if
//! the pipeline sets them, or if `pass_env` names them.
//!
//! `GOFLAGS` of a pipeline does not replace the user's, which can be needed for a build at all: its
//! flags come behind them, where go lets them win.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::config::tools::put_on_path;
use crate::config::{Component, IsolatePolicy, PassEnv, Pipeline, Step};
use crate::env::Environment;
use crate::workspace::{FoundComponent, RootHalf, Workspace};

/// The variable with flags for every go command.
const GO_FLAGS: &str = "GOFLAGS";

/// Names of the allowed variables; part of the contract.
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
    "RUSTUP_TOOLCHAIN",
    "GOTOOLCHAIN",
    "GOPRIVATE",
    "GONOSUMDB",
    "GOSUMDB",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
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

/// Variables that each shell sets for itself.
const OF_SHELL: &[&str] = &["_", "OLDPWD", "PWD", "SHLVL"];

fn passes(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| PASSED.contains(&name) || name.starts_with("LC_"))
}

/// Returns the variables of the user that jobs get.
pub fn passed(user: &Environment) -> impl Iterator<Item = (&OsString, &OsString)> {
    user.iter().filter(|(name, _)| passes(name))
}

/// Returns the variables of the user that jobs get, including those that the configuration names.
pub(crate) fn passed_with<'a>(
    user: &'a Environment,
    pass_env: &PassEnv,
    is_strict: bool,
) -> impl Iterator<Item = (&'a OsString, &'a OsString)> {
    let named = pass_env.of_job(is_strict);
    user.iter()
        .filter(move |(name, _)| passes(name) || named.contains(name))
}

/// Returns the names of the user's variables that a job does not get, as the shell would write
/// them. A variable that the pipeline sets or unsets for the job is not among them.
pub(crate) fn held_back(user: &Environment, job: &Environment) -> Vec<String> {
    let is_name = |name: &&str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    user.names()
        .filter(|name| !passes(name) && !job.contains(name))
        .filter_map(OsStr::to_str)
        .filter(is_name)
        .filter(|name| !OF_SHELL.contains(name))
        .map(str::to_owned)
        .collect()
}

/// Returns the common environment of a component's jobs, without the variables of their steps.
/// `layout` is [`Workspace::environment`]. If one of the jobs is strict, it is what that one gets.
pub(crate) fn of_component(
    user: &Environment,
    layout: &Environment,
    pipeline: &Pipeline,
    component: &Component,
) -> Environment {
    let mut steps = pipeline.steps.iter();
    let is_strict = steps.any(|step| is_strict(component, step));
    common(user, layout, pipeline, component, is_strict)
}

fn is_strict(component: &Component, step: &Step) -> bool {
    component.isolate.unwrap_or(step.isolate) == IsolatePolicy::On
}

fn common(
    user: &Environment,
    layout: &Environment,
    pipeline: &Pipeline,
    component: &Component,
    is_strict: bool,
) -> Environment {
    let mut environment: Environment = passed_with(user, &pipeline.pass_env, is_strict)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(flags) = go_flags(&environment) {
        environment.set(GO_FLAGS, flags);
    }
    environment.extend(layout.clone());
    pipeline.network.set_variables(&mut environment);
    overlay(&mut environment, &pipeline.env);
    overlay(&mut environment, &component.env);
    put_on_path(&pipeline.tools, user, &mut environment);
    environment
}

/// Adds a layer of the pipeline; an empty value unsets.
pub(crate) fn overlay(environment: &mut Environment, layer: &BTreeMap<String, String>) {
    for (name, value) in layer {
        match value.as_str() {
            "" => environment.remove(name),
            value if name == GO_FLAGS => environment.set(name, with_flags(environment, value)),
            value => environment.set(name, value),
        };
    }
}

/// Returns the `GOFLAGS` of the environment with more flags behind them.
fn with_flags(environment: &Environment, more: &str) -> OsString {
    let mut flags = (environment.get(GO_FLAGS)).map_or_else(OsString::new, OsStr::to_owned);
    if !flags.is_empty() {
        flags.push(" ");
    }
    flags.push(more);
    flags
}

/// Returns the user's `GOFLAGS`: those of the environment, else those of `go env -w`, which the
/// variable would hide.
fn go_flags(environment: &Environment) -> Option<OsString> {
    if let Some(flags) = environment.get(GO_FLAGS) {
        return Some(flags.to_owned());
    }
    let home = PathBuf::from(environment.get("HOME")?);
    let settings = std::fs::read_to_string(home.join(".config/go/env")).ok()?;
    let flags = settings
        .lines()
        .find_map(|line| line.strip_prefix("GOFLAGS="))?;
    Some(flags.trim().into())
}

/// Removes the variables that let kata's go-test.sh repeat packages as root. It then tests each
/// package once, as the user, as it does when called by hand.
fn leave_root_half_out(environment: &mut Environment) {
    for name in ["CI", "KATA_DEV_MODE"] {
        environment.remove(name);
    }
}

/// Returns the whole environment of a job. `PWD` is its directory, as in a shell.
pub(crate) fn of_job(
    user: &Environment,
    workspace: &Workspace,
    pipeline: &Pipeline,
    found: &FoundComponent,
    step: &Step,
) -> Environment {
    let (layout, component) = (&workspace.environment, &found.component);
    let is_strict = is_strict(component, step);
    let mut environment = common(user, layout, pipeline, component, is_strict);
    overlay(&mut environment, &step.env);
    pipeline.network.tell_git(&mut environment);
    match found.root_half.get(&step.name) {
        None | Some(RootHalf::BySudo) => {}
        Some(RootHalf::Unwanted | RootHalf::Impossible(_)) => leave_root_half_out(&mut environment),
    }
    environment.set("PWD", found.directory.clone());
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(user: &[(&str, &str)], pipeline: &str) -> Option<String> {
        let mut environment: Environment = user
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        if let Some(flags) = go_flags(&environment) {
            environment.set(GO_FLAGS, flags);
        }
        let layer = [(GO_FLAGS.to_owned(), pipeline.to_owned())];
        overlay(&mut environment, &layer.into());
        let flags = environment.get(GO_FLAGS)?;
        Some(flags.to_string_lossy().into_owned())
    }

    #[test]
    fn flags_for_go_come_behind_those_of_the_user_wherever_they_stand() {
        let home = tempfile::tempdir().unwrap();
        let at = home.path().to_str().unwrap();
        assert_eq!(of(&[("HOME", at)], "-v").as_deref(), Some("-v"));
        let settings = home.path().join(".config/go");
        std::fs::create_dir_all(&settings).unwrap();
        std::fs::write(settings.join("env"), "GOPROXY=off\nGOFLAGS=-mod=mod\n").unwrap();
        assert_eq!(of(&[("HOME", at)], "-v").as_deref(), Some("-mod=mod -v"));
        let user = [("HOME", at), ("GOFLAGS", "-mod=vendor")];
        assert_eq!(of(&user, "-v").as_deref(), Some("-mod=vendor -v"));
        assert_eq!(of(&user, ""), None);
    }
}
