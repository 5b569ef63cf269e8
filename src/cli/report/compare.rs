//! `kata-ci report compare`: what differs between two runs.

use std::io::{self, Write};
use std::path::Path;

use super::arguments::{Compare, CompareFormat, FailOn};
use super::deliver;
use super::paths::PathResolver;
use super::sources::Sources;
use crate::cli::global::GlobalArguments;
use crate::model::{CommandError, ExitCode};
use crate::report;
use crate::report::Style;
use crate::report::compare::{CaseClass, Comparison, write_markdown, write_plain};

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    resolver: &PathResolver<'_>,
    compare: &Compare,
) -> Result<i32, CommandError> {
    let (old, old_name) = side(resolver, Some(&compare.old))?;
    let (new, new_name) = side(resolver, compare.new.as_deref())?;
    let mut unread = old.unread() + new.unread();
    let mut earlier = Vec::new();
    for path in &compare.earlier {
        let (source, _) = side(resolver, Some(path))?;
        unread += source.unread();
        earlier.push(source.into_document());
    }
    let comparison = Comparison::of(
        (&old_name, old.document()),
        (&new_name, new.document()),
        &earlier,
    );
    let style = match &compare.output {
        None => Style::of(&io::stdout(), global.color()),
        Some(_) => Style::new(false, true, 100),
    };
    let output = resolver.output(compare.output.as_deref());
    deliver(output.as_deref(), |out| match compare.format {
        CompareFormat::Human => write_plain(&comparison, &style, out),
        CompareFormat::Markdown => write_markdown(&comparison, out),
        CompareFormat::Json => json(&comparison, out),
    })?;
    let fails = compare
        .fail_on
        .iter()
        .any(|class| is_there(*class, &comparison));
    let code = match (unread, fails) {
        (1.., _) => ExitCode::Error,
        (_, true) => ExitCode::Failed,
        _ => ExitCode::Success,
    };
    Ok(code.code())
}

/// Reads one side. Returns its name, too.
fn side(
    resolver: &PathResolver<'_>,
    path: Option<&Path>,
) -> Result<(Sources, String), CommandError> {
    let name = path.map_or("the latest run".into(), Path::to_string_lossy);
    let sources = Sources::one(&resolver.from(path)?);
    sources.check()?;
    Ok((sources, name.into_owned()))
}

fn json(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(comparison)?;
    writeln!(out, "{}", report::harmless_json(&text))
}

fn is_there(class: FailOn, comparison: &Comparison) -> bool {
    let class = match class {
        FailOn::New => CaseClass::New,
        FailOn::Vanished => CaseClass::Vanished,
        FailOn::Silenced => CaseClass::Silenced,
        FailOn::Known => CaseClass::Known,
        FailOn::Flaky => CaseClass::Flaky,
        FailOn::Slower => return !comparison.classes.slower.is_empty(),
        FailOn::None => return false,
    };
    !comparison.classes.of(class).is_empty()
}
