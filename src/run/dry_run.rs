//! `kata-ci run --dry-run`: prints the plan for people. Runs and writes nothing.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::planned::Planned;
use crate::model::{CommandError, ExitCode, Readiness};
use crate::plan::Job;
use crate::report::plural;

/// Prints the jobs in the order of the plan.
pub(super) fn print(planned: &Planned) -> Result<ExitCode, CommandError> {
    match io::stdout().write_all(render(planned).as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::output(error)),
        _ => Ok(ExitCode::Success),
    }
}

fn render(planned: &Planned) -> String {
    let (plan, since) = (&planned.plan, &planned.since);
    let jobs = plural(plan.jobs.len(), "job");
    let mut text = format!("{}: would run {jobs}\n", planned.pipeline.name);
    for decision in since.iter().flat_map(|since| &since.components) {
        let whether = if decision.is_affected {
            "affected"
        } else {
            "left out"
        };
        let _ = writeln!(
            text,
            "  {} {whether}: {}",
            decision.component, decision.reason
        );
    }
    for job in &plan.jobs {
        let _ = writeln!(
            text,
            "  {}  {}  in {}",
            job.id,
            job.command,
            job.directory.display()
        );
        for line in details(job) {
            let _ = writeln!(text, "      {line}");
        }
    }
    text
}

fn details(job: &Job) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(only) = &job.only {
        lines.push(format!("only {only}"));
    }
    if !job.needs.is_empty() {
        lines.push(format!("needs {}", ids(&job.needs)));
    }
    if !job.after.is_empty() {
        lines.push(format!("after {}", ids(&job.after)));
    }
    if !job.locks.is_empty() {
        lines.push(format!("holds {}", job.locks.join(", ")));
    }
    if let Some(seconds) = job.estimate {
        lines.push(format!("took about {seconds:.1} s before"));
    }
    match &job.readiness {
        Readiness::Ready => {}
        Readiness::Unmet { what, fix } => lines.push(format!("would be skipped: {what}; {fix}")),
        Readiness::Broken { what, fix } => lines.push(format!("would be an error: {what}; {fix}")),
    }
    lines
}

fn ids(ids: &[crate::model::JobId]) -> String {
    ids.iter()
        .map(|id| id.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}
