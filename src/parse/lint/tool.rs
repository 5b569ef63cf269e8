//! Tells which checker printed a line that does not say so itself: the command that make showed
//! before it, or the heading of a Go package.

/// The programs whose command lines are recognised, longest first where one begins another.
const PROGRAMS: [&str; 34] = [
    "golangci-lint",
    "go vet",
    "go build",
    "go test",
    "go install",
    "staticcheck",
    "gofmt",
    "gofumpt",
    "goimports",
    "cargo clippy",
    "cargo fmt",
    "rustfmt",
    "shellcheck",
    "yamllint",
    "codespell",
    "clang-tidy",
    "clang",
    "cppcheck",
    "gcc",
    "cc",
    "g++",
    "flake8",
    "mypy",
    "pylint",
    "ruff",
    "black",
    "eslint",
    "markdownlint",
    "hadolint",
    "revive",
    "gosec",
    "errcheck",
    "protolint",
    "buf lint",
];

/// The checker that is at work, as far as the output tells.
#[derive(Debug, Default)]
pub(super) struct Heading {
    command: Option<&'static str>,
    /// The headings `# example.com/x` of a Go package that does not compile and `#
    /// [example.com/x]` of one that vet complains about.
    package: Option<&'static str>,
}

impl Heading {
    /// Looks at a line.
    pub(super) fn line(&mut self, text: &str) {
        if let Some(program) = command(text) {
            self.command = Some(program);
            self.package = None;
        } else if text.starts_with("# [") && text.ends_with(']') {
            self.package = Some("go vet");
        } else if text.starts_with("# ") && !text[2..].contains(' ') {
            self.package = Some("go build");
        }
    }

    /// Returns the checker of a line about this file.
    pub(super) fn of(&self, file: &str) -> Option<&'static str> {
        let name = file.rsplit('/').next().unwrap_or(file);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let is_go = extension == "go";
        let usual = match extension {
            "go" => Some("go"),
            "rs" => Some("rustc"),
            "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "S" => Some("gcc"),
            "mk" => Some("make"),
            _ if name.ends_with("akefile") => Some("make"),
            _ => None,
        };
        let at_work = (self.package.filter(|_| is_go)).or(self.command);
        let tool = at_work.filter(|tool| fits(tool, usual)).or(usual)?;
        Some(match tool {
            "cargo clippy" => "clippy",
            "cargo fmt" => "rustfmt",
            other => other,
        })
    }
}

/// Returns true if the program may complain about files whose usual checker is this one.
fn fits(program: &str, usual: Option<&str>) -> bool {
    let go = program.starts_with("go") || ["staticcheck", "revive", "errcheck"].contains(&program);
    let rust = program.starts_with("cargo") || program == "rustfmt";
    let c = ["clang-tidy", "clang", "cppcheck", "gcc", "cc", "g++"].contains(&program);
    match usual {
        Some("go") => go,
        Some("rustc") => rust,
        Some("gcc") => c,
        Some("make") => false,
        _ => !go && !rust && !c,
    }
}

/// Recognises a command line that make, a shell with `-x` or a script shows: `go vet ./...`.
fn command(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches(['+', '$', ' ', '\t']);
    let text = text.strip_prefix("INFO: ").unwrap_or(text);
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let first = first.rsplit('/').next().unwrap_or(first);
    let is = |program: &&&str| match program.split_once(' ') {
        Some((one, two)) => first == one && rest.split([' ', '.']).next() == Some(two),
        None => first == **program,
    };
    PROGRAMS.iter().find(is).copied()
}
