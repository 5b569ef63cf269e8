//! Writes GitHub's step summary: Markdown appended to the file that `GITHUB_STEP_SUMMARY` names.
//!
//! The file belongs to one step, and any of its commands may have written to it. So its content
//! stays, and the added part keeps the whole within "a maximum size of 1MiB", beyond which GitHub
//! shows none of it (docs.github.com, Workflow commands, "Adding a job summary", "Step isolation
//! and limits").
//!
//! That page also says that upload failures "do not affect the overall status of a step or a job".
//! So a summary that cannot be written is only a warning.

use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::fs::Place;
use crate::report::markdown::markdown_within;
use crate::report::model::Document;

/// The most bytes of the file.
const LIMIT: u64 = 1024 * 1024;

/// Appends the summary to the file.
///
/// # Errors
/// When it cannot be written, or there is no room for it.
pub(super) fn append(document: &Document, place: &Place) -> io::Result<()> {
    let mut file = place.append()?;
    let before = file.metadata()?.len();
    let parting: &[u8] = match last_byte(&mut file, before)? {
        None | Some(b'\n') => b"",
        Some(_) => b"\n\n",
    };
    let room = LIMIT.saturating_sub(before + parting.len() as u64);
    let text = markdown_within(document, usize::try_from(room).unwrap_or(usize::MAX))?;
    let text = text.ok_or_else(|| {
        io::Error::other(format!(
            "it holds {before} bytes already, and GitHub takes 1 MiB"
        ))
    })?;
    // One write, so that the parts of other writers do not come between.
    file.write_all(&[parting, &text].concat())
}

fn last_byte(file: &mut (impl Read + Seek), size: u64) -> io::Result<Option<u8>> {
    if size == 0 {
        return Ok(None);
    }
    let mut byte = [0];
    file.seek(SeekFrom::Start(size - 1))?;
    file.read_exact(&mut byte)?;
    Ok(Some(byte[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::read;
    use std::fs;
    use std::path::Path;

    fn append(document: &Document, path: &Path) -> io::Result<()> {
        super::append(document, &Place::of_target(path)?)
    }

    fn failing(count: usize) -> Document {
        let case = format!(
            "<testcase name=\"t\"><failure message=\"m\">{}</failure></testcase>",
            "x".repeat(3000)
        );
        let xml = format!("<testsuite name=\"s\">{}</testsuite>", case.repeat(count));
        read::read_junit(xml.as_bytes(), &Default::default()).unwrap()
    }

    #[test]
    fn what_is_there_stays_and_begins_a_line_of_its_own() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("summary");
        for (before, parting) in [("", ""), ("mine\n", ""), ("mine", "\n\n")] {
            fs::write(&path, before).unwrap();
            append(&failing(1), &path).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&format!("{before}{parting}## ")), "{text}");
        }
        fs::remove_file(&path).unwrap();
        append(&failing(1), &path).unwrap();
        assert!(path.exists());
    }

    #[test]
    fn the_whole_file_stays_within_the_limit() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("summary");
        for before in [0, 1 << 10, 900 << 10, (1 << 20) - 2000] {
            fs::write(&path, "x".repeat(before)).unwrap();
            append(&failing(1000), &path).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.len() <= 1 << 20, "{before}: {}", text.len());
            assert!(text.len() > before);
            assert!(text.ends_with("they do not fit here, see the report.\n"));
        }
    }

    #[test]
    fn a_full_file_is_left_as_it_is_and_said() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("summary");
        fs::write(&path, "x".repeat(1 << 20)).unwrap();
        let error = append(&failing(1), &path).unwrap_err();
        assert!(
            error.to_string().contains("1048576 bytes already"),
            "{error}"
        );
        assert_eq!(path.metadata().unwrap().len(), 1 << 20);
        assert!(
            append(&failing(1), temporary.path()).is_err(),
            "a directory"
        );
        assert!(append(&failing(1), &temporary.path().join("missing/file")).is_err());
    }
}
