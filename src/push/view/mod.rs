//! Shows a push to people. No word depends on colour.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::report::{CommitRow, Outcome, PushReport};
use crate::gerrit::push_output::clean;
use crate::push::preflight::{PreflightFinding, Severity};

pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const RED: Style = AnsiColor::Red.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();

/// Shows the whole report for a terminal of this width, with ANSI styles, which anstream strips if
/// needed.
pub fn render(report: &PushReport, columns: usize) -> String {
    plan(report, columns) + &outcome(report)
}

/// Shows the commits to push and the findings of the preflight.
pub fn plan(report: &PushReport, columns: usize) -> String {
    let mut text = headline(report);
    for row in &report.commits {
        text.push_str(&commit(row, columns));
    }
    for (old, new) in &report.rewritten {
        let (old, new) = (short(old), short(new));
        let _ = writeln!(text, "  {DIM}{old} is now {new}: Change-Id added{DIM:#}");
    }
    for found in &report.findings {
        text.push_str(&finding(found));
    }
    text
}

/// Shows the outcome.
pub fn outcome(report: &PushReport) -> String {
    let mut text = check(report) + &ending(report);
    for note in &report.notes {
        let _ = writeln!(text, "  {DIM}{}{DIM:#}", clean(note));
    }
    text
}

fn short(oid: &str) -> &str {
    oid.get(..7).unwrap_or(oid)
}

fn headline(report: &PushReport) -> String {
    let count = report.commits.len();
    let what = match (report.reference.starts_with("refs/for/"), count) {
        (true, 1) => "1 change".to_owned(),
        (true, count) => format!("{count} changes"),
        (false, 1) => "1 commit".to_owned(),
        (false, count) => format!("{count} commits"),
    };
    let to = report.remote.as_deref().unwrap_or(&report.url);
    let name = report.project.rsplit('/').next().unwrap_or_default();
    let mut line = format!(
        "{BOLD}{}{BOLD:#} → {} {}    {what}\n",
        clean(name),
        clean(to),
        report.reference
    );
    if !report.options.is_empty() {
        let _ = writeln!(
            line,
            "  {DIM}with {}{DIM:#}",
            clean(&report.options.join(", "))
        );
    }
    line
}

fn commit(row: &CommitRow, columns: usize) -> String {
    let id = row.change_id.as_deref().and_then(|id| id.get(..5));
    let id = id
        .map(|id| format!("{id}…"))
        .unwrap_or_else(|| "no id ".to_owned());
    let state = row.state.words();
    let room = columns
        .saturating_sub(2 + 7 + 2 + 2 + 6 + 2 + 14)
        .clamp(20, 60);
    let subject = console::truncate_str(&clean(&row.subject), room, "…").into_owned();
    let pad = room.saturating_sub(console::measure_text_width(&subject));
    let space = " ".repeat(pad);
    format!(
        "  {}  {subject}{space}  {DIM}{id}{DIM:#}  {state}",
        short(&row.commit)
    )
    .trim_end()
    .to_owned()
        + "\n"
}

fn finding(finding: &PreflightFinding) -> String {
    let (style, mark) = match finding.severity {
        Severity::Error => (RED, "✗"),
        Severity::Warning => (YELLOW, "!"),
    };
    let location = match (&finding.commit, finding.line) {
        (Some(commit), Some(line)) => format!("{}, line {line} of its message, ", short(commit)),
        (Some(commit), None) => format!("{} ", short(commit)),
        (None, _) => String::new(),
    };
    format!(
        "{style}{mark}{style:#} {location}{}\n    → {}\n",
        clean(&finding.text),
        clean(&finding.fix)
    )
}

fn check(report: &PushReport) -> String {
    let sent = matches!(
        report.outcome,
        Outcome::Pushed | Outcome::NothingNew | Outcome::Rejected
    );
    match &report.checked {
        Some(said) => format!("checked in a clean checkout: {}\n", clean(said)),
        None if sent && !report.commits.is_empty() => {
            format!("{YELLOW}!{YELLOW:#} not checked (--no-check)\n")
        }
        None => String::new(),
    }
}

fn ending(report: &PushReport) -> String {
    match report.outcome {
        Outcome::Pushed => pushed(report),
        Outcome::NothingNew => format!("{GREEN}✓{GREEN:#} nothing new: the server has all of it\n"),
        Outcome::Rejected => rejected(report),
        Outcome::Refused => {
            format!("{RED}✗{RED:#} nothing was pushed: the server would refuse it\n")
        }
        Outcome::NotChecked => {
            let why = match report.exit {
                69 | 75 => "the commits could not be checked",
                code if code > 128 => "the check was ended",
                _ => "the check did not pass",
            };
            format!("{RED}✗{RED:#} nothing was pushed: {why}\n")
        }
        Outcome::Declined => format!("{RED}✗{RED:#} nothing was pushed\n"),
        Outcome::DryRun => "nothing was pushed (--dry-run)\n".to_owned(),
        Outcome::Held => format!("{YELLOW}-{YELLOW:#} not pushed\n"),
    }
}

fn pushed(report: &PushReport) -> String {
    if report.changes.is_empty() {
        return format!("{GREEN}✓{GREEN:#} pushed to {}\n", report.reference);
    }
    let mut text = String::new();
    for (index, one) in report.changes.iter().enumerate() {
        let head = match index {
            0 => format!("{GREEN}✓{GREEN:#} pushed   "),
            _ => " ".repeat(11),
        };
        let marks = [
            (one.change.wip, " [WIP]"),
            (one.change.private, " [private]"),
        ];
        let marks: String = marks
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, mark)| *mark)
            .collect();
        let _ = writeln!(text, "{head}{}{marks}", clean(&one.change.url));
    }
    for line in report
        .said
        .iter()
        .filter(|line| line.starts_with("warning:"))
    {
        let _ = writeln!(text, "  {DIM}the server: {}{DIM:#}", clean(line));
    }
    text
}

/// git's last line after any push that failed.
const GITS_LAST_WORDS: &str = "error: failed to push some refs";

/// The server may say a line, or a page: all of it is shown, whatever the table knows.
fn rejected(report: &PushReport) -> String {
    let Some(rejection) = &report.rejection else {
        return String::new();
    };
    let who = match rejection.by_server {
        true if report.reference.starts_with("refs/for/") => "Gerrit rejected the push",
        true => "the server rejected the push",
        false => "the push failed",
    };
    let reason = clean(&rejection.reason.replace('\n', " "));
    let mut text = format!("{RED}✗{RED:#} {who}: {reason}\n");
    let _ = writeln!(text, "    {}", clean(&rejection.cause));
    let _ = writeln!(text, "    → {}", clean(&rejection.fix));
    let repeats =
        |line: &str| line.is_empty() || line == reason || line.starts_with(GITS_LAST_WORDS);
    for line in report.said.iter().map(|line| clean(line)) {
        if !repeats(&line) {
            let _ = writeln!(text, "  {DIM}{line}{DIM:#}");
        }
    }
    text
}

#[cfg(test)]
mod tests;
