//! The pipelines that are part of kata-ci: the files of `pipelines/`, unchanged.

use super::diagnostic::{Diagnostic, quote, suggestion};

/// Returns name and text of each shipped pipeline.
pub fn shipped() -> &'static [(&'static str, &'static str)] {
    &[
        ("kata-v1", include_str!("../../pipelines/kata-v1.toml")),
        (
            "kata-monorepo",
            include_str!("../../pipelines/kata-monorepo.toml"),
        ),
        ("makefile", include_str!("../../pipelines/makefile.toml")),
    ]
}

/// Returns the name of a shipped pipeline, if there is one.
pub(super) fn find(name: &str) -> Option<&'static str> {
    names().find(|known| *known == name)
}

/// Returns the text of a shipped pipeline.
pub(super) fn text(name: &str) -> Option<&'static str> {
    shipped()
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

fn names() -> impl Iterator<Item = &'static str> {
    shipped().iter().map(|(name, _)| *name)
}

/// Lists the names in a sentence.
pub(super) fn known() -> String {
    let names: Vec<_> = names().collect();
    format!("shipped pipelines are {}", names.join(", "))
}

/// Makes the diagnostic of a word that is neither shipped nor a file.
pub(super) fn unknown(name: &str) -> Diagnostic {
    let similar = suggestion(name, names());
    let diagnostic = Diagnostic::new(format!("unknown pipeline {}", quote(name)));
    let diagnostic = match similar.as_str() {
        "" => diagnostic,
        similar => diagnostic.help(similar),
    };
    diagnostic
        .help(known())
        .help("a file is named by a path: with a `/`, or ending in .toml")
}
