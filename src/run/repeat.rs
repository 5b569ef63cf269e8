//! The command that repeats a run, which reports show beside each failure.

use std::path::Path;
use std::time::Duration;

use super::request::{RunRequest, RunSettings};
use crate::config::{IsolatePolicy, NetworkPolicy, Overrides};

/// Returns the command that repeats the run from anywhere, quoted for a shell. The names of jobs
/// are added to it. `started_in` is the absolute directory of the request.
///
/// Every field is named here, so that a new option is either part of the command or left out for a
/// reason.
pub(super) fn command(request: &RunRequest, started_in: &Path) -> String {
    let RunRequest {
        directory,
        revision,
        pipeline,
        settings,
        environment: _,
        // The command is for one job or case of the run, which whoever shows it names.
        selection: _,
        since: _,
        rerun_failed: _,
        case: _,
        resume: _,
        compare_isolation: _,
        dry_run: _,
        max_fail: _,
        // It begins a run of its own, with reports of its own.
        reports: _,
        // The command line cannot give these.
        pushed_to: _,
        author: _,
        // A review repeats itself: its message says so.
        reviewed: _,
        // A job of a shard is repeated at its commit, in the workspace of the user.
        shard,
        slice: _,
    } = request;
    let RunSettings {
        overrides,
        // They change no outcome of a job that runs.
        jobs: _,
        require_all: _,
        display: _,
        keep: _,
    } = settings;
    let mut words = vec!["kata-ci".to_owned(), "run".to_owned()];
    let mut option = |name: &str, value: Option<String>| {
        words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
    };
    let elsewhere = directory != Path::new(".");
    option("-C", elsewhere.then(|| started_in.display().to_string()));
    option("-p", pipeline.clone());
    let only_revision = shard.as_ref().and_then(|shard| {
        let mut all = shard.plan.revisions.values();
        let first = all.next()?;
        all.all(|other| other == first).then(|| first.clone())
    });
    option("--rev", revision.clone().or(only_revision));
    for (name, value) in overriding(overrides) {
        option(name, value);
    }
    words.extend((overrides.without_root).then(|| "--without-root".to_owned()));
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

fn overriding(overrides: &Overrides) -> [(&'static str, Option<String>); 5] {
    let Overrides {
        timeout,
        grace,
        network,
        isolate,
        retries,
        // It has no value, and is added by itself.
        without_root: _,
    } = overrides;
    let duration = |time: Duration| humantime::format_duration(time).to_string();
    let network = network.map(|policy| match policy {
        NetworkPolicy::Off => "off",
        NetworkPolicy::Auto => "auto",
        NetworkPolicy::On => "on",
    });
    let isolate = isolate.map(|policy| match policy {
        IsolatePolicy::Off => "off",
        IsolatePolicy::Auto => "auto",
        IsolatePolicy::On => "on",
    });
    [
        ("--timeout", timeout.map(duration)),
        ("--grace", grace.map(duration)),
        ("--network", network.map(str::to_owned)),
        ("--isolate", isolate.map(str::to_owned)),
        ("--retries", retries.map(|retries| retries.to_string())),
    ]
}
