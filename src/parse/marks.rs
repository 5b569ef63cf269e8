//! Finds the texts without which a line cannot matter.
//!
//! Each recogniser has its marks, and is asked about a line only if the line holds one of them, or
//! if the recogniser is in the middle of something. So a line that cannot matter costs next to
//! nothing: a search with vector instructions looks for short [anchors](Marking::next) in many
//! bytes at once, and only a line with one is looked at again, for its [`Marks`].

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use aho_corasick::packed;
use memchr::{memchr, memchr_iter};

use super::mark_table::{Mark, MarkTable};

/// The first byte of an escape sequence, which may stand inside of any mark.
pub(super) const ESCAPE: u8 = 0x1b;

/// The fewest bytes of an anchor: shorter ones would stop the search all the time.
#[cfg(test)]
const SHORTEST: usize = 3;
/// The most anchors that the search with vector instructions takes.
#[cfg(test)]
const MOST: usize = 64;

/// The most bytes of a line that is looked at without a search for anchors.
const LONG: usize = 512;
/// The bytes at both ends of a line in which a mark may be that has no anchor.
const END: usize = 64;

/// The recognisers that a line may matter to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks(u32);

impl Marks {
    pub(super) const JSON: Self = Self(1);
    pub(super) const GO: Self = Self(1 << 1);
    pub(super) const LIBTEST: Self = Self(1 << 2);
    pub(super) const TAP: Self = Self(1 << 3);
    pub(super) const PROOF: Self = Self(1 << 4);
    pub(super) const MAKE: Self = Self(1 << 5);
    pub(super) const MISSING: Self = Self(1 << 6);
    pub(super) const CHECK: Self = Self(1 << 7);
    pub(super) const GTEST: Self = Self(1 << 8);
    pub(super) const CTEST: Self = Self(1 << 9);
    pub(super) const PYTEST: Self = Self(1 << 10);
    pub(super) const UNITTEST: Self = Self(1 << 11);
    pub(super) const NEXTEST: Self = Self(1 << 12);
    pub(super) const LIBTEST_JSON: Self = Self(1 << 13);
    pub(super) const GOTESTSUM: Self = Self(1 << 14);
    pub(super) const GINKGO: Self = Self(1 << 15);
    pub(super) const BATS: Self = Self(1 << 16);
    pub(super) const CATCH2: Self = Self(1 << 17);
    pub(super) const PROVE: Self = Self(1 << 18);
    pub(super) const AUTOMAKE: Self = Self(1 << 19);
    /// The lines of `go test` that tell the start or the end of a test.
    pub(super) const GO_FRAME: Self = Self(1 << 20);
    /// The lines of `go test` that tell the end of a package.
    pub(super) const GO_END: Self = Self(1 << 21);
    /// The lines that tell what `go test` runs.
    pub(super) const GO_RUN: Self = Self(1 << 25);
    /// The last words of a test binary of Go.
    pub(super) const GO_WORD: Self = Self(1 << 26);
    /// The results of benchmarks of Go.
    pub(super) const GO_BENCHMARK: Self = Self(1 << 27);
    /// The words of make itself.
    pub(super) const OF_MAKE: Self = Self(1 << 22);
    /// The words of compilers, cargo and go that give up.
    pub(super) const GIVEN_UP: Self = Self(1 << 23);
    /// The name of a checker.
    pub(super) const CHECKER: Self = Self(1 << 24);

    /// The marks that matter beside others only.
    const DETAILS: Self = Self::CHECKER.and(Self::GO_WORD);

    /// Returns both.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns true if the two have a recogniser in common.
    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns true if no recogniser is concerned.
    pub(super) const fn is_empty(self) -> bool {
        self.0 & !Self::DETAILS.0 == 0
    }

    /// Returns the marks in a line.
    pub(super) fn of(line: &[u8]) -> Self {
        MARKING.as_ref().map_or(Self(u32::MAX), |all| all.of(line))
    }

    /// Returns all marks.
    #[cfg(test)]
    pub(super) fn all() -> Self {
        Self(u32::MAX)
    }

    /// Returns the marks in a line that has any, or an escape sequence.
    pub(super) fn that_matter(line: &[u8]) -> Option<Self> {
        let is_dull = line.len() > LONG
            && MARKING
                .as_ref()
                .is_some_and(|all| all.next(line, 0).is_none());
        let marks = match is_dull {
            // The marks at both ends of a line may have no anchor in it.
            true => Self::of(&line[..END]).and(Self::of(&line[line.len() - END..])),
            false => Self::of(line),
        };
        (!marks.is_empty() || memchr(ESCAPE, line).is_some()).then_some(marks)
    }

    /// Returns the marks that only the escape sequences of a line are.
    pub(super) fn of_escapes(line: &[u8]) -> Self {
        let moves =
            |at: usize| line[at..].starts_with(b"\x1b[1G") || line[at..].starts_with(b"\x1b[K");
        match line.starts_with(b"\x1b[34;1m") || memchr_iter(ESCAPE, line).any(moves) {
            true => Self::BATS,
            false => Self::default(),
        }
    }
}

const GO_AND_RUST: Marks = Marks::GO.and(Marks::LIBTEST);
const WORDS: Marks = Marks::UNITTEST.and(Marks::AUTOMAKE);

/// The marks. `^` and `$` stand for the beginning and the end of the line, `\d` for a digit.
const MARKS: &[(Marks, &[&str])] = &[
    (Marks::JSON.and(Marks::PROOF), &["\"Action\""]),
    (GO_AND_RUST, &["--- ", "signal: ", "panic"]),
    (Marks::GO_FRAME, &["--- ", "=== "]),
    (Marks::GO_RUN, &["go test ", "INFO: Running 'go test'"]),
    (Marks::GO_WORD, &["PASS", "FAIL", "no tests to run"]),
    (Marks::GO_BENCHMARK, &[" ns/op"]),
    (Marks::GO_END, &["ok  \t", "FAIL\t", "?   \t", "coverage: "]),
    (
        Marks::GO,
        &[
            "=== ",
            "^PASS$",
            "^FAIL$",
            "FAIL$",
            "no tests to run",
            " ns/op",
            "go test ",
            "Ran 0 of ",
            ".go:",
            "fatal error: ",
            "coverage: ",
            "^# ",
            "exit status ",
            "WARNING: DATA RACE",
            "Error Trace:",
            "got:",
            "INFO: Running 'go test'",
        ],
    ),
    (
        Marks::GO.and(Marks::GINKGO),
        &["ok  \t", "FAIL\t", "?   \t"],
    ),
    (
        Marks::LIBTEST,
        &[
            "running ",
            "Running ",
            "Doc-tests ",
            " ... ",
            "test result: ",
            "failures:",
            "has overflowed",
            "Error: ",
            "error: ",
            "error[",
            "process didn't exit",
        ],
    ),
    (
        Marks::TAP,
        &[
            "TAP version ",
            r"^1..\d",
            "^ok$",
            "^ok ",
            "not ok ",
            "^not ok$",
            "Bail out!",
            "^# ",
        ],
    ),
    (
        Marks::TAP.and(Marks::PROVE),
        &[
            " ..",
            "Dubious, test returned ",
            "No subtests run",
            " subtests",
        ],
    ),
    (
        Marks::PROOF,
        &[
            "FAIL$",
            "error: ",
            "^go: ",
            ".go:",
            "make: ",
            "make[",
            "*** Error code ",
        ],
    ),
    (Marks::OF_MAKE, &["make: ", "make["]),
    (Marks::GIVEN_UP, &["error: ", "^go: ", ".go:"]),
    (
        Marks::MAKE,
        &["make: ", "make[", "*** [", ": *** ", "INFO: ", "--ignored"],
    ),
    (
        Marks::MISSING,
        &[
            "not found",
            "o such file",
            "no such command",
            "ermission denied",
            "error: could not execute ",
            "installed",
            "lease install",
            "ENOENT",
        ],
    ),
    (
        Marks::CHECK,
        &["INFO: ", "ERROR: ", "Found 0 commits", "make: ***"],
    ),
    (Marks::GTEST, &["[==========] ", "[  FAILED  ] "]),
    (Marks::CTEST, &["Test project /", "No tests were found!!!"]),
    (
        Marks::PYTEST,
        &[
            "=== test session starts",
            "%]$",
            "Fatal Python error",
            r"ed in \d",
            r"ed, \d",
            r"error in \d",
            r"errors in \d",
            r"error, \d",
            r"errors, \d",
            r"tests ran in \d",
        ],
    ),
    (WORDS, &["========", "FAIL: ", "ERROR: "]),
    (Marks::UNITTEST, &[" ... ", r"Ran \d"]),
    (Marks::AUTOMAKE, &["PASS: ", "SKIP: "]),
    (Marks::NEXTEST, &["tests across ", "test across "]),
    (
        Marks::LIBTEST_JSON,
        &["\"type\":\"", "\"type\": \"", "Running ", "Doc-tests "],
    ),
    (
        Marks::GOTESTSUM,
        &[
            "✓  ",
            "✖",
            "∅",
            "↷",
            "^EMPTY ",
            "]·",
            "^PASS ",
            "^FAIL ",
            "^SKIP ",
            " ✓ ",
            r"^DONE \d",
        ],
    ),
    (
        Marks::GINKGO,
        &["Running Suite: ", " specs ", "Ginkgo ran "],
    ),
    (Marks::BATS, &[" ✓ ", " ✗ ", "(skipped", " failure"]),
    (Marks::CATCH2, &["a Catch v", "a Catch2 v", "========"]),
    (Marks::PROVE, &["Tests: ", "Tests="]),
];

/// The sign for a digit, which only stands at the end of a mark.
const DIGIT: &str = r"\d";

/// Parts that several marks have in common. Each of them is one anchor instead of several.
const COMMON: &[&str] = &[
    "unning ",
    "rror",
    "FAIL",
    "PASS",
    "SKIP",
    "make",
    "across ",
    "a Catch",
    "exit",
    "tests",
    "Tests",
    "test re",
    "\"type\":",
    "✓",
    "1..",
    "EMPTY ",
    "DONE ",
    "go: ",
    "not ok",
    "\nok",
    "\rok",
    "instal",
    "o such",
    "*** ",
    "===",
    "failure",
    "ound",
];

static MARKING: LazyLock<Option<Marking>> = LazyLock::new(Marking::new);

/// The programs of checks that scripts look for themselves, and miss in words of their own.
pub(super) const CHECKERS: &[&str] = &[
    "actionlint",
    "black",
    "buf",
    "checkcommits",
    "checkmake",
    "chronic",
    "clang-format",
    "clang-tidy",
    "codespell",
    "cppcheck",
    "dep",
    "eslint",
    "flake8",
    "gofumpt",
    "goimports",
    "golangci-lint",
    "gometalinter",
    "gosec",
    "hadolint",
    "hunspell",
    "jq",
    "markdownlint",
    "mypy",
    "pandoc",
    "protoc",
    "pylint",
    "revive",
    "ruff",
    "shellcheck",
    "shfmt",
    "staticcheck",
    "xurls",
    "yamllint",
    "yq",
];

/// The searchers for all marks.
#[derive(Debug)]
pub(super) struct Marking {
    anchors: Anchors,
    table: MarkTable,
}

/// A search for the anchors in many bytes at once, or byte by byte where the processor has no
/// instructions for that.
#[derive(Debug)]
pub(super) enum Anchors {
    Packed(packed::Searcher),
    Plain(AhoCorasick),
}

impl Marking {
    /// Returns the searchers; `None` if they cannot be built. A test builds them.
    pub(super) fn get() -> Option<&'static Self> {
        MARKING.as_ref()
    }

    fn new() -> Option<Self> {
        let names = CHECKERS.iter().flat_map(|name| as_word(name));
        let names = names.map(|name| (Marks::CHECKER, name));
        let texts = (MARKS.iter())
            .flat_map(|(of, texts)| texts.iter().map(|text| (*of, (*text).to_owned())));
        let marks = names.chain(texts).map(|(of, text)| Mark {
            of: of.0,
            text: bare(&text).trim_end_matches(DIGIT).as_bytes().to_vec(),
            is_start: text.starts_with('^'),
            is_end: text.ends_with('$'),
            is_before_digit: text.ends_with(DIGIT),
        });
        Some(Self {
            anchors: Anchors::of(&anchors())?,
            table: MarkTable::of(marks.collect())?,
        })
    }

    fn of(&self, line: &[u8]) -> Marks {
        Marks(self.table.find(line))
    }

    /// Returns the position of the next anchor at or behind `from`. A mark at the beginning of a
    /// line may have the end of the line before as a part of its anchor.
    pub(super) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        self.anchors.next(bytes, from)
    }
}

impl Anchors {
    /// Makes a search for these texts.
    pub(super) fn of(texts: &[impl AsRef<[u8]>]) -> Option<Self> {
        let packed = packed::Config::new().builder().extend(texts).build();
        packed
            .map(Self::Packed)
            .or_else(|| AhoCorasick::new(texts).ok().map(Self::Plain))
    }

    /// Returns the position of the first of the texts at or behind `from`.
    pub(super) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let span = from..bytes.len();
        match self {
            Self::Packed(searcher) => searcher
                .find_in(bytes, span.into())
                .map(|found| found.start()),
            Self::Plain(searcher) => {
                let input = aho_corasick::Input::new(bytes).span(span);
                searcher.find(input).map(|found| found.start())
            }
        }
    }
}

/// Returns a name as a mark. A short one, which other words may hold, counts as a word only.
fn as_word(name: &str) -> Vec<String> {
    if name.len() > 2 {
        return vec![name.to_owned()];
    }
    let before = [
        "^", " ", "\t", "/", "'", "\"", "`", "‘", "“", ":", "=", "(", "[",
    ];
    before.map(|before| format!("{before}{name}")).to_vec()
}

/// Returns the mark without its signs for the beginning and the end of the line.
fn bare(text: &str) -> &str {
    let text = text.strip_prefix('^').unwrap_or(text);
    text.strip_suffix('$').unwrap_or(text)
}

/// Returns texts such that each mark holds one of them, with the end of the line before it or the
/// one behind it where the mark stands there.
fn anchors() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = COMMON.iter().map(|text| text.as_bytes().to_vec()).collect();
    for text in MARKS.iter().flat_map(|(_, texts)| *texts) {
        let body = bare(text).trim_end_matches(DIGIT);
        for end in ["\n", "\r"] {
            let before = if text.starts_with('^') { end } else { "" };
            let behind = if text.ends_with('$') { end } else { "" };
            all.push(format!("{before}{body}{behind}").into_bytes());
        }
    }
    all.sort_by_key(Vec::len);
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for text in all {
        if !kept
            .iter()
            .any(|short| memchr::memmem::find(&text, short).is_some())
        {
            kept.push(text);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the mark with each digit.
    fn with_digits(text: &str) -> Vec<String> {
        match text.strip_suffix(DIGIT) {
            Some(before) => (0..10).map(|digit| format!("{before}{digit}")).collect(),
            None => vec![text.to_owned()],
        }
    }

    #[test]
    fn anchors_are_few_and_long_enough_for_vector_instructions() {
        let anchors = anchors();
        let short = anchors.iter().filter(|text| text.len() < SHORTEST);
        assert_eq!(short.count(), 0);
        assert!(anchors.len() <= MOST, "{}: {anchors:?}", anchors.len());
    }

    #[test]
    fn a_mark_is_found_by_its_anchor_in_its_place_only() {
        let all = Marking::get().unwrap();
        for (of, text) in MARKS
            .iter()
            .flat_map(|(of, texts)| texts.iter().map(move |text| (*of, *text)))
        {
            for text in with_digits(text) {
                let body = bare(&text);
                let (before, behind) = (text.starts_with('^'), text.ends_with('$'));
                let line = match (before, behind) {
                    (true, true) => body.to_owned(),
                    (true, false) => format!("{body}~"),
                    (false, true) => format!("~{body}"),
                    (false, false) => format!("~{body}~"),
                };
                assert!(all.of(line.as_bytes()).has(of), "{text}");
                for end in ["\n", "\r"] {
                    let found = all.next(format!("~{end}{line}{end}~").as_bytes(), 1);
                    assert!(found.is_some_and(|at| at <= 3 + body.len()), "{text}");
                }
            }
        }
        assert!(all.of(b"it said ok 1, and PASSED # 1..4").is_empty());
        assert_eq!(
            all.next("a line that cannot matter\n".repeat(9).as_bytes(), 0),
            None
        );
    }
}
