//! A review from the name of a change to its result. [`crate::review::post()`] takes the result to
//! the server.

use std::fs;
use std::time::Instant;

use super::clones::{self, ProjectClone};
use super::diff::ChangedLines;
use super::lookup::{self, AuthorTrust, Found, refused};
use super::outcome::{self, Ran};
use super::request::{Prepared, ReviewRequest};
use super::{Patchset, ReviewResult, base_run, take_back_copied};
use crate::config::{IsolatePolicy, NetworkPolicy};
use crate::gerrit::rest::Client;
use crate::git::Repository;
use crate::git::range::above;
use crate::model::{CommandError, ExitCode, Selection};
use crate::run;
use crate::run::{CiChoice, Companion, ReportPaths, Reviewed, RunRequest};
use crate::say;

/// Carries out a review. `client` is the server of the change; `git` calls git with the operator's
/// network settings.
pub(crate) fn carry_out(
    request: &ReviewRequest,
    client: &Client,
    git: &Repository,
    account: Option<u64>,
) -> Result<ReviewResult, CommandError> {
    let clock = Instant::now();
    let found = lookup::find(client, &request.change)?;
    let number = request
        .run
        .unwrap_or_else(|| lookup::next_run(&found.change, account, &found.patch_set.sha));
    if request.votes {
        let key = found.patch_set.key();
        let taken = take_back_copied(client, &key, &request.label, &|_| false);
        taken.map_err(|error| refused(&error))?;
    }
    let prepared = prepare(request, client, git, &found)?;
    let ran = ran(request, &prepared);
    let changed = ChangedLines::of(&prepared.clone.repository, &prepared.patch_set.sha);
    // Without it there are no inline comments, and the message says the same.
    let changed = changed.unwrap_or_default();
    let directory = ran.directory.clone().or_else(|| request.reports.clone());
    let result = outcome::result(request, &prepared, ran, &changed, number, clock.elapsed());
    if let Some(directory) = &directory {
        let written = fs::create_dir_all(directory).and_then(|()| result.write(directory));
        written.map_err(|error| CommandError::machine(format!("review.json: {error}")))?;
    }
    Ok(result)
}

fn prepare(
    request: &ReviewRequest,
    client: &Client,
    git: &Repository,
    found: &Found,
) -> Result<Prepared, CommandError> {
    let clones = clones::clones(&request.directory, git);
    let patch_set = found.patch_set.clone();
    let clone = clones::of_project(&clones, &patch_set.project);
    let clone = clone
        .ok_or_else(|| no_clone(&patch_set.project, &request.directory))?
        .clone();
    let (target, base) = fetched(client, &clone, &patch_set)?;
    let mut unmerged = above(&clone.repository, &patch_set.sha, &[&target])?;
    let mut tested_less = Vec::new();
    let mut companions = Vec::new();
    let mut companions_at_base = Vec::new();
    for other in companions_of(client, &patch_set, &mut tested_less)? {
        let name = format!("change {} of {}", other.number, other.project);
        let Some(there) = clones::of_project(&clones, &other.project) else {
            tested_less.push(format!(
                "{name} (same topic) has no clone here, and is left out"
            ));
            continue;
        };
        let (target, base) = fetched(client, there, &other)?;
        unmerged.extend(above(&there.repository, &other.sha, &[&target])?);
        let companion = |commit: String| Companion {
            top: there.top.clone(),
            commit,
            why: format!("topic, {name}"),
        };
        companions.push(companion(other.sha.clone()));
        companions_at_base.extend(base.map(companion));
    }
    let review = &request.operator.review;
    let trust = lookup::trust(client, review, &unmerged, &patch_set.sha);
    Ok(Prepared {
        trust: trust.map_err(|error| refused(&error))?,
        patch_set,
        clone,
        target,
        base,
        companions,
        companions_at_base,
        tested_less,
    })
}

fn no_clone(project: &str, directory: &std::path::Path) -> CommandError {
    let project = crate::text::one_line(project, 200);
    CommandError::usage(format!(
        "no repository at {} is a clone of {project}",
        directory.display()
    ))
    .hint("go into a clone of it, or into the directory that holds the clones (-C DIR)")
}

/// Fetches a patch set and its target branch. Returns the tip of the branch and the merge base.
fn fetched(
    client: &Client,
    clone: &ProjectClone,
    patch_set: &Patchset,
) -> Result<(String, Option<String>), CommandError> {
    let target = lookup::target(client, patch_set).map_err(|error| refused(&error))?;
    let (project, server) = (&patch_set.project, client.server());
    clone.fetch(&patch_set.reference, &patch_set.sha, project, server)?;
    let branch = format!("refs/heads/{}", patch_set.branch);
    clone.fetch(&branch, &target, project, server)?;
    let base = clone
        .repository
        .find(["merge-base", &target, &patch_set.sha]);
    Ok((target, base?))
}

/// Returns the change of the topic to check out for each other project: the tip of its stack.
fn companions_of(
    client: &Client,
    patch_set: &Patchset,
    tested_less: &mut Vec<String>,
) -> Result<Vec<Patchset>, CommandError> {
    let all = lookup::of_topic(client, patch_set).map_err(|error| refused(&error))?;
    let all: Vec<_> = all.into_iter().map(|found| found.patch_set).collect();
    let is_tip = |one: &&Patchset| !all.iter().any(|other| other.parents.contains(&one.sha));
    let mut tips: Vec<Patchset> = Vec::new();
    for tip in all.iter().filter(is_tip) {
        match tips.iter().any(|known| known.project == tip.project) {
            true => tested_less.push(format!(
                "the topic has several changes of {} that are not on one another: change {} is left out",
                crate::text::one_line(&tip.project, 200),
                tip.number
            )),
            false => tips.push(tip.clone()),
        }
    }
    Ok(tips)
}

/// Runs the jobs of the patch set and, if wanted, those of the base.
fn ran(request: &ReviewRequest, prepared: &Prepared) -> Ran {
    let own = run_request(request, prepared);
    let is_of_stranger = prepared.trust != AuthorTrust::Trusted;
    let result = match run::carry_out(&own) {
        Ok(result) => result,
        Err(error) if is_of_stranger && error.kind == ExitCode::Unavailable => {
            return Ran::refused(error.to_string());
        }
        Err(error) => return Ran::broken(&error),
    };
    let mut ran = Ran::of(result.run, result.directory);
    if !request.with_base || ran.run.jobs.is_empty() || ran.is_cut_short() {
        return ran;
    }
    let Some(base) = &prepared.base else {
        ran.no_base("there is no merge base with the target branch");
        return ran;
    };
    let at_base = base_request(&own, prepared, base, &ran);
    let names = at_base.reviewed.as_ref().map(|one| one.only.join(","));
    let companions: Vec<_> = (prepared.companions_at_base.iter())
        .map(|one| format!("{}@{}", one.top.display(), one.commit))
        .collect();
    let key = [
        base.as_str(),
        &prepared.target,
        &prepared.clone.top.display().to_string(),
        request.pipeline.as_deref().unwrap_or(""),
        &names.unwrap_or_default(),
        &companions.join(","),
        &format!("{:?} {is_of_stranger}", request.settings.overrides),
    ];
    let short = base.get(..7).unwrap_or(base);
    say::aside(format_args!("the same at the base, {short}:"));
    match base_run::run_or_take(&at_base, &key) {
        Ok(found) => ran.with_base(found),
        Err(error) => ran.no_base(&format!("the base could not be run: {error}")),
    }
    ran
}

fn run_request(request: &ReviewRequest, prepared: &Prepared) -> RunRequest {
    let mut settings = request.settings.clone();
    let is_of_stranger = prepared.trust != AuthorTrust::Trusted;
    let operator = &request.operator;
    let given = &settings.overrides;
    let least_isolate = given.isolate.or(operator.isolate).unwrap_or_default();
    let least_network = given
        .network
        .or(operator.network_policy)
        .unwrap_or_default();
    let (least_isolate, least_network) = match is_of_stranger {
        true => (IsolatePolicy::On, NetworkPolicy::Off),
        false => (least_isolate, least_network),
    };
    if is_of_stranger {
        settings.overrides.isolate = Some(least_isolate);
        settings.overrides.network = Some(least_network);
    }
    let patch_set = &prepared.patch_set;
    RunRequest {
        revision: Some(patch_set.sha.clone()),
        pipeline: request.pipeline.clone(),
        selection: Selection {
            components: request.components.clone(),
            ..Selection::default()
        },
        reports: ReportPaths {
            directory: request.reports.clone(),
            junit: None,
        },
        author: Some(format!(
            "gerrit account {} of {}",
            patch_set.owner.id,
            host(&patch_set.url)
        )),
        reviewed: Some(Reviewed {
            branch: patch_set.branch.clone(),
            target: prepared.target.clone(),
            remote: prepared.clone.remote.clone(),
            companions: prepared.companions.clone(),
            least_isolate,
            least_network,
            only: Vec::new(),
            hidden: request.hidden.clone(),
            is_of_stranger,
        }),
        ..RunRequest::new(
            prepared.clone.top.clone(),
            request.environment.clone(),
            settings,
        )
    }
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// Makes the request of the same jobs at the base. The base is merged, so its builds are of no
/// author of a change.
fn base_request(own: &RunRequest, prepared: &Prepared, base: &str, ran: &Ran) -> RunRequest {
    let mut request = own.clone();
    request.revision = Some(base.to_owned());
    request.author = Some(format!("the branch {}", prepared.patch_set.branch));
    request.selection.components = Vec::new();
    request.settings.display.ci = CiChoice::None;
    if let Some(reviewed) = &mut request.reviewed {
        reviewed.companions.clone_from(&prepared.companions_at_base);
        reviewed.only = ran.components();
    }
    request
}
