//! Options that every command takes.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ColorChoice};

#[derive(Debug, Args)]
pub(super) struct GlobalArguments {
    /// Work as if started in DIR.
    #[arg(
        short = 'C',
        value_name = "DIR",
        global = true,
        env = "KATACI_DIRECTORY",
        default_value = "."
    )]
    pub directory: PathBuf,

    /// When to use colours.
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        env = "KATACI_COLOR",
        default_value = "auto"
    )]
    color: ColorChoice,

    /// Explain decisions on standard error.
    #[arg(short, long, global = true, env = "KATACI_VERBOSE", action = ArgAction::SetTrue,
          value_parser = FalseyValueParser::new())]
    verbose: bool,
}

impl GlobalArguments {
    /// Returns true to explain decisions.
    pub(super) fn verbose(&self) -> bool {
        self.verbose
    }

    /// Returns the colour choice for the output.
    pub(super) fn color(&self) -> anstream::ColorChoice {
        match self.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
    }
}
