//! Reads findings that take one line.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::number;
use super::tool::Heading;
use crate::model::{CheckFinding, FindingLevel};

/// `FILE:LINE:COLUMN: message`, with `vet: ` before and a level behind, where there are such.
const PLACE: &str = r"^(?:vet: )?(?<file>[^\s:][^\s:]*):(?<line>\d{1,9})(?::(?<column>\d{1,9}))?(?:-\d+)?: (?<rest>\S.*)$";

/// `error: `, `error[E0425]: `, `[warning] ` before the message.
const LEVEL: &str = r"^(?:(?<level>fatal error|error|warning|note|info|style|help|hint)(?:\[(?<code>\w+)\])?: |\[(?<bracket>error|warning)\] )(?<message>.*)$";

/// `[SC2086]`, `[-Wunused]`, `(unused)`, `(SA1019)` behind the message.
const RULE: &str = r"^(?<message>.*\S)\s+[\[(](?<rule>-?[A-Za-z][\w./:+=-]*)[\])]$";

/// `F401 'os' imported but unused`.
const CODE: &str = r"^(?<rule>[A-Z]{1,4}\d{2,5}):? ";

static PLACE_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PLACE).ok());
static LEVEL_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(LEVEL).ok());
static RULE_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(RULE).ok());
static CODE_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(CODE).ok());

/// The endings of files for which a line without a column is a finding. A host with a port
/// (`example.com:443: refused`) looks the same.
const SOURCES: [&str; 36] = [
    "go", "rs", "c", "h", "cc", "cpp", "cxx", "hpp", "S", "s", "sh", "bash", "bats", "py", "pyi",
    "pl", "rb", "js", "mjs", "ts", "tsx", "jsx", "java", "kt", "proto", "md", "rst", "txt", "yaml",
    "yml", "json", "toml", "xml", "mk", "html", "css",
];

/// The linters of golangci-lint 1 and 2, which it names behind the message.
const LINTERS: &str = " arangolint asasalint asciicheck bidichk bodyclose canonicalheader containedctx contextcheck copyloopvar cyclop deadcode decorder depguard dogsled dupl dupword durationcheck embeddedstructfieldcheck err113 errcheck errchkjson errname errorlint execinquery exhaustive exhaustivestruct exhaustruct exportloopref exptostd fatcontext forbidigo forcetypeassert funcorder funlen gci ginkgolinter gocheckcompilerdirectives gochecknoglobals gochecknoinits gochecksumtype gocognit goconst gocritic gocyclo godot godox goerr113 gofmt gofumpt goheader goimports golines golint gomnd gomoddirectives gomodguard goprintffuncname gosec gosimple gosmopolitan govet grouper iface ifshort importas inamedparam ineffassign interfacebloat interfacer intrange iotamixing ireturn lll loggercheck maintidx makezero maligned mirror misspell mnd modernize musttag nakedret nestif nilerr nilnesserr nilnil nlreturn noctx noinlineerr nolintlint nonamedreturns nosnakecase nosprintfhostport paralleltest perfsprint prealloc predeclared promlinter protogetter reassign recvcheck revive rowserrcheck scopelint sloglint spancheck sqlclosecheck staticcheck structcheck stylecheck swaggo tagalign tagliatelle tenv testableexamples testifylint testpackage thelper tparallel typecheck unconvert unparam unqueryvet unused usestdlibvars usetesting varcheck varnamelen vet vetshadow wastedassign whitespace wrapcheck wsl wsl_v5 zerologlint ";

/// Reads a line that is a finding by itself.
pub(super) fn finding(text: &str, heading: &Heading) -> Option<CheckFinding> {
    if let Some(finding) = commit(text) {
        return Some(finding);
    }
    if let Some(finding) = shell(text) {
        return Some(finding);
    }
    // Most lines have no number between colons.
    text.contains(':').then_some(())?;
    let found = PLACE_REGEX.as_ref()?.captures(text)?;
    let file = found.name("file")?.as_str();
    let column = digits(&found, "column");
    let rest = found.name("rest")?.as_str();
    let (level, code, message) = levelled(rest);
    if !is_file(file) || !(column.is_some() || is_certain(file, level)) {
        return None;
    }
    let bare = CheckFinding {
        file: Some(file.to_owned()),
        line: digits(&found, "line"),
        column,
        ..CheckFinding::default()
    };
    spelling(&bare, message)
        .or_else(|| of_go(&bare, message))
        .or_else(|| of_compiler(bare, level, code, message, heading))
}

fn digits(found: &Captures<'_>, name: &str) -> Option<u32> {
    number(found.name(name)?.as_str())
}

/// Splits the level and the code off a message.
fn levelled(rest: &str) -> (Option<&str>, Option<&str>, &str) {
    let Some(found) = LEVEL_REGEX.as_ref().and_then(|regex| regex.captures(rest)) else {
        return (None, None, rest);
    };
    let group = |name| found.name(name).map(|group| group.as_str());
    let message = group("message").unwrap_or(rest);
    (group("level").or(group("bracket")), group("code"), message)
}

/// Returns true if the text can be the name of a file: no host, address, time or URL.
fn is_file(file: &str) -> bool {
    let has_letter = file.contains(|letter: char| letter.is_alphabetic());
    let is_path = file.contains(['.', '/']) || file.ends_with("akefile");
    let is_foreign =
        file.contains("//") || file.contains(['"', '\'', '`', '(', '=', '<', '|', '{']);
    has_letter && is_path && !is_foreign && file != "make"
}

fn is_certain(file: &str, level: Option<&str>) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    level.is_some()
        || name.ends_with("akefile")
        || extension.is_some_and(|extension| SOURCES.contains(&extension))
}

/// Reads `teh ==> the` of codespell.
fn spelling(bare: &CheckFinding, message: &str) -> Option<CheckFinding> {
    let (wrong, right) = message.split_once(" ==> ")?;
    let is_word = !wrong.is_empty() && !wrong.contains(' ') && !right.is_empty();
    (is_word && bare.column.is_none()).then(|| CheckFinding {
        message: message.to_owned(),
        tool: Some("codespell".to_owned()),
        ..bare.clone()
    })
}

/// Reads the lines of golangci-lint, which name the linter, and those of staticcheck, which name
/// the check.
fn of_go(bare: &CheckFinding, message: &str) -> Option<CheckFinding> {
    let (said, rule) = ruled(message)?;
    let is_check = || {
        let letters = rule.trim_end_matches(|letter: char| letter.is_ascii_digit());
        ["SA", "S", "ST", "U", "QF"].contains(&letters) && letters.len() < rule.len()
    };
    let is_go = bare.file.as_ref().is_some_and(|file| file.ends_with(".go"));
    let tool = match rule {
        "compile" if is_go => "staticcheck",
        _ if is_go && is_check() => "staticcheck",
        _ if LINTERS.contains(&format!(" {rule} ")) && message.ends_with(')') => "golangci-lint",
        _ => return None,
    };
    Some(CheckFinding {
        message: said.to_owned(),
        tool: Some(tool.to_owned()),
        rule: Some(rule.to_owned()),
        ..bare.clone()
    })
}

fn ruled(message: &str) -> Option<(&str, &str)> {
    let found = RULE_REGEX.as_ref()?.captures(message)?;
    Some((
        found.name("message")?.as_str(),
        found.name("rule")?.as_str(),
    ))
}

/// Reads what compilers and all who imitate them write.
fn of_compiler(
    bare: CheckFinding,
    level: Option<&str>,
    code: Option<&str>,
    message: &str,
    heading: &Heading,
) -> Option<CheckFinding> {
    let (said, rule) = match ruled(message) {
        Some((said, rule)) if level.is_some() || is_id(rule) => (said, Some(rule)),
        _ => (message, None),
    };
    let is_shellcheck = rule.is_some_and(is_shellcheck);
    // A note explains the finding before it, except with shellcheck.
    if matches!(level, Some("note" | "help" | "hint")) && !is_shellcheck {
        return None;
    }
    let file = bare.file.as_deref().unwrap_or_default();
    let is_yaml = file.ends_with(".yaml") || file.ends_with(".yml");
    let tool = match rule {
        Some(_) if is_shellcheck => Some("shellcheck"),
        Some(_) if is_yaml && message.ends_with(')') => Some("yamllint"),
        _ => heading.of(file),
    };
    let leading = CODE_REGEX.as_ref().and_then(|regex| regex.captures(said));
    let leading = leading.and_then(|found| Some(found.name("rule")?.as_str()));
    let rule = rule.or(code).or(leading).map(str::to_owned);
    Some(CheckFinding {
        message: said.to_owned(),
        tool: tool.map(str::to_owned),
        rule,
        level: match level {
            Some("warning") if !is_shellcheck => FindingLevel::Warning,
            _ => FindingLevel::Error,
        },
        ..bare
    })
}

/// Returns true for what can be the id of a rule where no level stands before the message:
/// `missing-module-docstring`, `SC2086`.
fn is_id(rule: &str) -> bool {
    rule.contains('-') || rule.ends_with(|letter: char| letter.is_ascii_digit())
}

pub(super) fn is_shellcheck(rule: &str) -> bool {
    let digits = rule.strip_prefix("SC").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads `ERROR: Commit 0123abc: no Signed-off-by specified` of kata's checkcommits.
fn commit(text: &str) -> Option<CheckFinding> {
    let said = text.trim().strip_prefix("ERROR: ")?;
    let hash = said
        .strip_prefix("Commit ")
        .or(said.strip_prefix("commit "))?;
    let (hash, _) = hash.split_once(": ")?;
    let is_hash = hash.len() >= 7 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fixes = said.starts_with("No \"") && said.ends_with(" found");
    (is_hash || fixes).then(|| CheckFinding {
        message: said.to_owned(),
        tool: Some("checkcommits".to_owned()),
        ..CheckFinding::default()
    })
}

/// Reads `x.sh: line 3: syntax error near unexpected token` of bash, and dash's `x.sh: 3: Syntax
/// error: …`.
fn shell(text: &str) -> Option<CheckFinding> {
    let (head, message) = text
        .split_once(": syntax error")
        .map(|(head, rest)| (head, format!("syntax error{rest}")))
        .or_else(|| {
            let (head, rest) = text.split_once(": Syntax error: ")?;
            Some((head, format!("syntax error: {rest}")))
        })?;
    let (file, line) = head.rsplit_once(": ")?;
    let line = number(line.strip_prefix("line ").unwrap_or(line))?;
    (!file.contains(' ')).then(|| CheckFinding {
        file: Some(file.to_owned()),
        line: Some(line),
        message,
        tool: Some("sh".to_owned()),
        ..CheckFinding::default()
    })
}

/// Reads the bare name of a file, which `gofmt -l` and `rustfmt -l` print for one that is not
/// formatted.
pub(super) fn listed(text: &str, heading: &Heading) -> Option<CheckFinding> {
    let usual = match text.rsplit_once('.') {
        Some((_, "go")) => "gofmt",
        Some((_, "rs")) => "rustfmt",
        _ => return None,
    };
    let is_plain = !text.contains(|letter: char| letter.is_whitespace() || letter == ':');
    let tool = match heading.of(text) {
        Some(tool @ ("goimports" | "gofumpt" | "gofmt" | "rustfmt")) => tool,
        _ => usual,
    };
    (is_plain && is_file(text)).then(|| CheckFinding {
        file: Some(text.to_owned()),
        message: "is not formatted".to_owned(),
        tool: Some(tool.to_owned()),
        ..CheckFinding::default()
    })
}
