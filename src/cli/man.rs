//! `kata-ci man`: the manual pages, one for each command.

use std::fs;
use std::path::Path;

use clap::Command;

use super::definition::definition;
use super::print::print;
use crate::model::CommandError;
use crate::report::write_aside;

/// Writes the page of a command (none for kata-ci itself) to standard output, or all pages into a
/// directory.
pub(super) fn call(command: &[String], directory: Option<&Path>) -> Result<i32, CommandError> {
    let mut all = definition().disable_help_subcommand(true);
    all.build();
    if let Some(directory) = directory {
        return all_into(&all, directory);
    }
    let mut wanted = &all;
    for word in command {
        wanted = wanted.find_subcommand(word).ok_or_else(|| {
            CommandError::usage(format!("no command `{}`", command.join(" ")))
                .hint("`kata-ci --help` lists the commands")
        })?;
    }
    print(&page(wanted)?)
}

fn all_into(all: &Command, directory: &Path) -> Result<i32, CommandError> {
    fs::create_dir_all(directory).map_err(|error| {
        CommandError::path(directory, &error, "name a directory that can be written to")
    })?;
    let mut left = vec![all];
    while let Some(command) = left.pop() {
        let path = directory.join(format!("{}.1", name(command)));
        let text = page(command)?;
        write_aside(&path, |file| file.write_all(&text)).map_err(CommandError::machine)?;
        left.extend(command.get_subcommands().filter(|one| !one.is_hide_set()));
    }
    Ok(0)
}

/// Returns `kata-ci-report-show`, the name that the pages refer to each other by.
fn name(command: &Command) -> String {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    name.to_owned()
}

fn page(command: &Command) -> Result<Vec<u8>, CommandError> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name(command))
        .render(&mut text)
        .map_err(CommandError::output)?;
    Ok(text)
}
