//! Errors as text for standard error.

use crate::config::ConfigError;
use crate::model::CommandError;

/// Renders an error with its hints. One of a configuration brings its own `error:`, with the line it speaks of.
pub(super) fn render(error: &CommandError, color: anstream::ColorChoice) -> String {
    let mut text = match error.error.downcast_ref::<ConfigError>() {
        Some(config) => config.render(color != anstream::ColorChoice::Never),
        None => format!("error: {error}"),
    };
    for hint in &error.hints {
        text.push_str("\n  = help: ");
        text.push_str(hint);
    }
    text
}
