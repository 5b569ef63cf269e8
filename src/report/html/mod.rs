//! Writes `report.html`: one file that needs nothing else, on disk or from any server.
//!
//! Totals, timeline and tables are plain markup, made here. The cases are a data block. The page's
//! script shows them as a list that holds only the rows in view, so that a hundred thousand open at
//! once. For readers without scripts, the totals and everything that did not pass are there as
//! markup too.
//!
//! Invariants: no text of a test is ever markup. In markup maud escapes it. In the data block `<`,
//! `>` and `&` are written as `\u003c` and so on, so that nothing can end it. The script makes text
//! nodes only.
//!
//! The page's policy allows its own script and style by their digests and nothing else: no network,
//! no other script, even if an escape were missing. Characters that reorder or hide text are
//! spelled out (`[U+202E]`).

mod data;
mod labels;
mod page;
mod sections;
mod timeline;

use std::io::{self, Write};

use super::model::Document;

/// Writes the page.
pub fn write_html(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let (before, after) = page::around(document);
    out.write_all(before.as_bytes())?;
    out.write_all(br#"<script type="application/json" id="data">"#)?;
    data::write(document, out)?;
    out.write_all(b"</script>")?;
    out.write_all(after.as_bytes())
}

#[cfg(test)]
mod tests;
