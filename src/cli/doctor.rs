//! `kata-ci doctor`: what this host can do, and what to do about the rest.

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};

use super::answer_format::AnswerFormat;
use super::global::GlobalArguments;
use crate::env::Environment;
use crate::host::doctor::{DoctorRequest, Purpose, examine, table};
use crate::model::{CommandError, Selection};
use crate::run::{RunRequest, RunSettings};
use crate::say;

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Components that the host is to build, check and test [default: all of the workspace].
    #[arg(value_name = "COMPONENT")]
    components: Vec<String>,

    /// Work that the host is for; `run` means starting a kata container.
    #[arg(
        long = "for",
        value_name = "WORK",
        env = "KATACI_FOR",
        value_delimiter = ',',
        default_value = "check,test,push"
    )]
    purposes: Vec<PurposeWord>,

    /// kata-v1, kata-monorepo, makefile or a file [default: as with run].
    #[arg(short, long, value_name = "NAME|FILE", env = "KATACI_PIPELINE")]
    pipeline: Option<String>,

    /// Get the programs of `[tools]` in the pipeline first, into a directory of kata-ci's own that
    /// is on the PATH of jobs: Go modules, crates, PyPI, Debian.
    #[arg(long, env = "KATACI_INSTALL", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    install: bool,

    /// Format of the answer.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "KATACI_FORMAT",
        default_value = "human"
    )]
    format: AnswerFormat,
}

/// The words for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PurposeWord {
    /// Building the components.
    Build,
    /// Checking them.
    Check,
    /// Testing them.
    Test,
    /// Starting a kata container.
    Run,
    /// Pushing commits for review.
    Push,
    /// Reviewing the changes of others.
    Review,
}

impl From<PurposeWord> for Purpose {
    fn from(word: PurposeWord) -> Self {
        match word {
            PurposeWord::Build => Self::Build,
            PurposeWord::Check => Self::Check,
            PurposeWord::Test => Self::Test,
            PurposeWord::Run => Self::Run,
            PurposeWord::Push => Self::Push,
            PurposeWord::Review => Self::Review,
        }
    }
}

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &DoctorArguments,
) -> Result<i32, CommandError> {
    let settings = RunSettings::to_look(global.color());
    let mut purposes: Vec<Purpose> = (arguments.purposes.iter().copied())
        .map(Purpose::from)
        .collect();
    purposes.sort_unstable();
    purposes.dedup();
    let request = DoctorRequest {
        purposes,
        install: arguments.install,
        run: RunRequest {
            pipeline: arguments.pipeline.clone().filter(|name| !name.is_empty()),
            selection: Selection {
                components: arguments.components.clone(),
                steps: Vec::new(),
                ..Selection::default()
            },
            ..RunRequest::new(global.directory.clone(), Environment::current(), settings)
        },
    };
    let diagnosis = examine(&request)?;
    let text = match arguments.format {
        AnswerFormat::Human => table(&diagnosis),
        AnswerFormat::Json => {
            serde_json::to_string_pretty(&diagnosis).map_err(CommandError::machine)? + "\n"
        }
    };
    say::text(&text);
    Ok(diagnosis.exit_code().code())
}
