//! `kata-ci hook`: the git hooks.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::answer_format::AnswerFormat;
use super::error;
use super::global::GlobalArguments;
use super::run::given;
use super::settings::SettingsArguments;
use crate::env::Environment;
use crate::git::Repository;
use crate::model::{CommandError, ExitCode};
use crate::push::RunCheck;
use crate::push::hooks;
use crate::push::hooks::{Change, HookFile, HookState, PrePushVerdict, Status, UncheckedRef};
use crate::run::Format;
use crate::say;

/// Install, show and run the git hooks pre-push and commit-msg
#[derive(Debug, Args)]
pub struct HookArguments {
    #[command(subcommand)]
    command: HookCommand,
}

#[derive(Debug, Subcommand)]
enum HookCommand {
    /// Install the hooks; an existing hook is kept and called first
    Install,
    /// Remove the hooks and restore the previous ones
    Uninstall,
    /// Show the paths of the hooks and their state
    Status {
        /// Format of the output
        #[arg(long, value_enum, default_value_t, env = "KATACI_FORMAT")]
        format: AnswerFormat,
    },
    /// Stop a push of unchecked commits for review; called by git
    PrePush(Box<PrePushArguments>),
    /// Add a Change-Id to a commit message, as Gerrit's own hook does; called by git
    CommitMsg {
        /// File that holds the message
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct PrePushArguments {
    /// Name of the remote, or its URL
    name: String,
    /// URL of the remote
    url: String,
    /// Pipeline that the commits must have passed [default: as for `run`]
    #[arg(short, long, value_name = "NAME|FILE", env = "KATACI_PIPELINE")]
    pipeline: Option<String>,
    #[command(flatten, next_help_heading = "Options of the check")]
    settings: SettingsArguments,
}

/// The reason why a hook failed, shown in one line.
type Said = Box<dyn std::error::Error>;

/// Calls the command in the repository of this directory.
pub(super) fn call(global: &GlobalArguments, arguments: &HookArguments) -> ExitCode {
    let repository = Repository::at(&global.directory, &Environment::current());
    let done = match &arguments.command {
        HookCommand::Install => install(&repository),
        HookCommand::Uninstall => uninstall(&repository),
        HookCommand::Status { format } => status(&repository, *format),
        HookCommand::PrePush(arguments) => pre_push(global, &repository, arguments),
        HookCommand::CommitMsg { file } => match hooks::commit_msg(&repository, file) {
            Ok(()) => Ok(ExitCode::Success),
            Err(error) => Err(error.into()),
        },
    };
    done.unwrap_or_else(|error| {
        say::aside(format_args!("kata-ci: {error}"));
        ExitCode::Failed
    })
}

fn install(repository: &Repository) -> Result<ExitCode, Said> {
    let program = std::env::current_exe()?;
    for (hook, change) in hooks::install(repository, &program)? {
        tell(&hook, &change);
    }
    let all = hooks::status(repository)?;
    if let Some(origin) = all.first().and_then(|status| status.hooks_path.as_ref()) {
        say::answer(format_args!(
            "! core.hooksPath is set ({origin}): the hooks hold wherever that is in force"
        ));
    }
    Ok(ExitCode::Success)
}

fn uninstall(repository: &Repository) -> Result<ExitCode, Said> {
    let changes = hooks::uninstall(repository)?;
    for (hook, change) in &changes {
        tell(hook, change);
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

fn tell(hook: &HookFile, change: &Change) {
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
    say::answer(format_args!(
        "{}  {}  {said}",
        hook.hook,
        hook.file.display()
    ));
}

fn status(repository: &Repository, format: AnswerFormat) -> Result<ExitCode, Said> {
    let all = hooks::status(repository)?;
    match format {
        AnswerFormat::Json => say::answer(serde_json::to_string_pretty(&all)?),
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
    say::answer(format_args!(
        "{}  {}  {said}",
        status.hook,
        status.file.display()
    ));
    if let Some(origin) = &status.hooks_path {
        say::answer(format_args!("  core.hooksPath is set ({origin})"));
    }
}

fn pre_push(
    global: &GlobalArguments,
    repository: &Repository,
    arguments: &PrePushArguments,
) -> Result<ExitCode, Said> {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input)?;
    let tell = |error: &CommandError| {
        say::aside(error::render(error, global.color()));
    };
    let check = RunCheck {
        settings: arguments.settings.settings(global, Format::Errors),
        pipeline: given(arguments.pipeline.as_ref()),
        environment: Environment::current(),
        tell: &tell,
    };
    let (name, url) = (&arguments.name, &arguments.url);
    match hooks::pre_push(repository, name, url, &input, &check)? {
        PrePushVerdict::Pass => Ok(ExitCode::Success),
        PrePushVerdict::Checked { said, exit } => {
            for line in said {
                say::aside(format_args!("kata-ci: {line}"));
            }
            Ok(exit)
        }
        PrePushVerdict::NotChecked(refs) => {
            tell_unchecked(&refs);
            Ok(ExitCode::Failed)
        }
    }
}

fn tell_unchecked(refs: &[UncheckedRef]) {
    for one in refs {
        let short = one.oid.get(..7).unwrap_or(&one.oid);
        let what = match one.new {
            1 => "1 commit".to_owned(),
            new => format!("{new} commits"),
        };
        let reference = &one.remote;
        say::aside(format_args!(
            "kata-ci: {short} → {reference} was not checked ({what})"
        ));
    }
    say::aside("    → kata-ci push checks and pushes; git push --no-verify pushes all the same");
}
