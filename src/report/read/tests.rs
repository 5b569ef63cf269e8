//! Files of real writers, and of attackers.

use proptest::prelude::*;

use super::*;
use crate::report::model::{AttemptKind, Case, CaseState};
use crate::report::{Dialect, from_run, write_document};

fn parse(xml: &str) -> Result<Document, ReadError> {
    read_junit(xml.as_bytes(), &Spool::default())
}

fn document(xml: &str) -> Document {
    parse(xml).unwrap_or_else(|error| panic!("{error}\n{xml}"))
}

/// Reads the cases inside one suite.
fn cases(inside: &str) -> Vec<Case> {
    let mut document = document(&format!("<testsuite name=\"s\">{inside}</testsuite>"));
    assert_eq!(document.suites.len(), 1, "{inside}");
    document.suites.remove(0).cases
}

fn one(inside: &str) -> Case {
    let mut cases = cases(inside);
    assert_eq!(cases.len(), 1, "{inside}");
    cases.remove(0)
}

fn error(xml: &str) -> String {
    match parse(xml) {
        Ok(document) => panic!("read: {document:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_state_in_its_dialects() {
    for (inside, state) in [
        (r#"<testcase name="a"/>"#, CaseState::Passed),
        (r#"<testcase name="a"></testcase>"#, CaseState::Passed),
        (
            r#"<testcase name="a"><failure/></testcase>"#,
            CaseState::Failed,
        ),
        (
            r#"<testcase name="a"><error/></testcase>"#,
            CaseState::Error,
        ),
        (
            r#"<testcase name="a"><skipped/></testcase>"#,
            CaseState::Skipped,
        ),
        // A test that failed and whose tear-down broke too.
        (
            r#"<testcase name="a"><error/><failure/></testcase>"#,
            CaseState::Failed,
        ),
        (
            r#"<testcase name="a"><flakyFailure type="x"/></testcase>"#,
            CaseState::Flaky,
        ),
        (
            r#"<testcase name="a"><flakyError type="x"/></testcase>"#,
            CaseState::Flaky,
        ),
        (
            r#"<testcase name="a"><failure/><rerunFailure type="x"/></testcase>"#,
            CaseState::Failed,
        ),
        (
            r#"<testcase name="a"><rerunFailure type="x"/></testcase>"#,
            CaseState::Failed,
        ),
        // GoogleTest
        (
            r#"<testcase name="a" status="notrun" result="suppressed"/>"#,
            CaseState::Skipped,
        ),
        (
            r#"<testcase name="a" status="run" result="completed"/>"#,
            CaseState::Passed,
        ),
        // ctest
        (
            r#"<testcase name="a" status="fail"><failure message="Failed"/></testcase>"#,
            CaseState::Failed,
        ),
        (
            r#"<testcase name="a" status="disabled"><skipped/></testcase>"#,
            CaseState::Skipped,
        ),
    ] {
        assert_eq!(one(inside).state, state, "{inside}");
    }
}

#[test]
fn what_is_said_of_a_case_is_kept() {
    let case = one(
        r#"<testcase classname="c" name="n" time="1,234.5" file="a.py" line="7">
        <properties><property name="p" value="v"/><property name="q">inside</property></properties>
        <failure type="AssertionError" message="one&#10;two"><![CDATA[body <b> & more]]> &lt;end&gt;</failure>
        <failure message="second"/>
        <system-out>out 1</system-out><system-out>out 2</system-out><system-err>err</system-err>
        </testcase>"#,
    );
    assert_eq!(
        (&*case.class, &*case.name, case.seconds),
        ("c", "n", Some(1234.5))
    );
    let details = case.details.as_ref().unwrap();
    assert_eq!(
        (details.file.as_deref(), details.line),
        (Some("a.py"), Some(7))
    );
    assert_eq!(details.properties.len(), 2);
    assert_eq!(&*details.properties[1].1, "inside");
    assert_eq!(details.out.load().unwrap(), "out 1\nout 2");
    assert_eq!(details.err.load().unwrap(), "err");
    assert_eq!(details.problems.len(), 2);
    assert_eq!(case.message(), "one two");
    // The lines of a message of several lines are not lost.
    assert_eq!(
        details.problems[0].body.load().unwrap(),
        "one\ntwo\nbody <b> & more <end>"
    );
}

#[test]
fn elements_of_any_namespace_and_attributes_of_none() {
    let document = document(
        r#"<j:testsuite xmlns:j="urn:j" xmlns:x="urn:x" name="s" x:name="no"><j:testcase x:name="no" name="a" j:classname="no">
        <j:failure type="T" x:type="no"/></j:testcase></j:testsuite>"#,
    );
    let (suite, case) = (&document.suites[0], &document.suites[0].cases[0]);
    assert_eq!((&*suite.name, &*case.name, &*case.class), ("s", "a", ""));
    assert_eq!(case.problems()[0].word.as_deref(), Some("T"));
}

#[test]
fn attempts_are_kept_with_their_output() {
    let case = one(r#"<testcase name="n">
        <flakyFailure type="t" message="m">text<stackTrace>trace</stackTrace><system-out>o</system-out></flakyFailure>
        <flakyError type="u"><system-err>e</system-err></flakyError>
        <system-out>of the case</system-out></testcase>"#);
    let attempts = case.attempts();
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0].kind, AttemptKind::FlakyFailure);
    assert_eq!(attempts[0].body.load().unwrap(), "text\ntrace");
    assert_eq!(attempts[0].out.load().unwrap(), "o");
    assert_eq!(attempts[1].err.load().unwrap(), "e");
    assert_eq!(case.message(), "m");
    assert_eq!(
        case.details.as_ref().unwrap().out.load().unwrap(),
        "of the case"
    );
}

#[test]
fn suites_in_suites_become_flat_and_keep_their_order() {
    let document = document(
        r#"<testsuites><testsuite name="outer"><testsuite name="A"><testcase name="1"/>
        <testsuite name=""><testcase name="2"/></testsuite></testsuite><testsuite name="B"/></testsuite></testsuites>"#,
    );
    let names: Vec<_> = document
        .suites
        .iter()
        .map(|suite| (&*suite.name, suite.cases.len()))
        .collect();
    assert_eq!(names, [("A", 1), ("A", 1), ("B", 0)]);
}

#[test]
fn a_suite_that_broke_itself_gets_a_case_for_it() {
    let case = one(r#"<error message="set-up broke"/>"#);
    assert_eq!((case.state, &*case.name), (CaseState::Error, "s"));
    assert_eq!(
        document("<testsuites><testcase name='a'/></testsuites>")
            .counts()
            .total(),
        1
    );
}

#[test]
fn less_than_was_promised_is_said() {
    const PASSED: &str = r#"<testcase name="p"/>"#;
    const FAILED: &str = r#"<testcase name="f"><failure/></testcase>"#;
    const FLAKY: &str = r#"<testcase name="f"><flakyFailure type="t"/></testcase>"#;
    for (suite, root, inside, said) in [
        ("tests='3'", "", FAILED, "s says 3 cases, holds 1"),
        ("", "tests='3'", FAILED, "the whole says 3 cases, holds 1"),
        ("tests='3'", "tests='3'", FAILED, "s says 3 cases, holds 1"),
        (
            "failures='1' errors='2'",
            "",
            PASSED,
            "s says 3 failures, holds none",
        ),
        (
            "",
            "errors='2'",
            PASSED,
            "the whole says 2 failures, holds none",
        ),
        ("tests='1' failures='2' errors='0'", "tests='1'", FAILED, ""),
        ("failures='1'", "", FLAKY, ""),
        ("tests='0' failures='none'", "tests=''", PASSED, ""),
    ] {
        let document = document(&format!(
            "<testsuites {root}><testsuite name='s' {suite}>{inside}</testsuite></testsuites>"
        ));
        let texts: Vec<_> = document.notices.iter().map(|one| &*one.text).collect();
        let expected = match said {
            "" => vec![],
            said => vec![format!("suites hold fewer cases than they declare: {said}")],
        };
        assert_eq!(texts, expected, "{suite} {root}");
    }
}

#[test]
fn cases_where_no_writer_puts_them_are_not_lost() {
    const FAILED: &str = r#"<testcase name="f"><failure/></testcase>"#;
    for inside in [
        format!("<testcase name='outer'>{FAILED}</testcase>"),
        format!("<testcase name='outer'><testsuite>{FAILED}</testsuite></testcase>"),
        format!("<testcase name='outer'/><group><subgroup>{FAILED}</subgroup></group>"),
    ] {
        let document = document(&format!("<testsuite name='s'>{inside}</testsuite>"));
        assert_eq!(
            document.counts().sentence(),
            "1 failed, 1 passed",
            "{inside}"
        );
    }
}

#[test]
fn files_of_other_encodings_are_read() {
    let xml = "<?xml version='1.0' encoding='ISO-8859-1'?><testsuite name='gr\u{f6}\u{df}e'/>";
    let latin: Vec<u8> = xml.chars().map(|one| one as u8).collect();
    let document = read_junit(&latin[..], &Spool::default()).unwrap();
    assert_eq!(&*document.suites[0].name, "größe");
    let raw =
        b"<testsuite name='s'><testcase name='raw \xff'/><testcase name='other'/></testsuite>";
    let document = read_junit(&raw[..], &Spool::default()).unwrap();
    let names: Vec<_> = document.suites[0]
        .cases
        .iter()
        .map(|case| &*case.name)
        .collect();
    assert_eq!(names, ["raw \u{fffd}", "other"]);
}

#[test]
fn text_is_made_harmless() {
    let case = one(
        "<testcase name='\u{1b}[31mred\u{1b}[0m&#0;&#27;'><failure>&#x1b;[1mbold&#27;[0m\r\nnext</failure></testcase>",
    );
    assert_eq!(&*case.name, "red\u{fffd}");
    assert_eq!(case.problems()[0].body.load().unwrap(), "bold\nnext");
}

#[test]
fn what_is_no_report_is_named() {
    assert_eq!(error(""), "is empty");
    assert_eq!(error(" \n <!-- nothing --> "), "is empty");
    assert!(error("<html><body/></html>").contains("its root is <html>"));
    assert!(error("<testsuite></testsuites>").contains("not well-formed XML at line 1"));
    assert!(error("<testsuite/>\n<testsuite/>").contains("more than one root"));
    assert!(error("<testsuite/>more").contains("text outside its root"));
    assert!(error("<testsuite name=\"a\" <b/></testsuite>").contains("not well-formed"));
}

#[test]
fn a_file_cut_anywhere_is_never_read_as_a_smaller_one() {
    let whole = r#"<?xml version="1.0"?>
<testsuites><testsuite name="s"><testcase name="a"><failure message="m"><![CDATA[x]]>&lt;</failure></testcase></testsuite></testsuites>"#;
    document(whole);
    for length in 0..whole.len() {
        let cut = &whole[..length];
        let error = error(cut);
        let inside = cut.contains("<testsuites>");
        assert_eq!(error.contains("is truncated"), inside, "{cut}: {error}");
    }
}

#[test]
fn hostile_files_are_refused() {
    let bomb = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><testsuite name=\"&lol2;\"/>";
    assert!(error(bomb).contains("declares a document type"));
    let outside = "<!DOCTYPE t SYSTEM \"file:///etc/passwd\"><testsuite/>";
    assert!(error(outside).contains("declares a document type"));
    assert!(error("<testsuite>&lol;</testsuite>").contains("uses the entity `&lol;`"));
    assert!(error("<testsuite name='&lol;'/>").contains("uses the entity `&lol;`"));
    let deep = "<testsuite>".repeat(1_000_000);
    assert!(error(&deep).contains("nests elements deeper than 100"));
    let long = format!("<testsuite name=\"{}\"/>", "x".repeat(2 << 20));
    assert!(error(&long).contains("has a tag longer than 1024 KiB"));
}

#[test]
fn an_endless_tag_does_not_fill_the_memory() {
    let endless = std::io::Read::chain(&b"<testsuite name=\""[..], std::io::repeat(b'x'));
    let reader = std::io::BufReader::new(endless);
    let error = read_junit(reader, &Spool::default()).unwrap_err();
    assert!(error.to_string().contains("longer than 64 MiB"), "{error}");
}

#[test]
fn what_is_written_is_read_back() {
    let run = crate::report::tests::sample::everything().run();
    let written = from_run(&run, &crate::report::tests::sample::nowhere());
    let mut bytes = Vec::new();
    write_document(&written, Dialect::Full, &mut bytes).unwrap();
    let read = read_junit(&bytes[..], &Spool::default()).unwrap();
    assert_eq!(read.counts(), written.counts());
    assert_eq!(read.suites, written.suites);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_junit(&bytes[..], &Spool::default());
    }

    #[test]
    fn no_pieces_of_xml_make_it_panic(picks in prop::collection::vec(0..14usize, 0..40)) {
        const PIECES: [&str; 14] = [
            "<testsuites>", "<testsuite name='a' tests='9'>", "<testcase name='x' classname='y'>", "<failure message='m'>",
            "text", "</failure>", "</testcase>", "</testsuite>", "</testsuites>", "<system-out>", "</system-out>",
            "<flakyFailure>", "</flakyFailure>", "<![CDATA[ ]]>",
        ];
        let text: String = picks.iter().map(|pick| PIECES[*pick]).collect();
        let _ = parse(&text);
    }
}
