//! Reads pieces of a job's log: the output of one case, or the last lines of a job.
//!
//! Logs may be huge, so nothing here reads more than two windows of [`WINDOW`] bytes at a time: the
//! head and the tail of a range. The result is clean text ([`crate::text`]). Lines of `go test
//! -json` are replaced by the output they carry.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Component, Path};

use serde::Deserialize;

use crate::event::Span;
use crate::fs::Directory;
use crate::text;

/// The most bytes read at each end: several times the shown text, because JSON wraps every line.
const WINDOW: u64 = 256 * 1024;

/// The most bytes of one of the last lines.
const LINE_CAP: usize = 500;

/// Returns false for the name of a log that leads out of the report directory. A journal may come
/// from elsewhere and must not make a report show any other file.
pub(super) fn is_inside(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    !name.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// A job's log, open for reading ranges of it.
#[derive(Debug)]
pub struct LogReader {
    file: File,
    /// The name of the log in messages about omitted text.
    name: String,
}

impl LogReader {
    /// Opens a log below a report directory. A job may have put links in the place of its directory
    /// or of the log, so none is followed.
    pub fn open(directory: &Directory, name: &str) -> io::Result<Self> {
        Ok(Self {
            file: directory.open(Path::new(name))?,
            name: name.to_owned(),
        })
    }

    /// Returns the clean text of the whole log; see [`Self::excerpt`].
    pub fn whole(&mut self, cap: usize) -> io::Result<String> {
        let end = self.file.metadata()?.len();
        self.excerpt(&[Span { start: 0, end }], cap)
    }

    /// Returns the clean text of these ranges, in order, at most about `cap` bytes of it. A longer
    /// text keeps its head and tail. A line between them says how many bytes of the log are left
    /// out and where they are.
    pub fn excerpt(&mut self, spans: &[Span], cap: usize) -> io::Result<String> {
        let total = spans.iter().map(length).sum::<u64>();
        if total <= 2 * WINDOW {
            let bytes = self.read(spans, 0, total)?;
            let lines = lines(&bytes, false, false);
            return Ok(self.join(&lines, &[], total, cap));
        }
        let head = self.read(spans, 0, WINDOW)?;
        let tail = self.read(spans, total - WINDOW, total)?;
        let (head, tail) = (lines(&head, false, true), lines(&tail, true, false));
        Ok(self.join(&head, &tail, total, cap))
    }

    /// Reads the bytes `from..to` of the concatenated ranges. A log shorter than the ranges gives
    /// the bytes that exist.
    fn read(&mut self, spans: &[Span], from: u64, to: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut position = 0;
        for span in spans {
            let (begin, end) = (position.max(from), (position + length(span)).min(to));
            if begin < end {
                self.file
                    .seek(SeekFrom::Start(span.start + (begin - position)))?;
                (&self.file).take(end - begin).read_to_end(&mut bytes)?;
            }
            position += length(span);
        }
        Ok(bytes)
    }

    /// Joins the lines that fit: `head` and then `tail`. With an empty `tail`, both ends come from
    /// `head`.
    fn join(
        &self,
        head: &[OutputLine<'_>],
        tail: &[OutputLine<'_>],
        total: u64,
        cap: usize,
    ) -> String {
        let size: usize = head.iter().map(|line| line.text.len()).sum();
        if tail.is_empty() && size <= cap {
            return head.iter().map(|line| &*line.text).collect();
        }
        let (first, rest) = take_head(head, cap / 2);
        let from = if tail.is_empty() { rest } else { tail };
        let last = take_tail(from, cap / 2);
        let kept: u64 = first.iter().chain(&last).map(|line| line.raw).sum();
        let mut joined: String = first.iter().map(|line| &*line.text).collect();
        if !joined.is_empty() && !joined.ends_with('\n') {
            joined.push('\n');
        }
        joined.push_str(&format!(
            "[{} bytes left out, all of it is in {}]\n",
            total.saturating_sub(kept),
            self.name
        ));
        joined.extend(last.iter().map(|line| &*line.text));
        joined
    }
}

fn length(span: &Span) -> u64 {
    span.end.saturating_sub(span.start)
}

/// A piece of output: its clean text, and its bytes in the log.
#[derive(Debug, Clone)]
struct OutputLine<'a> {
    text: Cow<'a, str>,
    raw: u64,
}

/// Splits bytes into lines and decodes each. A line cut off at either end of a window is dropped.
fn lines(bytes: &[u8], cut_before: bool, cut_after: bool) -> Vec<OutputLine<'static>> {
    let mut pieces: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    // One line that fills the whole window stays: a cut excerpt is better than none.
    if cut_before && pieces.len() > 1 {
        pieces.remove(0);
    }
    if cut_after && pieces.len() > 1 && pieces.last().is_some_and(|last| !last.ends_with(b"\n")) {
        pieces.pop();
    }
    pieces
        .into_iter()
        .map(|piece| OutputLine {
            text: Cow::Owned(text::clean(&output_of(piece))),
            raw: piece.len() as u64,
        })
        .collect()
}

/// The fields of one line of `go test -json` (`go doc test2json`).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GoLine<'a> {
    #[serde(rename = "Action")]
    _action: Cow<'a, str>,
    output: Option<Cow<'a, str>>,
}

/// Returns the output of a line: the text that a JSON line carries, else the line itself.
fn output_of(line: &[u8]) -> String {
    let parsed = match line.first() {
        Some(b'{') => serde_json::from_slice::<GoLine<'_>>(line).ok(),
        _ => None,
    };
    match parsed {
        Some(go) => go.output.unwrap_or_default().into_owned(),
        None => String::from_utf8_lossy(line).into_owned(),
    }
}

fn take_head<'a, 'b>(
    lines: &'b [OutputLine<'a>],
    room: usize,
) -> (Vec<OutputLine<'b>>, &'b [OutputLine<'a>]) {
    let mut taken = Vec::new();
    let mut left = room;
    for (index, line) in lines.iter().enumerate() {
        if line.text.len() > left {
            // A line longer than the whole limit is cut. Any other line goes to the tail or is left
            // out whole.
            if taken.is_empty() {
                let text = &line.text[..line.text.floor_char_boundary(left)];
                taken.push(cut(line, text));
                return (taken, &lines[index + 1..]);
            }
            return (taken, &lines[index..]);
        }
        left -= line.text.len();
        taken.push(cut(line, &line.text));
    }
    (taken, &[])
}

fn take_tail<'b>(lines: &'b [OutputLine<'_>], room: usize) -> Vec<OutputLine<'b>> {
    let mut taken = Vec::new();
    let mut left = room;
    for line in lines.iter().rev() {
        if line.text.len() > left {
            if taken.is_empty() {
                let start = line.text.ceil_char_boundary(line.text.len() - left);
                taken.push(cut(line, &line.text[start..]));
            }
            break;
        }
        left -= line.text.len();
        taken.push(cut(line, &line.text));
    }
    taken.reverse();
    taken
}

/// Returns a part of a line. The bytes left out do not count as kept.
fn cut<'b>(line: &OutputLine<'_>, text: &'b str) -> OutputLine<'b> {
    let missing = (line.text.len() - text.len()) as u64;
    OutputLine {
        text: Cow::Borrowed(text),
        raw: line.raw.saturating_sub(missing),
    }
}

/// Returns the last lines of a log that are not blank, at most `count`, clean, each at most 500
/// bytes long. See [`LogReader::open`].
pub fn tail(directory: &Directory, name: &str, count: usize) -> io::Result<Vec<String>> {
    let mut file = directory.open(Path::new(name))?;
    let size = file.metadata()?.len();
    let start = size.saturating_sub(WINDOW);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(WINDOW).read_to_end(&mut bytes)?;
    let text: String = lines(&bytes, start > 0, false)
        .iter()
        .map(|line| &*line.text)
        .collect();
    let mut last: Vec<_> = text
        .lines()
        .rev()
        .filter(|line| !line.trim().is_empty())
        .take(count)
        .map(|line| text::one_line(line, LINE_CAP))
        .collect();
    last.reverse();
    Ok(last)
}

/// Keeps head and tail of a text, at most about `cap` bytes. A line between them says how much is
/// left out.
pub(super) fn ends(text: &str, cap: usize) -> String {
    if text.len() <= cap {
        return text.to_owned();
    }
    let head = &text[..text.floor_char_boundary(cap / 2)];
    let tail = &text[text.ceil_char_boundary(text.len() - cap / 2)..];
    let left_out = text.len() - head.len() - tail.len();
    format!("{head}\n[{left_out} bytes left out]\n{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    const NAME: &str = "logs/a.test.log";

    fn log(bytes: &[u8]) -> (tempfile::TempDir, LogReader) {
        let report = tempfile::tempdir().unwrap();
        fs::create_dir(report.path().join("logs")).unwrap();
        fs::write(report.path().join(NAME), bytes).unwrap();
        let reader = LogReader::open(&held(&report), NAME).unwrap();
        (report, reader)
    }

    fn held(report: &tempfile::TempDir) -> Directory {
        Directory::hold(report.path()).unwrap()
    }

    fn span(start: u64, end: u64) -> Span {
        Span { start, end }
    }

    #[test]
    fn no_name_leads_out_of_the_report_directory() {
        let (report, _reader) = log(b"text\n");
        assert!(is_inside(NAME));
        for name in ["/etc/passwd", "../2/logs/a.log", "logs/../../x", ""] {
            assert!(!is_inside(name), "{name}");
            assert!(LogReader::open(&held(&report), name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_link_in_the_place_of_a_log_or_of_its_directory_is_not_followed() {
        let (report, _reader) = log(b"text\n");
        let directory = held(&report);
        let path = |name: &str| report.path().join(name);
        symlink(path(NAME), path("logs/link.log")).unwrap();
        assert!(LogReader::open(&directory, "logs/link.log").is_err());
        assert_eq!(tail(&directory, NAME, 1).unwrap(), ["text"]);
        fs::rename(path("logs"), path("moved")).unwrap();
        symlink("moved", path("logs")).unwrap();
        let error = tail(&directory, NAME, 1).unwrap_err().to_string();
        assert!(error.contains("logs is a link or a file now"), "{error}");
        assert!(LogReader::open(&directory, NAME).is_err());
    }

    #[test]
    fn ranges_are_joined_in_order() {
        let (_file, mut reader) = log(b"one\ntwo\nthree\n");
        let excerpt = reader.excerpt(&[span(8, 14), span(0, 4)], 100).unwrap();
        assert_eq!(excerpt, "three\none\n");
        assert_eq!(reader.excerpt(&[], 100).unwrap(), "");
        assert_eq!(reader.excerpt(&[span(8, 900)], 100).unwrap(), "three\n");
        assert_eq!(reader.excerpt(&[span(8, 2)], 100).unwrap(), "");
    }

    #[test]
    fn json_lines_give_their_output_and_others_stay() {
        let (report, mut reader) = log(concat!(
            r#"{"Action":"run","Test":"TestA"}"#,
            "\n",
            r#"{"Action":"output","Output":"a_test.go:1: half"}"#,
            "\n",
            r#"{"Action":"output","Output":" line\n"}"#,
            "\nmake: *** [test] Error 1\n{not json}\n"
        )
        .as_bytes());
        let expected = "a_test.go:1: half line\nmake: *** [test] Error 1\n{not json}\n";
        assert_eq!(reader.whole(1000).unwrap(), expected);
        assert_eq!(
            tail(&held(&report), NAME, 2).unwrap(),
            ["make: *** [test] Error 1", "{not json}"]
        );
    }

    #[test]
    fn head_and_tail_say_what_is_missing() {
        let bytes: String = (0..1000)
            .map(|number| format!("line {number:04}\n"))
            .collect();
        let (_file, mut reader) = log(bytes.as_bytes());
        let excerpt = reader.excerpt(&[span(0, 10_000)], 60).unwrap();
        assert_eq!(
            excerpt,
            "line 0000\nline 0001\nline 0002\n\
             [9940 bytes left out, all of it is in logs/a.test.log]\n\
             line 0997\nline 0998\nline 0999\n"
        );
    }

    #[test]
    fn a_line_that_is_not_whole_is_no_line() {
        let texts = |bytes: &[u8], before, after| -> Vec<String> {
            lines(bytes, before, after)
                .into_iter()
                .map(|line| line.text.into_owned())
                .collect()
        };
        assert_eq!(texts(b"of it\nwhole\nbegin", true, true), ["whole\n"]);
        assert_eq!(texts(b"a\nend", false, false), ["a\n", "end"]);
        assert_eq!(texts(b"all there is", true, true), ["all there is"]);
    }

    #[test]
    fn a_huge_range_is_not_read_whole() {
        let mut bytes = vec![b'x'; 3 << 20];
        bytes[..6].copy_from_slice(b"first\n");
        let end = bytes.len() - 5;
        bytes[end..].copy_from_slice(b"\nlast");
        let (_file, mut reader) = log(&bytes);
        let excerpt = reader.excerpt(&[span(0, 3 << 20)], 1000).unwrap();
        assert!(excerpt.starts_with("first\n["), "{excerpt}");
        assert!(excerpt.ends_with("]\nlast"));
        assert!(excerpt.contains(&format!("[{} bytes left out", (3 << 20) - 10)));
    }

    #[test]
    fn a_line_longer_than_all_is_cut_on_a_character() {
        let (_file, mut reader) = log("é".repeat(1000).as_bytes());
        let excerpt = reader.excerpt(&[span(0, 2000)], 10).unwrap();
        assert!(excerpt.starts_with("éé\n["), "{excerpt}");
    }

    #[test]
    fn the_last_lines_are_clean() {
        let (report, _reader) = log(b"first\n\x1b[31mred\x1b[0m\n\n \nnul\0\n");
        let tail = |count| tail(&held(&report), NAME, count).unwrap();
        assert_eq!(tail(5), ["first", "red", "nul\u{fffd}"]);
        assert_eq!(tail(1), ["nul\u{fffd}"]);
    }
}
