//! Reads kata's static checks: `INFO: Running 'static_check_X' function` begins one, the next
//! banner or the end ends it.
//!
//! Kata's go-test.sh ends a check too, because a job may check and then test. static-checks.sh ends
//! at the first function that fails, so only the last one can have failed.
//!
//! A function that reports that it found nothing to look at is skipped, with its words as the
//! reason. If git knows better, the report is a contradiction.

use super::finding::{CaseDetails, CaseSink, Spans};
use super::go::grammar;
use super::lines::Line;
use super::make::MOST_PROGRAMS;
use super::{CaseContext, CaseKey, Observations, clean};
use crate::model::{CaseStatus, Ending};
use crate::text::printable;

/// The package of the cases.
pub const PACKAGE: &str = "static-checks";

/// The words with which a function reports that it looked at nothing.
const NOTHING: [&str; 12] = [
    "No JSON files to check",
    "No documentation to check",
    "No scripts to check",
    "No XML files to check",
    "No files found",
    "No files changed",
    "Skipping check_files: see ",
    "No vendoring in this repository",
    "Cannot check ",
    "Can only check ",
    "Not running ",
    "No commits to check",
];

/// The reason for a function that printed nothing at all, such as `static_check_versions` without a
/// `versions.yaml`.
const SILENT: &str = "printed nothing: it cannot be told whether it looked at anything";

/// The output of one function.
#[derive(Debug)]
struct CheckSection {
    key: CaseKey,
    function: String,
    start: u64,
    nothing: Option<String>,
    /// True if it printed something.
    printed: bool,
    error: Option<String>,
    /// Programs that its output reports as missing, each with the message.
    missing: Vec<(String, String)>,
    /// The program that it began to install and has not used yet.
    installing: Option<String>,
}

/// Reads static checks.
#[derive(Debug, Default)]
pub(super) struct StaticChecks {
    section: Option<CheckSection>,
    last: String,
    contradictions: Vec<String>,
}

impl StaticChecks {
    /// Takes the last of the lines that were passed over.
    pub(super) fn skipped(&mut self, last: &[u8]) {
        if let Some(section) = &mut self.section {
            section.printed = true;
            self.last.clear();
            self.last
                .push_str(&printable(&last[..last.len().min(4096)]));
        }
    }

    /// Takes a line, which may be one of the checks' own if it `is_marked`. Returns true while a
    /// check is running.
    pub(super) fn line(
        &mut self,
        text: &str,
        is_marked: bool,
        at: Line<'_>,
        context: &CaseContext,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if !is_marked {
            if self.section.is_some() && !text.trim().is_empty() {
                self.skipped(text.as_bytes());
            }
            return self.section.is_some();
        }
        if let Some(function) = banner(text) {
            self.end_section(CaseStatus::Passed, at.start, context, out);
            self.section = Some(CheckSection {
                key: out.start(PACKAGE, function, at.start),
                function: function.to_owned(),
                start: at.start,
                nothing: None,
                printed: false,
                error: None,
                missing: Vec::new(),
                installing: None,
            });
            return true;
        }
        if grammar::announcement(text).is_some() {
            self.end_section(CaseStatus::Passed, at.start, context, out);
        }
        let Some(section) = &mut self.section else {
            return false;
        };
        section.line(text);
        let make = text.starts_with("make: ***");
        if !make && !text.trim().is_empty() {
            self.last.clear();
            self.last.push_str(&text[..text.floor_char_boundary(4096)]);
        }
        true
    }

    /// Adds a program that the running check could not find.
    pub(super) fn missing(&mut self, program: String, text: &str) {
        if let Some(section) = &mut self.section {
            let known = (section.missing.iter()).any(|(known, _)| *known == program);
            if !known && section.missing.len() < MOST_PROGRAMS {
                section.missing.push((program, text.to_owned()));
            }
        }
    }

    fn end_section(
        &mut self,
        status: CaseStatus,
        offset: u64,
        context: &CaseContext,
        out: &mut CaseSink<'_>,
    ) {
        let Some(section) = self.section.take() else {
            return;
        };
        let mut spans = Spans::default();
        spans.add(section.start, offset);
        let mut details = CaseDetails {
            spans,
            ..CaseDetails::default()
        };
        let status = match (status, section.nothing) {
            (CaseStatus::Passed, Some(nothing)) => {
                self.contradictions
                    .extend(contradiction(&section.function, &nothing, context));
                details.message = clean::message(&with_base(&nothing, context));
                CaseStatus::Skipped
            }
            (CaseStatus::Passed, None) if !section.printed => {
                details.message = Some(SILENT.to_owned());
                CaseStatus::Skipped
            }
            (CaseStatus::Passed, None) => CaseStatus::Passed,
            (status, _) => {
                let missing = section.missing.into_iter().next().map(|(_, text)| text);
                let explanation = match status {
                    CaseStatus::Unfinished => missing,
                    _ => section.error.or_else(|| Some(self.last.clone())),
                };
                details.message =
                    clean::message(&explanation.unwrap_or_else(|| "started, never ended".into()));
                status
            }
        };
        out.end(section.key, status, details);
        self.last.clear();
    }

    /// Ends, because the output is over.
    pub(super) fn finish(
        mut self,
        ending: Option<Ending>,
        offset: u64,
        context: &CaseContext,
        observations: &mut Observations,
        out: &mut CaseSink<'_>,
    ) {
        if let Some(section) = &mut self.section {
            section.give_up_installing();
        }
        let missing = self
            .section
            .as_ref()
            .map(|section| section.missing.clone())
            .unwrap_or_default();
        let status = match ending {
            Some(ending) if ending.is_success() => CaseStatus::Passed,
            Some(Ending::ExitCode(_)) if missing.is_empty() => CaseStatus::Failed,
            _ => CaseStatus::Unfinished,
        };
        if status == CaseStatus::Unfinished {
            observations
                .missing_programs
                .extend(missing.into_iter().map(|(program, _)| program));
        }
        self.end_section(status, offset, context, out);
        observations.contradictions = self.contradictions;
    }
}

impl CheckSection {
    fn line(&mut self, text: &str) {
        let text = text.trim();
        self.printed |= !text.is_empty();
        let said = text.strip_prefix("INFO: ").unwrap_or(text);
        if said.len() < text.len() {
            self.installs(said);
        }
        if let Some(error) = text.strip_prefix("ERROR: ") {
            self.error.get_or_insert_with(|| error.to_owned());
        } else if text.starts_with("Found 0 commits ")
            || (said.len() < text.len() && NOTHING.iter().any(|words| said.starts_with(words)))
        {
            self.nothing = Some(said.to_owned());
        } else if is_look(said) {
            self.nothing = None;
        }
    }

    /// Recognises `Installing xurls utility`; the next message shows that the program is there. A
    /// program installed only to install it (`Installing github.com/mvdan/xurls`) is not the one
    /// that the check needs.
    fn installs(&mut self, said: &str) {
        match said.strip_prefix("Installing ") {
            Some(program) if self.installing.is_none() => {
                self.installing = program.split_whitespace().next().map(str::to_owned);
            }
            Some(_) => {}
            None if said.starts_with("Forcing ") => {}
            None => self.installing = None,
        }
    }

    /// Reports the program as missing whose installation the check did not survive.
    fn give_up_installing(&mut self) {
        if let Some(program) = self.installing.take() {
            let said = format!("{program} is missing, and installing it failed");
            self.missing.retain(|(missing, _)| *missing != program);
            self.missing.insert(0, (program, said));
        }
    }
}

/// Recognises `INFO: Checking JSON file 'x'`: the check looked at something after all.
fn is_look(said: &str) -> bool {
    said.starts_with("Checking ") && said.contains(" file '")
}

fn banner(text: &str) -> Option<&str> {
    let function = text
        .trim()
        .strip_prefix("INFO: Running '")?
        .strip_suffix("' function")?;
    let named = function
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (named && function.starts_with("static_check_")).then_some(function)
}

fn with_base(nothing: &str, context: &CaseContext) -> String {
    match &context.changed_files {
        Some(files) if files.is_empty() => format!("{nothing} (nothing differs from the base)"),
        _ => nothing.to_owned(),
    }
}

/// Returns the facts of git that contradict a check's words.
fn contradiction(function: &str, nothing: &str, context: &CaseContext) -> Option<String> {
    let files = context.changed_files.as_ref()?;
    let shown = files
        .iter()
        .find(|file| is_its_kind(function, nothing, file))?;
    Some(format!(
        "{function} says \"{}\", although {shown} differs from the base",
        nothing.trim()
    ))
}

fn is_its_kind(function: &str, nothing: &str, file: &str) -> bool {
    if file.starts_with("vendor/") || file.contains("/vendor/") {
        return false;
    }
    let ends = |ends: &[&str]| ends.iter().any(|end| file.ends_with(end));
    match function {
        "static_check_json" => ends(&[".json"]),
        "static_check_xml" => ends(&[".xml"]),
        "static_check_docs" => ends(&[".md"]),
        "static_check_shell" => ends(&[".sh", ".bash"]),
        "static_check_files" => nothing.starts_with("No files changed"),
        "static_check_commits" => true,
        _ => false,
    }
}
