//! `kata-ci check-config`: checks a pipeline's file and the user's, and runs nothing.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueHint};

use super::global::GlobalArguments;
use super::print::print;
use crate::config::{self, Overrides, PipelineSource, SCHEMA};
use crate::env::Environment;
use crate::model::{CommandError, ExitCode};

#[derive(Debug, Args)]
pub(super) struct CheckConfigArguments {
    /// File, or kata-v1, kata-monorepo or makefile [default: the kata-ci.toml of this directory].
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<String>,

    /// Write the JSON schema of pipelines to standard output instead, for editors.
    #[arg(long, env = "KATACI_SCHEMA", action = ArgAction::SetTrue, conflicts_with = "file",
          value_parser = FalseyValueParser::new())]
    schema: bool,
}

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &CheckConfigArguments,
) -> Result<i32, CommandError> {
    if arguments.schema {
        return print(SCHEMA.as_bytes());
    }
    let user = config::user_file(&Environment::current());
    let source = source(global, arguments.file.as_deref())?;
    let is_users = match &source {
        PipelineSource::File(path) => user.as_ref().is_some_and(|user| is_same(user, path)),
        PipelineSource::Shipped(_) => false,
    };
    config::operator(user.as_deref())?;
    if is_users {
        return print(format!("{source}: valid, as the user's configuration\n").as_bytes());
    }
    let pipeline = config::load(&source, &Overrides::default(), user.as_deref())?;
    let components = match pipeline.components.len() {
        0 => "components where there are Makefiles".to_owned(),
        1 => "1 component".to_owned(),
        count => format!("{count} components"),
    };
    let steps: Vec<_> = pipeline
        .steps
        .iter()
        .map(|step| step.name.as_str())
        .collect();
    let mut text = format!(
        "{source}: valid; {components}, steps {}\n",
        steps.join(", ")
    );
    for file in config::files(&source)?.iter().skip(1) {
        text.push_str(&format!("  extends {}\n", file.display()));
    }
    if let Some(user) = user.filter(|user| user.exists()) {
        text.push_str(&format!("{}: valid\n", user.display()));
    }
    print(text.as_bytes())
}

/// Returns the file that is meant.
fn source(global: &GlobalArguments, file: Option<&str>) -> Result<PipelineSource, CommandError> {
    let located = match file {
        Some(file) if config::shipped().iter().all(|(name, _)| *name != file) => Some(
            PipelineSource::File(global.directory.join(PathBuf::from(file))),
        ),
        name => config::locate(name, &global.directory)?,
    };
    located.ok_or_else(|| {
        let here = global.directory.display();
        CommandError::new(
            ExitCode::Usage,
            format!("no kata-ci.toml in {here} or above"),
        )
        .hint("name a file, or write one with `kata-ci init`")
    })
}

fn is_same(one: &std::path::Path, other: &std::path::Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
