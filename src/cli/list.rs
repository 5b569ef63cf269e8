//! `kata-ci list`: components, steps and requirements, and the cases of the last run.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args};
use clap_complete::engine::ArgValueCompleter;

use super::answer_format::AnswerFormat;
use super::candidates;
use super::global::GlobalArguments;
use crate::env::Environment;
use crate::model::{CommandError, ExitCode, Selection};
use crate::run::{Listing, ReportPaths, RunRequest, RunSettings, list};
use crate::text::for_terminal;

/// The most bytes of a line.
const LINE_CAP: usize = 4096;

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Components to list [default: all of the workspace].
    #[arg(value_name = "COMPONENT", add = ArgValueCompleter::new(candidates::components))]
    components: Vec<String>,

    /// kata-v1, kata-monorepo, makefile or a file [default: as with run].
    #[arg(short, long, value_name = "NAME|FILE", env = "KATACI_PIPELINE", add = ArgValueCompleter::new(candidates::pipelines))]
    pipeline: Option<String>,

    /// List the cases of the last run too, with their states.
    #[arg(long, env = "KATACI_CASES", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    cases: bool,

    /// Directory of the reports of the last run [default: the store of runs].
    #[arg(long, value_name = "DIR", env = "KATACI_REPORT_DIR")]
    report_dir: Option<PathBuf>,

    /// Format of the list.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "KATACI_FORMAT",
        default_value = "human"
    )]
    format: AnswerFormat,
}

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &ListArguments,
) -> Result<ExitCode, CommandError> {
    let settings = RunSettings::to_look(global.color());
    let request = RunRequest {
        pipeline: arguments.pipeline.clone().filter(|name| !name.is_empty()),
        selection: Selection {
            components: arguments.components.clone(),
            steps: Vec::new(),
            ..Selection::default()
        },
        reports: ReportPaths {
            directory: arguments.report_dir.clone(),
            junit: None,
        },
        ..RunRequest::new(global.directory.clone(), Environment::current(), settings)
    };
    let listing = list(&request, arguments.cases)?;
    let text = match arguments.format {
        AnswerFormat::Human => human(&listing),
        AnswerFormat::Json => {
            let json = serde_json::to_string_pretty(&listing).map_err(CommandError::machine)?;
            format!("{json}\n")
        }
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::output(error)),
        _ => Ok(ExitCode::Success),
    }
}

fn human(listing: &Listing) -> String {
    let mut lines = vec![format!("{} in {}", listing.pipeline, listing.workspace)];
    lines.push("steps:".to_owned());
    for step in &listing.steps {
        let mut line = format!("  {}  {}", step.name, step.command);
        if !step.needs.is_empty() {
            let _ = write!(line, "  needs {}", step.needs.join(", "));
        }
        lines.push(line);
    }
    lines.push("components:".to_owned());
    for component in &listing.components {
        let steps = component
            .steps
            .iter()
            .map(|step| match component.last.get(step) {
                Some(outcome) => format!("{step} ({})", outcome.word()),
                None => step.clone(),
            });
        let steps = steps.collect::<Vec<_>>().join(", ");
        let mut line = format!("  {}  {steps}", component.name);
        if !component.requires.is_empty() {
            let _ = write!(line, "  requires {}", component.requires.join(", "));
        }
        lines.push(line);
        if let (Some(problem), Some(fix)) = (&component.problem, &component.fix) {
            lines.push(format!("      not met: {problem}; {fix}"));
        }
    }
    lines.extend(cases(listing));
    let lines = lines.iter().map(|line| format!("{}\n", indented(line)));
    lines.collect()
}

fn cases(listing: &Listing) -> Vec<String> {
    let Some(cases) = &listing.cases else {
        return Vec::new();
    };
    let mut lines = vec![match &listing.run {
        Some(run) if cases.is_empty() => format!("cases of run {run}: none"),
        Some(run) => format!("cases of run {run}:"),
        None => "cases: there is no earlier run of this workspace".to_owned(),
    }];
    lines.extend(cases.iter().map(|case| {
        let name = match case.package.as_str() {
            "" => case.name.clone(),
            package => format!("{package}::{}", case.name),
        };
        format!("  {}  {name}  {}", case.job, case.status.word())
    }));
    lines
}

/// Cleans a line and keeps the blanks at its beginning.
fn indented(line: &str) -> String {
    let text = line.trim_start_matches(' ');
    let blanks = line.len() - text.len();
    format!("{}{}", " ".repeat(blanks), for_terminal(text, LINE_CAP))
}
