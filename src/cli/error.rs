//! Errors as text for standard error.

use crate::config::ConfigError;
use crate::model::CommandError;

/// Renders an error with its hints. A configuration error has its own `error:`, with the line of
/// the file.
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
