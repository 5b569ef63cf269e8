//! Writes a comparison in GitHub's Markdown, for a comment or a step's summary.

use std::io::{self, Write};

use super::{CaseClass, ComparedCase, Comparison};
use crate::report::markdown::escape;

/// The most cases of a class that are listed.
const LISTED: usize = 200;

/// The most bytes of a name, and of a reason.
const CAP: usize = 200;

/// The most bytes of a list. GitHub takes 1 MiB in all.
const LIST_CAP: usize = 100 * 1024;

/// Writes the comparison.
pub fn write_markdown(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let (old, new) = (&comparison.old, &comparison.new);
    writeln!(
        out,
        "## {} compared with {}\n",
        cut(&new.name),
        cut(&old.name)
    )?;
    writeln!(out, "| | cases |\n|---|---|")?;
    writeln!(out, "| old | {} |\n| new | {} |", old.counts, new.counts)?;
    writeln!(out, "| as before | {} |", comparison.classes.same)?;
    for class in CaseClass::ALL {
        let cases = comparison.classes.of(class);
        let heading = format!("{} ({})", class.heading(), cases.len());
        list(&heading, cases.iter().map(line).collect(), out)?;
    }
    let slower = comparison.classes.slower.iter();
    let slower: Vec<_> = slower
        .map(|one| format!("{}: {}", cut(&one.case.label()), one.times()))
        .collect();
    list(&format!("slower ({})", slower.len()), slower, out)
}

fn list(heading: &str, lines: Vec<String>, out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n**{heading}**\n")?;
    let mut size = 0;
    let fitting = lines.iter().take(LISTED).take_while(|line| {
        size += line.len();
        size <= LIST_CAP
    });
    let mut shown = 0;
    for line in fitting {
        writeln!(out, "- {line}")?;
        shown += 1;
    }
    match lines.len() - shown {
        0 => Ok(()),
        more => writeln!(out, "- … and {more} more"),
    }
}

fn line(case: &ComparedCase) -> String {
    let mut line = cut(&case.label());
    match (&case.file, case.line) {
        (Some(file), Some(number)) => line.push_str(&format!(" ({}:{number})", cut(file))),
        (Some(file), None) => line.push_str(&format!(" ({})", cut(file))),
        _ => {}
    }
    let finding = case.findings.first().map(ToString::to_string);
    let reason = finding.unwrap_or_else(|| case.message.clone());
    if !reason.is_empty() {
        line.push_str(&format!(": {}", cut(&reason)));
    }
    line
}

/// Returns foreign text as one short line without markup.
fn cut(text: &str) -> String {
    escape(&crate::text::one_line(text, CAP))
}
