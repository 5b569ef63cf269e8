//! A run's own description: what its first event says.

use std::path::Path;

use nix::unistd::gethostname;

use super::fingerprint;
use super::prepare::Prepared;
use crate::cli::arguments::{Arguments, RunArguments, Switch};
use crate::event::{Notice, RunStarted, Since};
use crate::exec::Settings;
use crate::run::report_directory::ReportDirectory;

/// The time and the process: unique on a machine, and sorted by age.
pub(crate) fn run_id() -> String {
    format!(
        "{}-{}",
        jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ"),
        std::process::id()
    )
}

/// The first event of the run.
pub(crate) fn started(
    run_id: String,
    arguments: &Arguments,
    options: &RunArguments,
    prepared: &Prepared,
    directory: &ReportDirectory,
    settings: &Settings,
) -> RunStarted {
    let workspace = &prepared.workspace;
    let mut notices = workspace.notices.clone();
    notices.extend(prepared.rerun_of.iter().map(|(_, notice)| notice.clone()));
    notices.extend(prepared.since.iter().flat_map(Since::notices));
    if directory.replaced {
        notices.push(Notice {
            text: format!("replaces the earlier run in {}", directory.path.display()),
            fix: None,
        });
    }
    let fingerprint = fingerprint::take(prepared, &run_id);
    RunStarted {
        run_id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline: prepared.pipeline.name.clone(),
        workspace: workspace.root.display().to_string(),
        components: unique(prepared.plan.jobs.iter().map(|job| job.id.component())),
        steps: unique(prepared.plan.jobs.iter().map(|job| job.id.step())),
        jobs: (prepared.plan.jobs.iter())
            .map(|job| job.id.clone())
            .collect(),
        parallel: settings.parallel,
        fingerprint: Some(Box::new(fingerprint)),
        revisions: workspace
            .components
            .iter()
            .filter_map(|found| Some((found.component.name.clone(), found.revision.clone()?)))
            .collect(),
        again: again(arguments, options, &prepared.directory),
        isolation: settings.isolated.overall(),
        since: prepared.since.clone(),
        rerun_of: prepared.rerun_of.as_ref().map(|(id, _)| id.clone()),
        notices,
        worker: gethostname()
            .ok()
            .map(|name| name.to_string_lossy().into_owned()),
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.fold(Vec::new(), |mut unique, name| {
        if !unique.iter().any(|known| known == name) {
            unique.push(name.to_owned());
        }
        unique
    })
}

/// The command that runs all of this again, as typed in a shell.
fn again(arguments: &Arguments, options: &RunArguments, directory: &Path) -> String {
    let mut words = vec!["kata-ci".to_owned(), "run".to_owned()];
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push(name.to_owned());
            words.push(value);
        }
    };
    let elsewhere = arguments.directory != Path::new(".");
    option("-C", elsewhere.then(|| directory.display().to_string()));
    option("-p", options.pipeline.clone());
    option("--rev", options.rev.clone());
    option(
        "--timeout",
        options
            .timeout
            .map(|time| humantime::format_duration(time).to_string()),
    );
    option(
        "--grace",
        options
            .grace
            .map(|time| humantime::format_duration(time).to_string()),
    );
    let word = |switch: Switch| match switch {
        Switch::Off => "off".to_owned(),
        Switch::Auto => "auto".to_owned(),
        Switch::On => "on".to_owned(),
    };
    option("--network", options.network.map(word));
    option("--isolate", options.isolate.map(word));
    option(
        "--retries",
        options.retries.map(|retries| retries.to_string()),
    );
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}
