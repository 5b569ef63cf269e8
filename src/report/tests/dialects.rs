//! The limits of each consumer.

use crate::report::model::Document;
use crate::report::read::read_junit;
use crate::report::{Dialect, fit, write_document};

fn written(cases: &str, dialect: Dialect) -> (String, Vec<String>) {
    let xml = format!("<testsuite name=\"s\">{cases}</testsuite>");
    let document: Document = read_junit(xml.as_bytes(), &Default::default()).unwrap();
    let (document, said) = fit(document, dialect).unwrap();
    let mut bytes = Vec::new();
    write_document(&document, dialect, &mut bytes).unwrap();
    (String::from_utf8(bytes).unwrap(), said)
}

#[test]
fn file_and_line_where_they_are_read() {
    let case = r#"<testcase classname="c" name="n" file="a.go" line="3"><failure message="m"/></testcase>"#;
    for (dialect, has) in [
        (Dialect::Jenkins, false),
        (Dialect::GitLab, true),
        (Dialect::GitHub, true),
        (Dialect::Full, true),
    ] {
        let (xml, _) = written(case, dialect);
        assert_eq!(
            xml.contains("file=\"a.go\" line=\"3\""),
            has,
            "{dialect:?}: {xml}"
        );
    }
}

#[test]
fn gitlab_gets_names_of_their_own_and_output_in_the_failure() {
    let case = r#"<testcase classname="c" name="n"><failure>body</failure><system-out>printed</system-out></testcase>"#;
    let (xml, said) = written(&case.repeat(3), Dialect::GitLab);
    assert!(
        xml.contains("name=\"n\"")
            && xml.contains("name=\"n #2\"")
            && xml.contains("name=\"n #3\""),
        "{xml}"
    );
    assert!(
        xml.contains("body\nprinted</failure>") && !xml.contains("system-out"),
        "{xml}"
    );
    assert!(said.is_empty());
}

#[test]
fn gitlab_gets_no_more_cases_than_it_takes() {
    let bad = r#"<testcase name="bad"><failure/></testcase>"#;
    let cases = format!("{}{bad}", r#"<testcase name="n"/>"#.repeat(500_010));
    let (xml, said) = written(&cases, Dialect::GitLab);
    assert_eq!(xml.matches("<testcase").count(), 500_000);
    assert!(xml.contains("name=\"bad\""));
    assert!(said[0].contains("11 that passed are left out"), "{said:?}");
}

#[test]
fn long_output_keeps_its_ends() {
    let case = format!(
        "<testcase name=\"n\"><failure/><system-out>first{0}last</system-out></testcase><system-out>{0}</system-out>",
        "x".repeat(1 << 20)
    );
    for (dialect, most) in [
        (Dialect::Jenkins, 202_000),
        (Dialect::GitLab, 101_000),
        (Dialect::GitHub, 122_000),
    ] {
        let (xml, _) = written(&case, dialect);
        assert!(
            xml.len() < most && xml.contains("first") && xml.contains("last"),
            "{dialect:?}"
        );
    }
}
