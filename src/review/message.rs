//! The message of a review: verdict, table of jobs, cases by class, and how to see more.
//!
//! The module is pure. Foreign text is inert ([`super::inert`]). The message keeps within Gerrit's
//! limit: it is cut between lines, and says how much is left out.

use super::inert;
use super::result::JobRow;
use super::{Patchset, Verdict};
use crate::report::compare::{CaseClass, Classes, ComparedCase};

/// The most bytes of a message. The server takes 16 KiB; the rest is for remarks.
const LIMIT: usize = 14 << 10;

/// The most bytes of the part behind the cases.
const TAIL: usize = 3 << 10;

/// The most cases of a class that are listed.
const LISTED: usize = 15;

/// The most bytes of a name, and of the reason of a case.
const NAME: usize = 200;
const REASON: usize = 300;

/// Everything that a message tells.
pub(super) struct MessageParts<'a> {
    pub verdict: Verdict,
    /// The verdict in words.
    pub reason: &'a str,
    pub patch_set: &'a Patchset,
    pub jobs: &'a [JobRow],
    pub classes: &'a Classes,
    /// The commit that was compared with.
    pub base: Option<&'a str>,
    pub tested_less: &'a [String],
    /// The number of inline comments that were left out.
    pub comments_left_out: usize,
    pub report_url: Option<&'a str>,
    pub seconds: f64,
}

/// Writes the message.
pub(super) fn message(parts: &MessageParts<'_>) -> String {
    let tail = tail(parts);
    let mut page = Page {
        text: String::new(),
        room: LIMIT.saturating_sub(tail.len()),
    };
    let vote = match parts.verdict.vote() {
        Some(vote) => format!("{vote:+} "),
        None => String::new(),
    };
    let reason = inert::plain(parts.reason, 800);
    page.add(&format!(
        "kata-ci: {vote}{}: {reason}",
        parts.verdict.word()
    ));
    page.jobs(parts.jobs);
    for class in CaseClass::ALL {
        // Without a base every failure is new, and nothing else is known.
        page.class(class, parts);
    }
    page.slower(parts.classes);
    page.text + &tail
}

fn tail(parts: &MessageParts<'_>) -> String {
    let mut lines = Vec::new();
    if !parts.tested_less.is_empty() {
        lines.push("\nTested less than usual:".to_owned());
        let all = parts.tested_less.iter();
        lines.extend(
            all.take(6)
                .map(|text| format!("* {}", inert::plain(text, 250))),
        );
    }
    if parts.comments_left_out > 0 {
        lines.push(format!(
            "\n{} more inline comments are left out; the report has all.",
            parts.comments_left_out
        ));
    }
    let base = match parts.base {
        Some(base) => format!(", compared with {}", short(base)),
        None if parts.jobs.is_empty() => String::new(),
        None => ", not compared with the base".to_owned(),
    };
    let one = parts.patch_set;
    lines.push(format!(
        "\nPatch set {} ({}){base}, in {}. Again, in a clone: kata-ci review {},{}",
        one.patch_set,
        short(&one.sha),
        duration(parts.seconds),
        one.number,
        one.patch_set
    ));
    lines.extend(parts.report_url.map(|url| format!("Report: {url}")));
    let mut tail = lines.join("\n");
    tail.truncate(tail.floor_char_boundary(TAIL));
    tail
}

fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}

fn duration(seconds: f64) -> String {
    let whole = std::time::Duration::from_secs(seconds.max(0.0).round() as u64);
    match whole.is_zero() {
        true => format!("{seconds:.1}s"),
        false => humantime::format_duration(whole).to_string(),
    }
}

struct Page {
    text: String,
    room: usize,
}

impl Page {
    /// Adds a line if there is room for it.
    fn add(&mut self, line: &str) -> bool {
        let fits = self.text.len() + line.len() < self.room;
        if fits {
            self.text.push_str(line);
            self.text.push('\n');
        }
        fits
    }

    /// Adds a list, as far as there is room, and the number of the rest.
    fn list(&mut self, heading: &str, lines: &[String], most: usize) {
        // The line about the rest needs its own room.
        self.room = self.room.saturating_sub(40);
        if lines.is_empty() || !self.add(&format!("\n{heading}")) {
            self.room += 40;
            return;
        }
        let added = lines
            .iter()
            .take(most)
            .take_while(|line| self.add(line))
            .count();
        self.room += 40;
        if added < lines.len() {
            self.add(&format!("* and {} more", lines.len() - added));
        }
    }

    /// Adds the table, which a block of code keeps in columns.
    fn jobs(&mut self, jobs: &[JobRow]) {
        let width = jobs
            .iter()
            .map(|job| job.job.as_str().chars().count())
            .max();
        let width = width.unwrap_or(0).min(60);
        let rows: Vec<_> = jobs.iter().map(|job| row(job, width)).collect();
        self.list("Jobs:\n", &rows, 60);
    }

    fn class(&mut self, class: CaseClass, parts: &MessageParts<'_>) {
        let cases = parts.classes.of(class);
        let heading = match (class, parts.base) {
            (CaseClass::New, None) => "failing (not compared with the base)",
            (CaseClass::Added, None) => return,
            (CaseClass::Known, _) => "failing at the base too (known)",
            (CaseClass::Vanished, _) => "gone: tested at the base, not there any more",
            (CaseClass::Silenced, _) => "skipped: tested at the base",
            _ => class.heading(),
        };
        let is_brief = matches!(class, CaseClass::Added | CaseClass::Fixed);
        let most = if is_brief { 5 } else { LISTED };
        let lines: Vec<_> = cases.iter().take(LISTED).flat_map(lines_of).collect();
        let mut lines = lines;
        // `list` counts what is beyond by the lines that it is given.
        lines.extend((LISTED..cases.len()).map(|_| String::new()));
        let heading = format!("{} ({}):", capitalised(heading), cases.len());
        self.list(&heading, &lines, most.max(1));
    }

    fn slower(&mut self, classes: &Classes) {
        let line = |slower: &crate::report::compare::Slower| {
            format!(
                "* {} {} → {}",
                inert::code(&slower.case.label(), NAME),
                duration(slower.before),
                duration(slower.now)
            )
        };
        let lines: Vec<_> = classes.slower.iter().map(line).collect();
        let heading = format!("Slower ({}):", lines.len());
        self.list(&heading, &lines, 5);
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn row(job: &JobRow, width: usize) -> String {
    let name = inert::plain(job.job.as_str(), 60);
    let mut counts = Vec::new();
    for (count, word) in [
        (job.failed, "failed"),
        (job.flaky, "flaky"),
        (job.passed, "passed"),
        (job.skipped, "skipped"),
    ] {
        if count > 0 {
            counts.push(format!("{count} {word}"));
        }
    }
    let counts = match counts.is_empty() {
        true => String::new(),
        false => format!("  {}", counts.join(", ")),
    };
    let at_base = match job.at_base {
        Some(base) if base != job.outcome => format!("  (at the base: {})", base.word()),
        _ => String::new(),
    };
    let reason = match counts.is_empty() && !job.reason.is_empty() {
        true => format!("  {}", inert::plain(&job.reason, 160)),
        false => String::new(),
    };
    format!(
        "    {name:width$}  {:9}  {:>7}{counts}{reason}{at_base}",
        job.outcome.word(),
        duration(job.seconds)
    )
}

/// Returns the line of a case, with its findings in one line.
fn lines_of(case: &ComparedCase) -> Vec<String> {
    let mut line = format!("* {}", inert::code(&case.label(), NAME));
    if let Some(file) = &case.file {
        let number = case.line.map(|line| format!(":{line}")).unwrap_or_default();
        line.push_str(&format!(
            " {}",
            inert::code(&format!("{file}{number}"), NAME)
        ));
    }
    let finding = case.findings.first().map(ToString::to_string);
    let message = finding.as_deref().unwrap_or(&case.message);
    if !message.is_empty() {
        line.push_str(&format!(": {}", inert::code(message, REASON)));
    }
    if case.findings.len() > 1 {
        line.push_str(&format!(" and {} more findings", case.findings.len() - 1));
    }
    vec![line]
}
