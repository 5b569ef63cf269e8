//! Tests every misbehaving fixture: the expected verdict, in time, without leftovers.
//!
//! Each fixture's own Makefile states what is expected; fixtures/README.md explains these lines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::workspace::{fixtures, misbehaving, write};
use crate::support::{Finished, processes, run_in};

/// Time limit of a job that never ends, in seconds. Others get the time that a busy machine needs.
const TIMEOUT: f64 = 3.0;
const TIMEOUT_OF_THE_ENDING: f64 = 300.0;
const GRACE: f64 = 1.0;
/// Time that a run may take beyond its timeout and grace time…
const SLACK: f64 = 1.0;
/// …and that kata-ci itself may take to start, prepare and report on a busy machine.
const AROUND: f64 = 6.0;

/// A prepared copy of a fixture.
pub struct Fixture {
    pub place: TempDir,
    /// The name of its component.
    pub name: String,
    pub header: Header,
}

/// The header of a fixture's Makefile.
#[derive(Default)]
pub struct Header {
    pub expect: Vec<(String, String)>,
    cases: BTreeMap<String, BTreeMap<String, u64>>,
    pub env: Vec<(String, String)>,
    prepare: Option<String>,
    pub requires: Vec<String>,
}

fn pairs(words: &str) -> impl Iterator<Item = (String, String)> + '_ {
    words
        .split_whitespace()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

fn header(makefile: &Path) -> Header {
    let text = std::fs::read_to_string(makefile).expect("a Makefile");
    let mut header = Header::default();
    for line in text.lines().filter_map(|line| line.strip_prefix("# ")) {
        match line.split_once(": ") {
            Some(("expect", words)) => header.expect.extend(pairs(words)),
            Some(("env", words)) => header.env.extend(pairs(words)),
            Some(("prepare", command)) => header.prepare = Some(command.to_owned()),
            Some(("requires", word)) => header.requires.push(word.to_owned()),
            Some(("cases", words)) => {
                let (step, counts) = words.split_once(' ').unwrap_or((words, ""));
                let counts =
                    pairs(counts).map(|(name, count)| (name, count.parse().expect("a number")));
                header.cases.insert(step.to_owned(), counts.collect());
            }
            _ => {}
        }
    }
    header
}

/// Copies a fixture and prepares it by its header.
pub fn prepared(fixture: &str) -> Fixture {
    let place = misbehaving(fixture);
    let name = Path::new(fixture)
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a name")
        .to_owned();
    let directory = place.path().join(&name);
    let header = header(&directory.join("Makefile"));
    assert!(
        !header.expect.is_empty(),
        "{fixture} says nothing of what is expected"
    );
    if let Some(command) = &header.prepare {
        let prepared = Command::new("sh")
            .args(["-c", command])
            .current_dir(&directory)
            .output()
            .expect("sh runs");
        assert!(
            prepared.status.success(),
            "{}",
            String::from_utf8_lossy(&prepared.stderr)
        );
    }
    pipeline(place.path(), &name, &header);
    Fixture {
        place,
        name,
        header,
    }
}

fn behaves(fixture: &str) {
    let Fixture {
        place,
        name,
        header,
    } = prepared(fixture);
    for (step, outcome) in &header.expect {
        let timeout = if outcome == "timed-out" {
            TIMEOUT
        } else {
            TIMEOUT_OF_THE_ENDING
        };
        let mut run = run_in(place.path()).args(["-s", step]).args([
            "--timeout",
            &format!("{timeout}s"),
            "--grace",
            &format!("{GRACE}s"),
        ]);
        for (variable, value) in &header.env {
            run = run.env(variable, value);
        }
        let run = run.finish();
        judged(
            fixture,
            &run,
            &format!("{name}.{step}"),
            outcome,
            header.cases.get(step),
        );
        in_time(fixture, &run, &format!("{name}.{step}"), timeout);
        let marker = place.path().to_str().expect("text");
        assert_eq!(
            processes::with(marker),
            Vec::<String>::new(),
            "{fixture} {step}"
        );
    }
}

/// Writes a pipeline that extends `makefile`, with the requirements of the fixture.
fn pipeline(place: &Path, name: &str, header: &Header) {
    let requires: Vec<_> = header
        .requires
        .iter()
        .map(|word| format!("{word:?}"))
        .collect();
    let text = format!(
        "version = 1\nextends = \"makefile\"\n[[component]]\nname = \"{name}\"\npath = \"{name}\"\nrequires = [{}]\n",
        requires.join(", ")
    );
    write(&place.join("kata-ci.toml"), &text);
}

fn judged(
    fixture: &str,
    run: &Finished,
    id: &str,
    outcome: &str,
    cases: Option<&BTreeMap<String, u64>>,
) {
    let job = run.job(id);
    assert_eq!(
        job["outcome"],
        *outcome,
        "{fixture} {id}: {job:#}\n{}",
        run.printed()
    );
    assert_eq!(
        run.code == 0,
        outcome == "passed",
        "{fixture} {id}: exit {}",
        run.code
    );
    if let Some(cases) = cases {
        assert_eq!(run.cases(id), *cases, "{fixture} {id}: {job:#}");
    }
    let junit = run.junit();
    let document = quick_xml_text(&junit);
    assert!(document.contains(id), "{fixture}: {junit}");
}

/// Reads junit.xml with a parser that refuses everything outside of XML 1.0.
fn quick_xml_text(junit: &str) -> String {
    let document = roxmltree::Document::parse(junit).expect("junit.xml is well-formed");
    document
        .descendants()
        .filter_map(|node| node.attribute("name"))
        .collect()
}

fn in_time(fixture: &str, run: &Finished, id: &str, timeout: f64) {
    let limit = timeout + GRACE + SLACK;
    let seconds = run.job(id)["seconds"].as_f64().expect("seconds");
    assert!(seconds <= limit, "{fixture} {id}: the job took {seconds} s");
    assert!(
        run.seconds <= limit + AROUND,
        "{fixture} {id}: the run took {} s",
        run.seconds
    );
}

macro_rules! fixtures_behave {
    ($($test:ident: $fixture:literal,)*) => {
        $(#[test] fn $test() { behaves($fixture); })*
        /// All of them.
        pub const TESTED: &[&str] = &[$($fixture),*];
    };
}

fixtures_behave! {
    ask_terminal: "ask-terminal",
    busy_loop: "busy-loop",
    carriage_returns: "carriage-returns",
    cdata_end: "cdata-end",
    control_characters: "control-characters",
    crlf: "crlf",
    exit_nonzero_all_passed: "exit-nonzero-all-passed",
    exit_zero_with_failed_case: "exit-zero-with-failed-case",
    flood: "flood",
    flood_endless_line: "flood-endless-line",
    fork_and_exit: "fork-and-exit",
    fork_many: "fork-many",
    hang: "hang",
    hold_sockets: "hold-sockets",
    huge_line: "huge-line",
    ignore_term: "ignore-term",
    invalid_utf8: "invalid-utf8",
    keep_pipe: "keep-pipe",
    kill_parent: "kill-parent",
    missing_program: "missing-program",
    read_stdin: "read-stdin",
    setsid_escape: "setsid-escape",
    silent_success: "silent-success",
    test_never_ended: "test-never-ended",
    unterminated_escape: "unterminated-escape",
    vacuous_all_filtered: "vacuous/all-filtered",
    vacuous_all_ignored: "vacuous/all-ignored",
    vacuous_all_skipped: "vacuous/all-skipped",
    vacuous_faketty: "vacuous/faketty",
    vacuous_gnumakeflags_n: "vacuous/gnumakeflags-n",
    vacuous_makefiles: "vacuous/makefiles",
    vacuous_makeflags_n: "vacuous/makeflags-n",
    vacuous_modules_on: "vacuous/modules-on",
    vacuous_no_test_files: "vacuous/no-test-files",
    vacuous_no_tests_to_run: "vacuous/no-tests-to-run",
    vacuous_nothing_to_be_done: "vacuous/nothing-to-be-done",
    vacuous_origin_renamed: "vacuous/origin-renamed",
    vacuous_skipped_virtualization: "vacuous/skipped-virtualization",
    vacuous_target_is_directory: "vacuous/target-is-directory",
}

#[test]
fn no_fixture_is_forgotten() {
    let root = fixtures().join("misbehaving");
    let below = |directory: &Path, prefix: &str| -> BTreeSet<String> {
        std::fs::read_dir(directory)
            .expect("fixtures")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.join("Makefile").exists())
            .filter_map(|path| Some(format!("{prefix}{}", path.file_name()?.to_str()?)))
            .collect()
    };
    let mut there = below(&root, "");
    there.extend(below(&root.join("vacuous"), "vacuous/"));
    assert_eq!(
        there,
        TESTED.iter().map(|name| (*name).to_owned()).collect()
    );
}
