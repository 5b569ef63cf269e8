//! Writes the data block: the cases as the page's script reads them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use serde::ser::{SerializeSeq, Serializer};
use serde::{Serialize, ser};

use super::labels::visible;
use crate::report::excerpt::ends;
use crate::report::model::{Case, Document, Suite, Text, properties};

/// The most bytes of one text. The whole text is in the log or in the JUnit file.
const TEXT_CAP: usize = 32 * 1024;

/// The most bytes of all texts. A larger page takes long to open.
const TEXTS_CAP: usize = 24 * 1024 * 1024;

/// A case: job, class, name, state, milliseconds, detail.
type Row<'a> = (usize, usize, Cow<'a, str>, u8, Option<u64>, Option<usize>);

#[derive(Serialize)]
struct Data<'a> {
    jobs: Vec<PageJob<'a>>,
    classes: Vec<Cow<'a, str>>,
    cases: Vec<Row<'a>>,
    details: DetailTexts<'a>,
}

#[derive(Serialize)]
struct PageJob<'a> {
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'a str>,
}

#[derive(Serialize)]
struct Detail<'a> {
    word: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: Cow<'a, str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    word_of_writer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<(String, String)>,
}

/// The cases with details, loaded and written one at a time.
struct DetailTexts<'a>(Vec<&'a Case>);

/// Writes the content of the block.
pub(super) fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let mut classes = Classes::default();
    let mut detailed = Vec::new();
    let mut cases = Vec::new();
    for (job, suite) in document.suites.iter().enumerate() {
        for case in &suite.cases {
            let detail = case.details.is_some().then_some(detailed.len());
            detailed.extend(detail.map(|_| case));
            let class = classes.index(&case.class);
            let time = case
                .seconds
                .map(|seconds| (seconds * 1000.0).round() as u64);
            cases.push((
                job,
                class,
                visible(&case.name),
                case.state as u8,
                time,
                detail,
            ));
        }
    }
    let data = Data {
        jobs: document.suites.iter().map(job).collect(),
        classes: classes.names.iter().map(|name| visible(name)).collect(),
        cases,
        details: DetailTexts(detailed),
    };
    serde_json::to_writer(Escaped(out), &data).map_err(io::Error::from)
}

#[derive(Default)]
struct Classes {
    names: Vec<Arc<str>>,
    indices: HashMap<Arc<str>, usize>,
}

impl Classes {
    fn index(&mut self, class: &Arc<str>) -> usize {
        *self.indices.entry(class.clone()).or_insert_with(|| {
            self.names.push(class.clone());
            self.names.len() - 1
        })
    }
}

fn job(suite: &Suite) -> PageJob<'_> {
    PageJob {
        name: visible(&suite.name),
        again: suite.property(properties::AGAIN).map(visible),
        log: suite.property(properties::LOG),
    }
}

impl Serialize for DetailTexts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.0.len()))?;
        let mut left = TEXTS_CAP;
        for case in &self.0 {
            let detail = detail(case, &mut left).map_err(ser::Error::custom)?;
            sequence.serialize_element(&detail)?;
        }
        sequence.end()
    }
}

fn detail<'a>(case: &'a Case, left: &mut usize) -> io::Result<Detail<'a>> {
    Ok(Detail {
        word: case.word(),
        message: visible(case.message()),
        word_of_writer: case
            .problem()
            .and_then(|problem| problem.word.as_deref())
            .filter(|word| *word != case.word())
            .map(visible),
        place: place(case),
        texts: texts(case, left)?,
    })
}

/// Returns `FILE:LINE`, if known.
pub(super) fn place(case: &Case) -> Option<String> {
    let details = case.details.as_ref()?;
    let file = visible(details.file.as_deref()?);
    Some(match details.line {
        Some(line) => format!("{file}:{line}"),
        None => file.into_owned(),
    })
}

/// Returns the texts of a case with their titles. A long text keeps its two ends.
fn texts(case: &Case, left: &mut usize) -> io::Result<Vec<(String, String)>> {
    let Some(details) = &case.details else {
        return Ok(Vec::new());
    };
    let mut texts = Vec::new();
    let mut add = |title: String, text: &Text| {
        let text = bounded(text, left)?;
        if !text.is_empty() && text.trim() != case.message() {
            texts.push((title, text));
        }
        io::Result::Ok(())
    };
    for problem in &details.problems {
        add(problem.kind.element().to_owned(), &problem.body)?;
    }
    add("output".to_owned(), &details.out)?;
    add("error output".to_owned(), &details.err)?;
    for (number, attempt) in details.attempts.iter().enumerate() {
        let message = attempt.message.as_deref().unwrap_or("failed");
        let title =
            |what: &str| visible(&format!("attempt {}{what}: {message}", number + 1)).into_owned();
        add(title(""), &attempt.body)?;
        add(title(", output"), &attempt.out)?;
        add(title(", error output"), &attempt.err)?;
    }
    Ok(texts)
}

fn bounded(text: &Text, left: &mut usize) -> io::Result<String> {
    let room = TEXT_CAP.min(*left);
    if text.is_empty() {
        return Ok(String::new());
    }
    if room < TEXT_CAP {
        return Ok(
            "[left out: this page holds all the output it can; see the log or junit.xml]"
                .to_owned(),
        );
    }
    let shown = ends(&text.load()?, room);
    *left -= shown.len().min(*left);
    Ok(visible(&shown).into_owned())
}

/// A writer whose output can neither end the element it stands in nor begin another. JSON has these
/// three characters only inside strings, where they may be written as escapes.
struct Escaped<'a>(&'a mut dyn Write);

impl Write for Escaped<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(at) = memchr::memchr3(b'<', b'>', b'&', rest) {
            self.0.write_all(&rest[..at])?;
            write!(self.0, "\\u{:04x}", rest[at])?;
            rest = &rest[at + 1..];
        }
        self.0.write_all(rest)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
