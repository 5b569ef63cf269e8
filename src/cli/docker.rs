//! `kata-ci docker`: kata as a runtime of docker.

use std::io;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, Subcommand, ValueEnum};

use super::answer_format::AnswerFormat;
use crate::env::Environment;
use crate::host::docker::{
    By, ChangeError, ChangedSince, DockerFacts, DockerRequest, DockerStatus, Effect, FileChange,
    KataEntry, Plan, PlanError, Problem, Records, UnitError, diff, plan, show,
};
use crate::host::root::HostRoot;
use crate::model::{CommandError, ExitCode};
use crate::say;
use crate::text::for_terminal;

/// The most bytes of a line.
const LINE_CAP: usize = 4096;

/// Show docker's runtimes, make kata one of them, and take that back
#[derive(Debug, Args)]
pub(super) struct DockerArguments {
    #[command(subcommand)]
    command: DockerCommand,
}

#[derive(Debug, Subcommand)]
enum DockerCommand {
    /// Show docker's runtimes, where they are said, the kata that is there, and what is wrong
    Show {
        #[command(flatten)]
        host: HostArguments,
        /// Format of the output
        #[arg(long, value_enum, default_value_t, env = "KATACI_FORMAT")]
        format: AnswerFormat,
    },
    /// Show the change that `apply` would make
    Plan(RequestArguments),
    /// Change daemon.json or a drop-in; docker is not reloaded, the command for that is named
    Apply(RequestArguments),
    /// Take the last change back, unless somebody else has changed the file since
    Revert {
        #[command(flatten)]
        root: RootArguments,
    },
}

/// The host that is looked at.
#[derive(Debug, Args)]
pub(super) struct RootArguments {
    /// Root directory of the host: for a disk that is mounted, or to try things out
    #[arg(long, value_name = "DIR", env = "KATACI_ROOT", default_value = "/")]
    root: PathBuf,
}

impl RootArguments {
    /// Returns the host.
    pub(super) fn root(&self) -> Result<HostRoot, CommandError> {
        HostRoot::of(&self.root).map_err(|error| {
            CommandError::path(&self.root, &error, "--root names the directory of a host")
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct HostArguments {
    #[command(flatten)]
    pub(super) root: RootArguments,
    /// Version of docker, if it cannot be asked
    #[arg(long, value_name = "VERSION", env = "KATACI_DOCKER_VERSION")]
    pub(super) docker_version: Option<String>,
    /// The daemon.json [default: --config-file of dockerd, else /etc/docker/daemon.json]
    #[arg(long, value_name = "FILE", env = "KATACI_DAEMON_JSON")]
    pub(super) daemon_json: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RequestArguments {
    #[command(flatten)]
    host: HostArguments,
    /// Name of the runtime [default: kata-runtime for kata 1, kata for kata 2 and later]
    #[arg(long, value_name = "NAME", env = "KATACI_NAME")]
    name: Option<String>,
    /// Runtime or shim on the host [default: the kata that is found]
    #[arg(long, value_name = "FILE", env = "KATACI_PATH")]
    path: Option<PathBuf>,
    /// Make it the default runtime as well
    #[arg(long, env = "KATACI_DEFAULT", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    default: bool,
    /// File that says it
    #[arg(long, value_enum, default_value_t, env = "KATACI_BY")]
    by: ByArgument,
    /// Change an entry of this name that says something else
    #[arg(long, env = "KATACI_REPLACE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    replace: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum ByArgument {
    /// daemon.json: a reload of docker is enough
    #[default]
    DaemonJson,
    /// A drop-in for docker.service: docker has to be restarted
    DropIn,
}

impl RequestArguments {
    fn request(&self) -> DockerRequest {
        DockerRequest {
            name: self.name.clone(),
            path: self.path.clone(),
            default: self.default,
            by: match self.by {
                ByArgument::DaemonJson => By::DaemonJson,
                ByArgument::DropIn => By::DropIn,
            },
            replace: self.replace,
            docker_version: self.host.docker_version.clone(),
            daemon_json: self.host.daemon_json.clone(),
        }
    }
}

/// Calls the command and returns the exit code.
pub(super) fn call(arguments: &DockerArguments) -> Result<ExitCode, CommandError> {
    let environment = Environment::current();
    match &arguments.command {
        DockerCommand::Show { host, format } => {
            let root = host.root.root()?;
            let version = host.docker_version.as_deref();
            let facts = DockerFacts::of(&root, &environment, version, host.daemon_json.as_deref())
                .map_err(|error| unreadable(&error))?;
            answer(&show(&root, &environment, &facts), *format);
        }
        DockerCommand::Plan(arguments) => {
            let root = arguments.host.root.root()?;
            let plan = plan(&root, &environment, &arguments.request()).map_err(refused)?;
            tell_changes(&plan);
            tell_then(&plan);
        }
        DockerCommand::Apply(arguments) => {
            let root = arguments.host.root.root()?;
            let plan = plan(&root, &environment, &arguments.request()).map_err(refused)?;
            tell_changes(&plan);
            apply(&root, &plan, "kata-ci docker apply")?;
            tell_then(&plan);
        }
        DockerCommand::Revert { root } => revert(&root.root()?)?,
    }
    Ok(ExitCode::Success)
}

/// Makes the changes of a plan.
pub(super) fn apply(root: &HostRoot, plan: &Plan, command: &str) -> Result<(), CommandError> {
    if plan.changes.is_empty() {
        return Ok(());
    }
    let records = Records::open(root).map_err(unchanged)?;
    for change in &plan.changes {
        records.apply(change, command).map_err(unchanged)?;
        line(format_args!(
            "written: {}; `kata-ci docker revert` takes it back",
            change.path.display()
        ));
    }
    Ok(())
}

/// Shows the differences that a plan makes.
pub(super) fn tell_changes(plan: &Plan) {
    if plan.changes.is_empty() {
        line("nothing has to be changed");
    }
    for FileChange {
        path,
        before,
        after,
        ..
    } in &plan.changes
    {
        let name = path.display().to_string();
        let old = before.as_ref().map_or("/dev/null", |_| &name);
        say::text(&diff(before.as_deref(), Some(after), (old, &name)));
    }
}

/// Names the commands that have docker take the change.
pub(super) fn tell_then(plan: &Plan) {
    for note in &plan.notes {
        line(format_args!("note: {note}"));
    }
    for command in &plan.then {
        line(format_args!("then: {command}"));
    }
    if !plan.changes.is_empty() {
        line(format_args!(
            "then: docker run --rm --runtime {} busybox uname -r",
            plan.name
        ));
    }
}

fn revert(root: &HostRoot) -> Result<(), CommandError> {
    let records = Records::open(root).map_err(unchanged)?;
    let reverted = records.revert().map_err(unchanged)?;
    let path = reverted.record.path.display();
    match reverted.is_written {
        true => line(format_args!(
            "{path} is as it was before `{}` ({})",
            reverted.record.command, reverted.record.at
        )),
        false => line(format_args!(
            "{path} was as before already; nothing was written"
        )),
    }
    let is_drop_in = reverted
        .record
        .path
        .extension()
        .is_some_and(|end| end == "conf");
    if is_drop_in {
        line("then: systemctl daemon-reload");
        line("then: systemctl restart docker");
    } else {
        line("then: systemctl reload docker");
    }
    Ok(())
}

fn line(text: impl std::fmt::Display) {
    say::answer(for_terminal(&text.to_string(), LINE_CAP));
}

fn unreadable(error: &UnitError) -> CommandError {
    CommandError::usage(error.to_string()).hint("correct it, or see that it can be read (sudo)")
}

/// Words a plan that there is not.
pub(super) fn refused(error: PlanError) -> CommandError {
    let kind = match error {
        PlanError::Pair(_) | PlanError::NoKata(_) | PlanError::Runtime(_) => ExitCode::Unavailable,
        _ => ExitCode::Usage,
    };
    let hint = error.hint();
    let refused = CommandError::new(kind, for_terminal(&error.to_string(), LINE_CAP));
    match hint {
        Some(hint) => refused.hint(hint),
        None => refused,
    }
}

/// Words a change that was not made.
pub(super) fn unchanged(error: ChangeError) -> CommandError {
    let text = for_terminal(&error.to_string(), LINE_CAP);
    match error {
        ChangeError::Nothing => CommandError::nothing_to_do(text),
        ChangeError::Io { error, .. } if error.kind() == io::ErrorKind::PermissionDenied => {
            CommandError::usage(text).hint("sudo kata-ci …")
        }
        ChangeError::Io { .. } | ChangeError::Moved(_) => {
            CommandError::machine(text).hint("try again")
        }
        ChangeError::ChangedSince(changed) => {
            tell_both(&changed);
            CommandError::new(ExitCode::Failed, text).hint(
                "the first difference is theirs, the second is what a revert would do; take kata-ci's lines out by hand, or the others', and try again",
            )
        }
    }
}

/// Shows somebody's change after kata-ci's, and what taking kata-ci's back would change.
fn tell_both(changed: &ChangedSince) {
    let name = changed.record.path.display();
    let (ours, now) = (format!("{name} as kata-ci wrote it"), format!("{name} now"));
    let old = format!("{name} before kata-ci");
    let (before, there) = (changed.before.as_deref(), changed.now.as_deref());
    say::text(&diff(Some(&changed.after), there, (&ours, &now)));
    say::text(&diff(there, before, (&now, &old)));
}

fn answer(status: &DockerStatus, format: AnswerFormat) {
    match format {
        AnswerFormat::Json => {
            say::answer(serde_json::to_string_pretty(status).unwrap_or_default());
        }
        AnswerFormat::Human => tell(status),
    }
}

fn tell(status: &DockerStatus) {
    line(format_args!(
        "docker     {}",
        status
            .docker
            .as_deref()
            .unwrap_or("not found (--docker-version says which it is)")
    ));
    if let Some(command) = &status.exec_start {
        line(format_args!(
            "started    {}  ({})",
            command.value, command.place
        ));
    }
    let there = if status.has_daemon_json {
        ""
    } else {
        "  (not there)"
    };
    line(format_args!("file       {}{there}", status.daemon_json));
    for runtime in &status.runtimes {
        line(format_args!(
            "runtime    {}  {}  ({})",
            runtime.name, runtime.entry, runtime.place
        ));
    }
    match &status.default_runtime {
        Some(name) => line(format_args!("default    {}  ({})", name.value, name.place)),
        None => line("default    runc"),
    }
    if let Some(kata) = &status.kata {
        let version = kata.version.as_deref().unwrap_or("of unknown version");
        line(format_args!(
            "kata       {version}  {}",
            kata.path.display()
        ));
    } else {
        line("kata       not found");
    }
    match &status.kata_entry {
        Some(KataEntry::Entry(entry)) => {
            line(format_args!("entry      {entry}    → kata-ci docker plan"))
        }
        Some(KataEntry::Name(name)) => {
            line(format_args!("entry      none: docker run --runtime {name}"))
        }
        Some(KataEntry::None(reason)) => line(format_args!("entry      none: {reason}")),
        None => {}
    }
    for change in &status.changes {
        line(format_args!(
            "changed    {} by `{}` at {}",
            change.path.display(),
            change.command,
            change.at
        ));
    }
    status.problems.iter().for_each(tell_problem);
}

fn tell_problem(problem: &Problem) {
    let effect = match problem.effect {
        Effect::DoesNotStart => "docker does not start",
        Effect::RunsFail => "containers do not run under it",
        Effect::Surprises => "not as it looks",
    };
    line(format_args!("! {effect}: {}", problem.message));
    line(format_args!("  → {}", problem.fix));
}
