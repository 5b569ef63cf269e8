//! `kata-ci report open`: the page of a run in the user's browser.
//!
//! The page is a file of its own that needs no network. The browser is started by the desktop's own
//! opener, which knows the user's choice.

use std::path::Path;

use super::paths::PathResolver;
use crate::cli::print::print;
use crate::env::Environment;
use crate::model::CommandError;

/// The page, below the report directory.
const PAGE: &str = "report.html";

/// The variables of which a desktop sets one.
const DISPLAYS: [&str; 3] = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];

/// Opens the page, and prints its path. Without a desktop the path is all.
pub(super) fn call(resolver: &PathResolver<'_>, from: Option<&Path>) -> Result<i32, CommandError> {
    let from = resolver.from(from)?;
    let page = match from.is_dir() {
        true => from.join(PAGE),
        false => from.with_file_name(PAGE),
    };
    let page = page.canonicalize().map_err(|error| {
        let hint = "the run has not ended; for a JUnit file `kata-ci report html FILE -o PAGE` makes a page";
        CommandError::path(&page, &error, hint)
    })?;
    let environment = Environment::current();
    let has_desktop = DISPLAYS.iter().any(|name| environment.get(name).is_some());
    let code = print(format!("{}\n", page.display()).as_bytes())?;
    if !has_desktop {
        crate::say::aside("no desktop here: open the page where there is a browser");
        return Ok(code);
    }
    open::that_detached(&page).map_err(|error| {
        CommandError::unavailable(format!("no program opens the page: {error}"))
            .hint("install xdg-utils, or open the page by its path")
    })?;
    Ok(code)
}
