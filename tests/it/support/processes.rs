//! Finds leftover processes.

use std::path::Path;

/// Returns the command lines of all processes with the text in command line, environment or
/// directory, except for this one.
pub fn with(text: &str) -> Vec<String> {
    let own = std::process::id().to_string();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| *name != *own))
        .filter_map(|path| holds(&path, text))
        .collect()
}

fn holds(process: &Path, text: &str) -> Option<String> {
    let command_line = std::fs::read(process.join("cmdline")).ok()?;
    let environment = std::fs::read(process.join("environ")).unwrap_or_default();
    let directory = std::fs::read_link(process.join("cwd")).unwrap_or_default();
    let found = [&command_line, &environment]
        .into_iter()
        .any(|bytes| String::from_utf8_lossy(bytes).contains(text));
    (found || directory.to_string_lossy().contains(text))
        .then(|| String::from_utf8_lossy(&command_line).replace('\0', " "))
}
