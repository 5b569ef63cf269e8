//! Laws of any JUnit file: real ones with changed bytes, and documents in each style.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::report::model::{CaseState, Document, Spool};
use crate::report::{Dialect, fit, read, write_document, write_markdown};

/// The data that must survive: suites, and the class, name and state of their cases, in order.
type Essence = Vec<(String, Vec<(String, String, CaseState)>)>;

fn essence(document: &Document) -> Essence {
    let case = |case: &crate::report::model::Case| {
        (case.class.to_string(), case.name.to_string(), case.state)
    };
    let suites = document.suites.iter();
    suites
        .map(|suite| {
            (
                suite.name.to_string(),
                suite.cases.iter().map(case).collect(),
            )
        })
        .collect()
}

fn written(document: &Document, dialect: Dialect) -> Document {
    let mut xml = Vec::new();
    write_document(document, dialect, &mut xml).unwrap();
    read::read_junit(xml.as_slice(), &Spool::default()).unwrap()
}

fn corpus() -> Vec<Vec<u8>> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/junit/corpus");
    let files = fs::read_dir(place).unwrap();
    files
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .filter(|bytes| bytes.len() < 64 << 10)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_changed_file_is_an_error_or_the_same_document_in_every_form(
        file in proptest::sample::select(corpus()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        end in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut file = file;
        for (place, byte) in changes {
            let at = place.index(file.len());
            file[at] = byte;
        }
        if let Some(end) = end {
            file.truncate(end.index(file.len()));
        }
        let Ok(document) = read::read_junit(file.as_slice(), &Spool::default()) else {
            return Ok(());
        };
        prop_assert_eq!(essence(&written(&document, Dialect::Full)), essence(&document));
        for dialect in [Dialect::Jenkins, Dialect::GitHub, Dialect::GitLab] {
            let (fitted, _) = fit(document.clone(), dialect).unwrap();
            prop_assert_eq!(fitted.counts(), document.counts());
            prop_assert_eq!(essence(&written(&fitted, dialect)), essence(&fitted));
        }
        let mut markdown = Vec::new();
        write_markdown(&document, &mut markdown).unwrap();
        prop_assert!(markdown.len() < 1 << 20);
    }
}
