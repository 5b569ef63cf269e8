//! The grammar of the lines of the Test Anything Protocol, versions 13 and 14.
//!
//! The source is testanything.org. It is read more widely than it is written where real writers
//! differ: `# skip` in any case, a skipped test that says `not ok` (bats does in its form for
//! version 13), descriptions without `- `.

use crate::model::CaseStatus;

/// The content of a line, apart from its indentation.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::parse) enum Tap<'a> {
    /// `TAP version 14`
    Version,
    /// `1..4`; `1..0 # SKIP why` counts none, with the reason.
    Plan(u64, Option<&'a str>),
    /// `ok 1 - name`, `not ok 2 name # TODO why`
    Test(TestPoint),
    /// `Bail out! why`
    BailOut(&'a str),
    /// `# Subtest: name`
    Subtest(&'a str),
    /// Any other `# text`
    Comment(&'a str),
}

/// The line of a test.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::parse) struct TestPoint {
    /// The number, if the line has one.
    pub number: Option<u64>,
    /// The description; empty for none.
    pub name: String,
    pub status: CaseStatus,
    /// The duration in seconds, which bats writes behind the name.
    pub seconds: Option<f64>,
    /// The reason in its directive.
    pub reason: Option<String>,
}

/// The most tests of a plan. A larger number is no plan.
const MOST: u64 = 1_000_000;

/// Parses the text of a line without its indentation.
pub(in crate::parse) fn tap(text: &str) -> Option<Tap<'_>> {
    let text = text.trim_end();
    if let Some(comment) = text.strip_prefix('#') {
        let comment = comment.strip_prefix(' ').unwrap_or(comment);
        return Some(match comment.trim_start().strip_prefix("Subtest: ") {
            Some(name) => Tap::Subtest(name.trim()),
            None => Tap::Comment(comment),
        });
    }
    if let Some(version) = text.strip_prefix("TAP version ") {
        return matches!(version.trim(), "12" | "13" | "14").then_some(Tap::Version);
    }
    if let Some(why) = text.strip_prefix("Bail out!") {
        return Some(Tap::BailOut(why.trim()));
    }
    plan(text).or_else(|| point(text).map(Tap::Test))
}

fn plan(text: &str) -> Option<Tap<'_>> {
    let rest = text.strip_prefix("1..")?;
    let (number, comment) = match rest.split_once('#') {
        Some((number, comment)) => (number, Some(comment)),
        None => (rest, None),
    };
    let number: u64 = number.trim().parse().ok()?;
    let reason = comment.map(|comment| directive(comment).map_or(comment, |(_, why)| why).trim());
    (number <= MOST).then_some(Tap::Plan(number, reason))
}

fn point(text: &str) -> Option<TestPoint> {
    let (is_ok, rest) = match text.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, text.strip_prefix("ok")?),
    };
    // `okay` is no test line, and `ok <tab>` is a line of go test.
    if !rest.is_empty() && !rest.starts_with(' ') || rest.contains('\t') {
        return None;
    }
    let (number, rest) = numbered(rest.trim_start());
    let (name, directive) = undirected(rest);
    let (status, reason) = match (directive, is_ok) {
        (Some((Directive::Skip, why)), _) => (CaseStatus::Skipped, Some(why.to_owned())),
        (Some((Directive::Todo, why)), false) => {
            (CaseStatus::Skipped, Some(format!("todo: {why}")))
        }
        (_, true) => (CaseStatus::Passed, None),
        (None, false) => (CaseStatus::Failed, None),
    };
    let name = name.trim();
    let name = name.strip_prefix("- ").unwrap_or(name);
    // With --timer prove ends a file with `ok  12 ms ( 0.00 usr …)`.
    if is_ok && name.starts_with("ms (") && name.ends_with(" CPU)") {
        return None;
    }
    let (name, seconds) = timed(name.trim());
    Some(TestPoint {
        number,
        name: unescaped(name),
        status,
        seconds,
        reason: reason.filter(|reason| !reason.trim().is_empty()),
    })
}

/// Separates `name in 1204ms`, as `bats --timing` writes it (`in 1sec` before 1.3), into the name
/// and the seconds.
fn timed(name: &str) -> (&str, Option<f64>) {
    let units = [("ms", 1000.0), ("sec", 1.0)];
    let parts = units.iter().find_map(|(unit, parts)| {
        let (name, time) = name.strip_suffix(unit)?.rsplit_once(" in ")?;
        Some((
            name.trim_end(),
            f64::from(time.parse::<u32>().ok()?) / parts,
        ))
    });
    parts.map_or((name, None), |(name, seconds)| (name, Some(seconds)))
}

/// Parses the test with this number behind output that lacks its line feed: `waiting...ok 2 name`.
pub(in crate::parse) fn glued(text: &str, number: u64) -> Option<TestPoint> {
    let marks = memchr::memmem::find_iter(text.as_bytes(), "ok ");
    let mut points = marks.filter_map(|at| {
        let at = text[..at].strip_suffix("not ").map_or(at, str::len);
        let is_apart = text[..at].ends_with(|c: char| !c.is_alphanumeric());
        let point = is_apart.then(|| point(&text[at..]))??;
        (point.number == Some(number)).then_some(point)
    });
    points.next()
}

/// Parses `12 - name` into the number and the rest.
fn numbered(text: &str) -> (Option<u64>, &str) {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    match number.parse() {
        Ok(number) if rest.is_empty() || rest.starts_with(' ') => (Some(number), rest),
        _ => (None, text),
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Directive {
    Skip,
    Todo,
}

/// Separates the description from the directive behind its last mark. A mark behind a backslash
/// belongs to the description.
fn undirected(text: &str) -> (&str, Option<(Directive, &str)>) {
    let marks = text.match_indices('#').map(|(at, _)| at);
    let escaped = |at: usize| {
        let before = text[..at].bytes().rev();
        before.take_while(|byte| *byte == b'\\').count() % 2 == 1
    };
    let found = marks.filter(|at| !escaped(*at)).find_map(|at| {
        let directive = directive(&text[at + 1..])?;
        Some((&text[..at], Some(directive)))
    });
    found.unwrap_or((text, None))
}

/// Parses ` SKIP why`, ` todo` or ` skipped: why`.
fn directive(comment: &str) -> Option<(Directive, &str)> {
    let comment = comment.trim_start();
    let word = comment.get(..4)?;
    let kind = match word.to_ascii_lowercase().as_str() {
        "skip" => Directive::Skip,
        "todo" => Directive::Todo,
        _ => return None,
    };
    let rest = &comment[4..];
    let why = rest
        .find(char::is_whitespace)
        .map_or("", |end| &rest[end..]);
    Some((kind, why.trim()))
}

/// Replaces `\#` by `#` and `\\` by `\`.
fn unescaped(text: &str) -> String {
    match text.contains('\\') {
        true => text.replace("\\#", "#").replace("\\\\", "\\"),
        false => text.to_owned(),
    }
}

/// The report of prove about a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::parse) struct ProveHeader<'a> {
    pub file: &'a str,
    /// The status and the message, if the file's own lines do not follow.
    pub end: Option<(CaseStatus, &'a str)>,
}

/// Parses `t/basic.t ..`, the header that prove -v writes above the output of a file, or `t/basic.t
/// .. ok`, the only line of a file without -v.
pub(in crate::parse) fn prove_header(text: &str) -> Option<ProveHeader<'_>> {
    let text = text.trim_end();
    // With --timer the time of day stands before, and the duration behind.
    let text = match text
        .strip_prefix('[')
        .and_then(|text| text.split_once("] "))
    {
        Some((time, rest)) if time.contains(':') => rest,
        _ => text,
    };
    let (file, rest) = text.split_once(" ..")?;
    let rest = &text[text.len() - rest.len() - 2..];
    let (dots, said) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_script = file.ends_with(".t") || file.contains('/') && !file.contains(": ");
    let is_header = is_script && dots.len() >= 2 && dots.bytes().all(|byte| byte == b'.');
    let end = match said {
        _ if !is_header => return None,
        "" => None,
        "ok" => Some((CaseStatus::Passed, "")),
        _ if said.starts_with("ok ") && said.contains(" ms") => Some((CaseStatus::Passed, "")),
        _ if said.starts_with("skipped") => Some((CaseStatus::Skipped, said)),
        _ => return None,
    };
    Some(ProveHeader { file, end })
}

/// Parses `Dubious, test returned 2 (wstat 512, 0x200)` and `Failed 2/11 subtests`: prove's verdict
/// on the file whose header stands above.
pub(in crate::parse) fn prove_verdict(text: &str) -> Option<&str> {
    let failed = text
        .strip_prefix("Failed ")
        .is_some_and(|rest| rest.trim_end().ends_with(" subtests"));
    let is_verdict = failed
        || text.starts_with("Dubious, test returned ")
        || text.trim_end() == "No subtests run";
    is_verdict.then(|| text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use CaseStatus::*;

    fn told(text: &str) -> (Option<u64>, String, CaseStatus, Option<String>) {
        let Some(Tap::Test(point)) = tap(text) else {
            panic!("{text} is no test: {:?}", tap(text));
        };
        (point.number, point.name, point.status, point.reason)
    }

    #[test]
    fn tests() {
        let some = |text: &str| Some(text.to_owned());
        let cases = [
            ("ok", None, "", Passed, None),
            ("ok 1", Some(1), "", Passed, None),
            ("ok 1 - adds", Some(1), "adds", Passed, None),
            ("not ok 2 adds", Some(2), "adds", Failed, None),
            ("ok - no number", None, "no number", Passed, None),
            ("ok 2nd try", None, "2nd try", Passed, None),
            (
                "ok 4 # skip no network here",
                Some(4),
                "",
                Skipped,
                some("no network here"),
            ),
            (
                "not ok 3 is skipped # SKIP no kvm",
                Some(3),
                "is skipped",
                Skipped,
                some("no kvm"),
            ),
            (
                "not ok 6 - a # TODO later",
                Some(6),
                "a",
                Skipped,
                some("todo: later"),
            ),
            ("ok 7 - a # TODO later", Some(7), "a", Passed, None),
            (
                "not ok 2 fails # with a mark",
                Some(2),
                "fails # with a mark",
                Failed,
                None,
            ),
            (r"ok 1 - a \# SKIP b", Some(1), "a # SKIP b", Passed, None),
            (
                "ok 1 a # b # skipped: why",
                Some(1),
                "a # b",
                Skipped,
                some("why"),
            ),
        ];
        for (text, number, name, status, reason) in cases {
            assert_eq!(
                told(text),
                (number, name.to_owned(), status, reason),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_line_of_tap() {
        let others = [
            "okay",
            "ok  \texample.com/x\t0.01s",
            "not okay",
            "1..x",
            "1...3",
            "1..99999999999",
            "TAP version 99",
            "bail out!",
            "",
        ];
        for text in others {
            assert_eq!(tap(text), None, "{text}");
        }
    }

    #[test]
    fn plans_and_the_rest() {
        assert_eq!(tap("1..4"), Some(Tap::Plan(4, None)));
        assert_eq!(
            tap("1..0 # SKIP no database"),
            Some(Tap::Plan(0, Some("no database")))
        );
        assert_eq!(tap("Bail out!  gone "), Some(Tap::BailOut("gone")));
        assert_eq!(tap("# Subtest: a group"), Some(Tap::Subtest("a group")));
        assert_eq!(
            tap("#   at x line 3."),
            Some(Tap::Comment("  at x line 3."))
        );
    }

    #[test]
    fn words_of_prove() {
        let end = |text| prove_header(text).map(|header| header.end.map(|(status, _)| status));
        assert_eq!(end("t/basic.t .. "), Some(None));
        assert_eq!(end("t/basic.t .. ok"), Some(Some(Passed)));
        assert_eq!(end("t/a.t ..... skipped: no database"), Some(Some(Skipped)));
        for other in [
            "wait for it ...",
            "a.c .. ok",
            "t/a.t . ok",
            "t/a.t .. building",
        ] {
            assert_eq!(end(other), None, "{other}");
        }
        assert!(prove_verdict("Failed 2/4 subtests ").is_some());
        assert!(prove_verdict("Dubious, test returned 2 (wstat 512, 0x200)").is_some());
        assert!(prove_verdict("Failed to start").is_none());
    }
}
