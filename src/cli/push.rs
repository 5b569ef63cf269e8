//! `kata-ci push`: arguments become a request; confirmations on the terminal.

use std::io::{self, IsTerminal};

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use super::answer_format::AnswerFormat;
use super::candidates;
use super::error;
use super::global::GlobalArguments;
use super::run::given;
use super::settings::SettingsArguments;
use crate::config::{CommitRules, Gerrit};
use crate::env::Environment;
use crate::gerrit::push_options::{InvalidOption, Key, PushOption, PushOptions};
use crate::gerrit::remote::Request;
use crate::git::Repository;
use crate::model::CommandError;
use crate::push;
use crate::push::multi::{MultiPushUi, MultiReport};
use crate::push::{PushReport, PushRequest, PushUi, Pushed, RunCheck};
use crate::run;
use crate::run::pipeline;
use crate::say;

/// Check commits and push them to Gerrit for review (refs/for/BRANCH)
#[derive(Debug, Args)]
pub struct PushArguments {
    /// Remote or URL [default: by .gitreview, git's gitreview.*, the pipeline, else as git push]
    remote: Option<String>,
    /// kata-v1, kata-monorepo, makefile or a file [default: as for `run`]
    #[arg(short, long, value_name = "NAME|FILE", env = "KATACI_PIPELINE", add = ArgValueCompleter::new(candidates::pipelines))]
    pipeline: Option<String>,
    /// Target branch
    #[arg(long, env = "KATACI_BRANCH")]
    branch: Option<String>,
    /// Topic of the changes
    #[arg(long, env = "KATACI_TOPIC")]
    topic: Option<String>,
    /// Reviewer: e-mail address, user name or group; can be given several times
    #[arg(long, env = "KATACI_REVIEWER", value_delimiter = None)]
    reviewer: Vec<String>,
    /// Person to inform; can be given several times
    #[arg(long, env = "KATACI_CC")]
    cc: Vec<String>,
    /// Hashtag; can be given several times
    #[arg(long, env = "KATACI_HASHTAG")]
    hashtag: Vec<String>,
    /// Vote, as Label+1; can be given several times
    #[arg(long, env = "KATACI_LABEL")]
    label: Vec<String>,
    /// Message of the new patch sets; needs no encoding
    #[arg(long, env = "KATACI_MESSAGE")]
    message: Option<String>,
    /// Mark the changes as work in progress
    #[arg(long, env = "KATACI_WIP", value_parser = FalseyValueParser::new())]
    wip: bool,
    /// Mark the changes as ready for review
    #[arg(long, env = "KATACI_READY", value_parser = FalseyValueParser::new())]
    ready: bool,
    /// Make the changes private
    #[arg(long, env = "KATACI_PRIVATE", value_parser = FalseyValueParser::new())]
    private: bool,
    /// Any other push option of Gerrit; can be given several times
    #[arg(
        short = 'o',
        long = "push-option",
        value_name = "KEY[=VALUE]",
        env = "KATACI_PUSH_OPTION"
    )]
    push_option: Vec<String>,
    /// Check every commit, not only the last one
    #[arg(long, env = "KATACI_EACH", value_parser = FalseyValueParser::new())]
    each: bool,
    /// Add missing Change-Ids by rewording; authors, dates and notes stay
    #[arg(long, env = "KATACI_FIX", value_parser = FalseyValueParser::new())]
    fix: bool,
    /// Push without a check
    #[arg(long, env = "KATACI_NO_CHECK", value_parser = FalseyValueParser::new())]
    no_check: bool,
    /// Push to the branch itself, without review, and set the upstream
    #[arg(long, env = "KATACI_DIRECT", value_parser = FalseyValueParser::new())]
    direct: bool,
    /// Rules for commit messages [default: those of the pipeline]
    #[arg(long, value_enum, env = "KATACI_COMMIT_RULES")]
    commit_rules: Option<Rules>,
    /// Show what would be pushed, and push nothing
    #[arg(long, env = "KATACI_DRY_RUN", value_parser = FalseyValueParser::new())]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(short = 'y', long, env = "KATACI_YES", value_parser = FalseyValueParser::new())]
    yes: bool,
    /// Format of the result
    #[arg(long, value_enum, default_value_t, env = "KATACI_FORMAT")]
    format: Format,
    #[command(flatten, next_help_heading = "Options of the check")]
    settings: SettingsArguments,
}

/// The format of the result. `KATACI_FORMAT` is shared with `run`: its other formats count as
/// `human` here, and choose the output of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    #[value(alias = "auto")]
    Human,
    /// For people, with a live display of the check.
    #[value(hide = true)]
    Progress,
    /// For people, with a line for each event of the check.
    #[value(hide = true)]
    Plain,
    /// One JSON object or array.
    Json,
}

impl Format {
    /// Returns the format of the result.
    fn answer(self) -> AnswerFormat {
        match self {
            Self::Human | Self::Progress | Self::Plain => AnswerFormat::Human,
            Self::Json => AnswerFormat::Json,
        }
    }

    /// Returns the format of the check. A result in JSON has standard output to itself.
    fn check(self) -> run::Format {
        match self {
            Self::Human => run::Format::Auto,
            Self::Progress => run::Format::Progress,
            Self::Plain => run::Format::Plain,
            Self::Json => run::Format::Errors,
        }
    }
}

/// The rules for commit messages besides Gerrit's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rules {
    /// None.
    None,
    /// kata's: `Fixes: #N`, a subsystem before the subject, a sign-off.
    Kata,
}

/// Calls the command in the repository of the directory, and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &PushArguments,
) -> Result<i32, CommandError> {
    let called_with = Environment::current();
    let mut environment = called_with.clone();
    let asked = given(arguments.pipeline.as_ref());
    let pipeline = pipeline::anywhere(asked.as_deref(), &global.directory, &environment)?;
    pipeline.network.set_variables(&mut environment);
    pipeline.network.tell_git(&mut environment);
    let repository = Repository::at(&global.directory, &environment);
    let tell = |error: &CommandError| {
        say::aside(error::render(error, global.color()));
    };
    let check = RunCheck {
        settings: (arguments.settings).settings(global, arguments.format.check()),
        pipeline: asked,
        environment: called_with,
        tell: &tell,
    };
    let request = request(arguments, &pipeline.gerrit).map_err(CommandError::usage)?;
    let format = arguments.format.answer();
    let ui = &mut Terminal(format);
    match push::push_from(&repository, &pipeline, &environment, request, &check, ui)? {
        Pushed::One(report) => show(&*report, format, push::outcome).map(|()| report.exit),
        Pushed::Several(report) => {
            show(&report, format, push::multi::outcome).map(|()| report.exit)
        }
    }
}

fn request(arguments: &PushArguments, table: &Gerrit) -> Result<PushRequest, InvalidOption> {
    let rules = match arguments.commit_rules {
        None => table.commit_rules.unwrap_or_default(),
        Some(Rules::None) => CommitRules::None,
        Some(Rules::Kata) => CommitRules::Kata,
    };
    Ok(PushRequest {
        destination: Request {
            remote: arguments.remote.clone(),
            branch: arguments.branch.clone(),
            direct: arguments.direct,
            table: table.clone(),
            project: None,
        },
        options: options(arguments)?,
        each: arguments.each,
        fix: arguments.fix,
        no_check: arguments.no_check,
        kata_rules: rules == CommitRules::Kata,
        dry_run: arguments.dry_run,
        yes: arguments.yes,
        patch_sets: arguments.format == Format::Json,
    })
}

fn options(arguments: &PushArguments) -> Result<PushOptions, InvalidOption> {
    let texts: [(Key, &[String]); 6] = [
        (Key::Topic, arguments.topic.as_slice()),
        (Key::Reviewer, &arguments.reviewer),
        (Key::Cc, &arguments.cc),
        (Key::Hashtag, &arguments.hashtag),
        (Key::Label, &arguments.label),
        (Key::Message, arguments.message.as_slice()),
    ];
    let flags = [
        (Key::Wip, arguments.wip),
        (Key::Ready, arguments.ready),
        (Key::Private, arguments.private),
    ];
    let mut options = Vec::new();
    for (key, values) in texts {
        for value in values {
            options.push(PushOption::new(key, Some(value))?);
        }
    }
    for (key, _) in flags.into_iter().filter(|(_, given)| *given) {
        options.push(PushOption::new(key, None)?);
    }
    for text in &arguments.push_option {
        options.push(PushOption::parse(text)?);
    }
    PushOptions::new(options)
}

fn show<R: Serialize>(
    report: &R,
    format: AnswerFormat,
    outcome: fn(&R) -> String,
) -> Result<(), CommandError> {
    let text = match format {
        AnswerFormat::Human => outcome(report),
        AnswerFormat::Json => {
            serde_json::to_string_pretty(report).map_err(CommandError::machine)? + "\n"
        }
    };
    say::text(&text);
    Ok(())
}

fn columns() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0))
}

impl MultiPushUi for Terminal {
    fn plans(&mut self, report: &MultiReport) {
        if self.0 == AnswerFormat::Human {
            say::text(&push::multi::plan(report, columns()));
        }
    }
}

/// Asks for confirmation if both standard input and standard error are terminals.
struct Terminal(AnswerFormat);

impl PushUi for Terminal {
    fn plan(&mut self, report: &PushReport) {
        if self.0 == AnswerFormat::Human {
            say::text(&push::plan(report, columns()));
        }
    }

    fn confirm(&mut self, question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        say::ask(&format!("{question} [y/N] "));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}
