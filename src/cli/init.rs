//! `kata-ci init`: writes a first kata-ci.toml, with comments, for what a directory holds.

use std::io;
use std::path::Path;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args};

use super::global::GlobalArguments;
use super::print::print;
use crate::config::{self, Overrides, PipelineSource, SCHEMA};
use crate::model::CommandError;
use crate::workspace::{Proposal, propose};

/// The name of the schema's file beside the pipeline's.
const SCHEMA_FILE: &str = "kata-ci.schema.json";

const HEAD: &str = "\
# The tests of this directory, as `kata-ci run` runs them.
#
#   kata-ci check-config    checks this file
#   kata-ci list            shows the steps and components it comes to
#   kata-ci run             runs them
#
# All keys: pipelines/README.md of kata-ci, or the schema in an editor.

";

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// Write no kata-ci.schema.json beside, which editors complete and check with.
    #[arg(long, env = "KATACI_NO_SCHEMA", action = ArgAction::SetTrue,
          value_parser = FalseyValueParser::new())]
    no_schema: bool,

    /// Print the file instead of writing it.
    #[arg(long, env = "KATACI_DRY_RUN", action = ArgAction::SetTrue,
          value_parser = FalseyValueParser::new())]
    dry_run: bool,
}

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &InitArguments,
) -> Result<i32, CommandError> {
    let directory = &global.directory;
    let proposal = propose(directory).map_err(CommandError::usage)?.ok_or_else(|| {
        CommandError::usage(format!("nothing to test in {}", directory.display())).hint(
            "looked for kata's repositories, and here and one level below for Makefile, go.mod, Cargo.toml, \
             pyproject.toml, pytest.ini, setup.py and tox.ini",
        )
    })?;
    let text = text(&proposal, arguments.no_schema);
    if arguments.dry_run {
        return print(text.as_bytes());
    }
    let file = proposal.directory.join("kata-ci.toml");
    create(&file, text.as_bytes())?;
    let mut said = format!("found {}\nwrote {}\n", proposal.found, file.display());
    if !arguments.no_schema {
        let schema = proposal.directory.join(SCHEMA_FILE);
        crate::fs::replace(&schema, 0o644, SCHEMA.as_bytes())
            .map_err(|error| CommandError::path(&schema, &error, "or use --no-schema"))?;
        said.push_str(&format!("wrote {}, for editors\n", schema.display()));
    }
    config::load(&PipelineSource::File(file), &Overrides::default(), None)?;
    said.push_str("next: kata-ci list, then kata-ci run\n");
    print(said.as_bytes())
}

fn text(proposal: &Proposal, no_schema: bool) -> String {
    let schema = match no_schema {
        true => String::new(),
        false => format!("#:schema ./{SCHEMA_FILE}\n"),
    };
    format!("{schema}{HEAD}{}", proposal.text)
}

/// Writes a new file. One that is there stays as it is.
fn create(path: &Path, content: &[u8]) -> Result<(), CommandError> {
    crate::fs::create(path, content).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            CommandError::usage(format!("{} is there already", path.display())).hint(
                "check it with `kata-ci check-config`, or move it away; --dry-run shows what init would write",
            )
        }
        _ => CommandError::path(path, &error, "name a directory that can be written to with -C DIR"),
    })
}
