//! The choice of the pipeline.

use std::fs;
use std::path::Path;

use crate::config::*;

#[test]
fn a_shipped_name_is_that_pipeline() {
    for (name, _) in shipped() {
        assert_eq!(
            locate(Some(name), Path::new("/")).unwrap(),
            Some(PipelineSource::Shipped(name))
        );
    }
}

#[test]
fn a_path_is_a_file_whether_or_not_it_is_there() {
    for path in ["./kata-v1", "other.toml", "/nowhere/pipeline"] {
        assert_eq!(
            locate(Some(path), Path::new("/")).unwrap(),
            Some(PipelineSource::File(path.into()))
        );
    }
    // Tests run in the directory of the crate.
    assert_eq!(
        locate(Some("LICENSE"), Path::new("/")).unwrap(),
        Some(PipelineSource::File("LICENSE".into()))
    );
}

#[test]
fn an_unknown_name_is_refused_with_the_known_ones() {
    let error = locate(Some("kata-v2"), Path::new("/"))
        .unwrap_err()
        .to_string();
    insta::assert_snapshot!(error);
    for name in ["", "\u{1b}[2J"] {
        let error = locate(Some(name), Path::new("/")).unwrap_err().to_string();
        assert!(
            error.contains("unknown pipeline") && !error.contains('\u{1b}'),
            "{error}"
        );
    }
}

#[test]
fn the_nearest_file_upwards_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let deep = directory.path().join("one/two");
    fs::create_dir_all(&deep).unwrap();
    let far = directory.path().join("kata-ci.toml");
    fs::write(&far, "").unwrap();
    assert_eq!(
        locate(None, &deep).unwrap(),
        Some(PipelineSource::File(far))
    );
    let near = directory.path().join("one/kata-ci.toml");
    fs::write(&near, "").unwrap();
    assert_eq!(
        locate(None, &deep).unwrap(),
        Some(PipelineSource::File(near))
    );
}

#[test]
fn a_link_that_leads_nowhere_is_no_reason_to_look_further() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("kata-ci.toml");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    let source = locate(None, directory.path()).unwrap().unwrap();
    assert_eq!(source, PipelineSource::File(link));
    assert!(load(&source, &Overrides::default(), None).is_err());
}

#[test]
fn where_there_is_none_there_is_none() {
    // No file of this name lies in the root of any machine tests run on.
    assert_eq!(locate(None, Path::new("/nowhere/at/all")).unwrap(), None);
}
