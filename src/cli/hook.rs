//! `kata-ci hook`: the git hooks.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use super::answer_format::AnswerFormat;
use super::candidates;
use super::error;
use super::global::GlobalArguments;
use super::run::given;
use super::settings::SettingsArguments;
use crate::config::Pipeline;
use crate::env::Environment;
use crate::git::{GitError, Repository};
use crate::model::{CommandError, ExitCode};
use crate::push::RunCheck;
use crate::push::hooks;
use crate::push::hooks::{
    Change, Guard, HookFile, HookManager, HookState, PrePush, PrePushVerdict, Status, UncheckedRef,
};
use crate::run::{Format, pipeline};
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
        /// Call the hook that was kept by `install` first; the installed script says so
        #[arg(long, hide = true)]
        chain: bool,
        /// File that holds the message
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct PrePushArguments {
    /// Name of the remote, or its URL [default: as pre-commit says]
    #[arg(requires = "url")]
    name: Option<String>,
    /// URL of the remote
    url: Option<String>,
    /// Call the hook that was kept by `install` first; the installed script says so
    #[arg(long, hide = true)]
    chain: bool,
    /// Pipeline that the commits must have passed [default: as for `run`]
    #[arg(short, long, value_name = "NAME|FILE", env = "KATACI_PIPELINE", add = ArgValueCompleter::new(candidates::pipelines))]
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
        HookCommand::Install => install(global, &repository),
        HookCommand::Uninstall => uninstall(&repository),
        HookCommand::Status { format } => status(global, &repository, *format),
        HookCommand::PrePush(arguments) => pre_push(global, &repository, arguments),
        HookCommand::CommitMsg { file, chain } => {
            let pipeline = pipeline_of(global, None);
            match hooks::commit_msg(&repository, &pipeline, file, *chain) {
                Ok(()) => Ok(ExitCode::Success),
                Err(error) => Err(error.into()),
            }
        }
    };
    done.unwrap_or_else(|error| match is_outside(&*error) {
        true => {
            say::aside("kata-ci: not in a git repository: go into one, or name it with -C");
            ExitCode::Usage
        }
        false => {
            say::aside(format_args!("kata-ci: {error}"));
            ExitCode::Failed
        }
    })
}

/// Returns true if there is no repository.
fn is_outside(error: &(dyn std::error::Error + 'static)) -> bool {
    let git = match error.downcast_ref::<hooks::InstallError>() {
        Some(hooks::InstallError::Git(git)) => Some(git),
        _ => error.downcast_ref::<GitError>(),
    };
    matches!(git, Some(GitError::NoRepository { .. }))
}

/// Loads the pipeline. One with a mistake has nothing to say here; the check will tell.
fn pipeline_of(global: &GlobalArguments, asked: Option<&str>) -> Pipeline {
    let found = pipeline::anywhere(asked, &global.directory, &Environment::current());
    found.unwrap_or_else(|_| Pipeline::new("none"))
}

fn install(global: &GlobalArguments, repository: &Repository) -> Result<ExitCode, Said> {
    let program = std::env::current_exe()?;
    for (hook, change) in hooks::install(repository, &program)? {
        tell(&hook, &change);
    }
    let all = hooks::status(repository)?;
    if let Some(manager) = all.iter().find_map(Status::overtaken_by) {
        say::answer(format_args!(
            "! {manager} can take the place again, and ours is not called then (kata-ci hook status tells). For good:"
        ));
        for status in &all {
            say::answer(format_args!("    → {}", manager.advice(status.hook)));
        }
    }
    if let Some(status) = all.first() {
        tell_hooks_path(status, "! ");
    }
    tell_guard(&Guard::of(repository, &pipeline_of(global, None))?);
    Ok(ExitCode::Success)
}

fn tell_guard(guard: &Guard) {
    match guard {
        Guard::Reviews(sign) => say::answer(format_args!(
            "guards pushes to review (refs/for/…), and gives commits a Change-Id: Gerrit is known by {sign}"
        )),
        Guard::Branches { base } => say::answer(format_args!(
            "guards every branch that is pushed, and adds no Change-Ids: nothing here says Gerrit. A commit passes once `kata-ci run` has passed on it (compared with {base}), or by `kata-ci push --direct`"
        )),
    }
}

/// Tells whom the place belongs to.
fn tell_hooks_path(status: &Status, mark: &str) {
    if let (Some(origin), Some(scope)) = (&status.hooks_path, &status.scope) {
        say::answer(format_args!(
            "{mark}core.hooksPath is set ({origin}): {scope}"
        ));
    }
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
        Change::Behind(manager) => {
            format!(
                "installed as {}; {manager} stays in place and calls it first",
                hook.legacy.display()
            )
        }
        Change::Configured(by) => format!("called by {by}; nothing was written or removed"),
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

fn status(
    global: &GlobalArguments,
    repository: &Repository,
    format: AnswerFormat,
) -> Result<ExitCode, Said> {
    let all = hooks::status(repository)?;
    match format {
        AnswerFormat::Json => say::answer(serde_json::to_string_pretty(&all)?),
        AnswerFormat::Human => {
            all.iter().for_each(tell_status);
            tell_guard(&Guard::of(repository, &pipeline_of(global, None))?);
        }
    }
    Ok(ExitCode::Success)
}

fn tell_status(status: &Status) {
    say::answer(format_args!(
        "{}  {}  {}",
        status.hook,
        status.file.display(),
        words(status)
    ));
    if let Some(moved) = &status.moved {
        say::answer(format_args!(
            "  ! the hook of kata-ci was moved to {}, and nothing calls it",
            moved.display()
        ));
    }
    for name in &status.also {
        say::answer(format_args!(
            "  git runs hook.{name} of its configuration too"
        ));
    }
    tell_hooks_path(status, "  ");
}

fn words(status: &Status) -> String {
    let kept = (status.kept.as_ref()).map(|kept| format!("calls {} first", kept.display()));
    match (status.state, kept, &status.configured, status.manager) {
        (HookState::Ours, None, _, _) => "installed".to_owned(),
        (HookState::Ours, Some(kept), _, _) => format!("installed; {kept}"),
        (HookState::Absent, ..) => "not installed: kata-ci hook install".to_owned(),
        (HookState::Called, _, Some(by), _) => format!("called by {by}"),
        (HookState::Called, kept, None, manager) => {
            let manager = manager.map_or("the hook in place".to_owned(), |one| one.to_string());
            let kept = kept
                .map(|kept| format!(", which {kept}"))
                .unwrap_or_default();
            format!("installed; {manager} calls it first{kept}")
        }
        (HookState::Foreign, _, _, Some(manager @ HookManager::Husky)) => {
            format!(
                "{manager}'s, not installed: {}",
                manager.advice(status.hook)
            )
        }
        (HookState::Foreign, _, _, Some(manager)) => format!(
            "{manager}'s, not installed: kata-ci hook install; or {}",
            manager.advice(status.hook)
        ),
        (HookState::Foreign, _, _, None) => {
            "another hook is there: kata-ci hook install keeps and calls it".to_owned()
        }
    }
}

fn pre_push(
    global: &GlobalArguments,
    repository: &Repository,
    arguments: &PrePushArguments,
) -> Result<ExitCode, Said> {
    let push = called(arguments)?;
    let asked = given(arguments.pipeline.as_ref());
    let guard = Guard::of(repository, &pipeline_of(global, asked.as_deref()))?;
    let tell = |error: &CommandError| {
        say::aside(error::render(error, global.color()));
    };
    let check = RunCheck {
        settings: arguments.settings.settings(global, Format::Errors),
        pipeline: asked,
        environment: Environment::current(),
        tell: &tell,
    };
    match hooks::pre_push(repository, &guard, &push, &check)? {
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

/// Returns the call as git makes it, or as pre-commit passes it on.
fn called(arguments: &PrePushArguments) -> Result<PrePush, Said> {
    let (Some(name), Some(url)) = (&arguments.name, &arguments.url) else {
        let push = PrePush::of_pre_commit(&Environment::current());
        return push.ok_or_else(|| {
            "git calls the hook pre-push with the name and the URL of the remote, and neither is given".into()
        });
    };
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input)?;
    // A file is read again by whatever the script around runs next; a pipe cannot be.
    let _ = rustix::fs::seek(std::io::stdin(), rustix::fs::SeekFrom::Start(0));
    Ok(PrePush {
        name: name.clone(),
        url: url.clone(),
        input,
        chain: arguments.chain,
    })
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
    let direct = match refs.iter().all(|one| one.remote.starts_with("refs/for/")) {
        true => "",
        false => " --direct",
    };
    say::aside(format_args!(
        "    → kata-ci push{direct} checks and pushes; git push --no-verify pushes all the same"
    ));
}
