//! Shortens the texts of a document.

use std::io;

use crate::report::excerpt::ends;
use crate::report::model::{Details, Document, Text};

/// Jenkins keeps 50,000 characters at each end of a failing case's output.
pub(super) const JENKINS_TEXT: usize = 100_000;

/// Iterates over the details of all cases.
pub(super) fn details(document: &mut Document) -> impl Iterator<Item = &mut Details> {
    let cases = document
        .suites
        .iter_mut()
        .flat_map(|suite| &mut suite.cases);
    cases.filter_map(|case| case.details.as_deref_mut())
}

/// Keeps the two ends of each text, in at most `cap` bytes. A `cap` of 0 removes the texts.
pub(super) fn shorten(document: &mut Document, cap: usize) -> io::Result<()> {
    for suite in &mut document.suites {
        cut(&mut suite.out, cap)?;
        cut(&mut suite.err, cap)?;
    }
    for details in details(document) {
        let bodies = details.problems.iter_mut().map(|problem| &mut problem.body);
        let attempts = details
            .attempts
            .iter_mut()
            .flat_map(|one| [&mut one.body, &mut one.out, &mut one.err]);
        let texts = bodies.chain(attempts);
        for text in texts.chain([&mut details.out, &mut details.err]) {
            cut(text, cap)?;
        }
    }
    Ok(())
}

fn cut(text: &mut Text, cap: usize) -> io::Result<()> {
    if cap == 0 {
        *text = Text::Empty;
    } else if text.len() > cap {
        *text = Text::here(ends(&text.load()?, cap));
    }
    Ok(())
}
