//! Writes a comparison for a terminal.

use std::io::{self, Write};

use super::{CaseClass, ComparedCase, Comparison, Slower};
use crate::report::ci::neutralize::harmless;
use crate::report::format::duration;
use crate::report::{Meaning, Style};

/// The most cases of a class that are listed.
const LISTED: usize = 100;

/// The most bytes of a name, and of a reason.
const CAP: usize = 1024;

/// Writes the comparison: the two sides, then the classes that are not empty, worst first.
pub fn write_plain(comparison: &Comparison, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for (word, side) in [("old", &comparison.old), ("new", &comparison.new)] {
        let line = format!(
            "{word}: {} ({})",
            style.foreign(&side.name, CAP),
            side.counts
        );
        writeln!(out, "{}", harmless(&line))?;
    }
    for class in CaseClass::ALL {
        list(comparison, class, style, out)?;
    }
    slower(&comparison.classes.slower, style, out)?;
    writeln!(out, "\nas before: {}", comparison.classes.same)
}

fn list(
    comparison: &Comparison,
    class: CaseClass,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let cases = comparison.classes.of(class);
    if cases.is_empty() {
        return Ok(());
    }
    let heading = format!("{} ({})", class.heading(), cases.len());
    writeln!(out, "\n{}", style.paint(meaning(class), &heading))?;
    for case in cases.iter().take(LISTED) {
        write!(out, "{}", told(case, style))?;
    }
    rest(cases.len(), out)
}

fn rest(count: usize, out: &mut dyn Write) -> io::Result<()> {
    match count.checked_sub(LISTED) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(out, "  and {more} more (--format json has all)"),
    }
}

fn meaning(class: CaseClass) -> Meaning {
    match class {
        CaseClass::New => Meaning::Bad,
        CaseClass::Vanished | CaseClass::Silenced | CaseClass::Known | CaseClass::Flaky => {
            Meaning::Warning
        }
        CaseClass::Fixed => Meaning::Good,
        CaseClass::Added => Meaning::Detail,
    }
}

fn told(case: &ComparedCase, style: &Style) -> String {
    let place = match (&case.file, case.line) {
        (Some(file), Some(line)) => format!("  {file}:{line}"),
        (Some(file), None) => format!("  {file}"),
        _ => String::new(),
    };
    let line = style.foreign(&format!("{}{place}", case.label()), CAP);
    let mut told = format!("{}\n", harmless(&format!("  {line}")));
    let findings = case.findings.iter().map(ToString::to_string);
    let reasons = match case.findings.is_empty() {
        true => vec![case.message.clone()],
        false => findings.collect(),
    };
    for reason in reasons.iter().filter(|reason| !reason.is_empty()) {
        let line = format!("      {}", style.foreign(reason, CAP));
        told.push_str(&harmless(&line));
        told.push('\n');
    }
    told
}

fn slower(all: &[Slower], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let heading = format!("slower ({})", all.len());
    writeln!(out, "\n{}", style.paint(Meaning::Warning, &heading))?;
    for one in all.iter().take(LISTED) {
        let line = format!(
            "  {}: {}",
            style.foreign(&one.case.label(), CAP),
            one.times()
        );
        writeln!(out, "{}", harmless(&line))?;
    }
    rest(all.len(), out)
}

impl Slower {
    /// Returns the durations in words.
    pub(super) fn times(&self) -> String {
        let times = format!("{}, before {}", duration(self.now), duration(self.before));
        match self.earlier.filter(|earlier| earlier.count > 1) {
            None => times,
            Some(earlier) => format!(
                "{times}, {} to {} in {} runs",
                duration(earlier.fastest),
                duration(earlier.slowest),
                earlier.count
            ),
        }
    }
}
