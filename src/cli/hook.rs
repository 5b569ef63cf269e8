//! `kata-ci hook`: the git hooks.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::arguments::Arguments;
use super::format::AnswerFormat;
use crate::git::plumbing::Repository;
use crate::model::ExitCode;
use crate::push::hooks;
use crate::push::hooks::{Change, Hook, HookFile, HookState, PrePushVerdict, PushedRef, Status};
use crate::push::run_check::RunCheck;
use crate::push::{Check, CheckRequest, CheckResult};

/// Installs, shows and answers git's hooks pre-push and commit-msg
#[derive(Debug, Args)]
pub struct HookArguments {
    #[command(subcommand)]
    command: HookCommand,
}

#[derive(Debug, Subcommand)]
enum HookCommand {
    /// Puts the hooks where git looks for them; a hook that is there is kept, and called first
    Install,
    /// Removes the hooks, and puts back what was there
    Uninstall,
    /// Tells where the hooks are and what lies there
    Status {
        /// How it is written
        #[arg(long, value_enum, default_value_t, env = "KATACI_FORMAT")]
        format: AnswerFormat,
    },
    /// Stops a push for review that was not checked; called by git
    PrePush {
        /// Name of the remote, or its URL
        name: String,
        /// URL of the remote
        url: String,
    },
    /// Gives the message of a commit a Change-Id, as Gerrit's own hook does; called by git
    CommitMsg {
        /// File that holds the message
        file: PathBuf,
    },
}

/// Why a hook did not do what it was to do; said in one line.
type Said = Box<dyn std::error::Error>;

/// Carries the command out in the repository of this directory.
pub(super) fn run(arguments: &Arguments, hook: &HookArguments) -> ExitCode {
    let repository = Repository::at(&arguments.directory);
    let done = match &hook.command {
        HookCommand::Install => install(&repository),
        HookCommand::Uninstall => uninstall(&repository),
        HookCommand::Status { format } => status(&repository, *format),
        HookCommand::PrePush { name, url } => pre_push(arguments, &repository, name, url),
        HookCommand::CommitMsg { file } => commit_msg(&repository, file),
    };
    done.unwrap_or_else(|error| {
        anstream::eprintln!("kata-ci: {error}");
        ExitCode::Failed
    })
}

fn install(repository: &Repository) -> Result<ExitCode, Said> {
    let program = std::env::current_exe()?;
    for (place, change) in hooks::install(repository, &program)? {
        tell(&place, &change);
    }
    let all = hooks::status(repository)?;
    if let Some(origin) = all.first().and_then(|status| status.hooks_path.as_ref()) {
        anstream::println!(
            "! core.hooksPath is set ({origin}): the hooks hold wherever that is in force"
        );
    }
    Ok(ExitCode::Success)
}

fn uninstall(repository: &Repository) -> Result<ExitCode, Said> {
    let changes = hooks::uninstall(repository)?;
    for (place, change) in &changes {
        tell(place, change);
    }
    let left = changes
        .iter()
        .any(|(_, change)| matches!(change, Change::Foreign(Some(_))));
    Ok(if left {
        ExitCode::Failed
    } else {
        ExitCode::Success
    })
}

fn tell(place: &HookFile, change: &Change) {
    let said = match change {
        Change::Installed => "installed".to_owned(),
        Change::InstalledAndKept(kept) => format!("installed; it calls {} first", kept.display()),
        Change::Refreshed => "installed before; brought up to date".to_owned(),
        Change::Removed => "removed".to_owned(),
        Change::Restored => "removed; what was there before is back".to_owned(),
        Change::NotThere => "was not installed".to_owned(),
        Change::Foreign(None) => "another hook is there; it stays".to_owned(),
        Change::Foreign(Some(kept)) => format!(
            "another hook has taken its place and stays; the one from before lies in {}",
            kept.display()
        ),
    };
    anstream::println!("{}  {}  {said}", place.hook, place.file.display());
}

fn status(repository: &Repository, format: AnswerFormat) -> Result<ExitCode, Said> {
    let all = hooks::status(repository)?;
    match format {
        AnswerFormat::Json => anstream::println!("{}", serde_json::to_string_pretty(&all)?),
        AnswerFormat::Human => all.iter().for_each(tell_status),
    }
    Ok(ExitCode::Success)
}

fn tell_status(status: &Status) {
    let said = match (status.state, &status.kept) {
        (HookState::Ours, None) => "installed".to_owned(),
        (HookState::Ours, Some(kept)) => format!("installed; calls {} first", kept.display()),
        (HookState::Absent, _) => "not installed: kata-ci hook install".to_owned(),
        (HookState::Foreign, _) => {
            "another hook is there: kata-ci hook install keeps and calls it".to_owned()
        }
    };
    anstream::println!("{}  {}  {said}", status.hook, status.file.display());
    if let Some(origin) = &status.hooks_path {
        anstream::println!("  core.hooksPath is set ({origin})");
    }
}

fn pre_push(
    arguments: &Arguments,
    repository: &Repository,
    name: &str,
    url: &str,
) -> Result<ExitCode, Said> {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input)?;
    let place = HookFile::of(repository, Hook::PrePush)?;
    hooks::call_kept(&place, &[OsString::from(name), OsString::from(url)], &input)?;
    let input = String::from_utf8_lossy(&input);
    let check = RunCheck {
        arguments,
        pipeline: std::env::var("KATACI_PIPELINE").ok(),
        quiet: true,
    };
    let is_checked = |oid: &str, branch: &str| check.stamps(repository, oid, branch).is_some();
    match hooks::pre_push(repository, name, url, &input, &is_checked)? {
        PrePushVerdict::Pass => Ok(ExitCode::Success),
        PrePushVerdict::NotChecked(refs) if checks_itself(repository)? => {
            Ok(check_all(repository, &refs, &check))
        }
        PrePushVerdict::NotChecked(refs) => {
            tell_unchecked(&refs);
            Ok(ExitCode::Failed)
        }
    }
}

/// `git config kata-ci.prePush check`: the hook makes the check, with the connection open meanwhile.
fn checks_itself(repository: &Repository) -> Result<bool, Said> {
    match repository.config("kata-ci.prePush")?.as_deref() {
        Some("check") => Ok(true),
        None | Some("stop") => Ok(false),
        Some(other) => Err(format!(
            "git config kata-ci.prePush is `{other}`: it can be `stop` (so it is without it) or `check`"
        )
        .into()),
    }
}

fn check_all(
    repository: &Repository,
    refs: &[(String, String, usize)],
    check: &RunCheck<'_>,
) -> ExitCode {
    for (reference, oid, _) in refs {
        let pushed = PushedRef {
            local: oid.clone(),
            oid: oid.clone(),
            remote: reference.clone(),
        };
        let said = check.check(&CheckRequest {
            repository,
            tip: oid,
            commits: &[],
            each: false,
            branch: pushed.review_branch().unwrap_or_default(),
        });
        match said {
            CheckResult::Passed(said) => anstream::eprintln!("kata-ci: {said}"),
            CheckResult::NotPassed(said, code) => {
                anstream::eprintln!("kata-ci: {said}");
                return code;
            }
        }
    }
    ExitCode::Success
}

fn tell_unchecked(refs: &[(String, String, usize)]) {
    for (reference, oid, new) in refs {
        let short = oid.get(..7).unwrap_or(oid);
        let what = match new {
            1 => "1 commit".to_owned(),
            new => format!("{new} commits"),
        };
        anstream::eprintln!("kata-ci: {short} → {reference} was not checked ({what})");
    }
    anstream::eprintln!(
        "    → kata-ci push checks and pushes; git push --no-verify pushes all the same"
    );
}

fn commit_msg(repository: &Repository, file: &Path) -> Result<ExitCode, Said> {
    let place = HookFile::of(repository, Hook::CommitMsg)?;
    hooks::call_kept(&place, &[file.as_os_str().to_owned()], b"")?;
    hooks::commit_msg(repository, file)?;
    Ok(ExitCode::Success)
}
