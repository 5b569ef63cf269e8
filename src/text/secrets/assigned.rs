//! Finds the values that names of secrets are given: in variables, arguments, JSON, TOML, YAML,
//! headers and logs.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::names::{Kind, STEMS, kind};
use super::values::{is_field, is_said, is_secret, is_told};

/// The most bytes of a value with several lines.
const LONGEST: usize = 32 << 10;

static STEM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("(?i){STEMS}")).ok());

/// The bytes of a line that tell of its form, and of a list.
const HEAD: usize = 4096;

/// A name that is itself a value: `{"name": "DB_PASSWORD", "value": "…"}`.
static NAMED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\A\\*["']?\s*,?\s*\\*["']?[vV]alue\\*["']?\s*[:=]\s*"#).ok());

/// A name of a secret in a text.
struct Name {
    kind: Kind,
    /// The place of the name, without dashes before it.
    span: Range<usize>,
    /// True for `--name` and `-name`.
    is_option: bool,
    /// The quote directly before the name, dashes aside.
    quote: Option<char>,
}

/// A value behind a name.
#[derive(Debug)]
enum Value {
    /// A value in quotes, or one that an `=` gives.
    Given(Range<usize>),
    /// The rest of a line, or a word that may be prose.
    Said(Range<usize>),
    /// The value of a field or an option, which is one unless it is a word of prose.
    Field(Range<usize>),
    /// A word behind a name without any sign: `with token …`.
    Prose(Range<usize>),
    /// Several values.
    List(Vec<Range<usize>>),
}

/// Adds the spans of all values that are secrets by their names.
pub(super) fn find(text: &str, spans: &mut Vec<Range<usize>>) {
    let mut done = 0;
    let stems = STEM.iter().flat_map(|stem| stem.find_iter(text));
    for stem in stems {
        if stem.start() < done {
            continue;
        }
        let name = whole(text, stem.start());
        done = name.end;
        let Some(name) = named(text, name) else {
            continue;
        };
        let found = found(text, &name);
        // A name inside of a secret tells nothing more.
        done = found
            .iter()
            .map(|span| span.end)
            .max()
            .unwrap_or(done)
            .max(done);
        spans.extend(found);
    }
}

/// Returns the values of a name that are secrets.
fn found(text: &str, name: &Name) -> Vec<Range<usize>> {
    let (values, is_one): (_, fn(&str, Kind) -> bool) = match value(text, name) {
        Some(Value::Given(span)) => (vec![span], is_secret),
        Some(Value::Said(span)) => (vec![span], is_said),
        Some(Value::Field(span)) => (vec![span], is_field),
        Some(Value::Prose(span)) => (vec![span], is_told),
        Some(Value::List(list)) => (list, is_secret),
        None => return Vec::new(),
    };
    let secrets = values
        .into_iter()
        .filter(|span| is_one(&text[span.clone()], name.kind));
    secrets.collect()
}

/// Returns the whole name around a place.
fn whole(text: &str, at: usize) -> Range<usize> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let bytes = text.as_bytes();
    let before = bytes[..at].iter().rev().take_while(|byte| is_part(**byte));
    let after = bytes[at..].iter().take_while(|byte| is_part(**byte));
    at - before.count()..at + after.count()
}

fn named(text: &str, span: Range<usize>) -> Option<Name> {
    let word = &text[span.clone()];
    let bare = word.trim_start_matches(['-', '.']);
    let start = span.start + (word.len() - bare.len());
    Some(Name {
        kind: kind(bare)?,
        is_option: word.starts_with('-') && start > span.start,
        quote: text[..span.start]
            .chars()
            .next_back()
            .filter(|c| "\"'`".contains(*c)),
        span: start..span.end,
    })
}

fn value(text: &str, name: &Name) -> Option<Value> {
    let rest = &text[name.span.end..];
    if let Some(found) = NAMED.as_ref().and_then(|form| form.find(rest)) {
        return behind(text, name.span.end + found.end(), name, '=');
    }
    let closed = rest
        .trim_start_matches('\\')
        .trim_start_matches(['"', '\'', '`']);
    let is_closed = closed.len() < rest.len();
    let gap = closed.trim_start_matches([' ', '\t']);
    let at = text.len() - gap.len();
    let has_gap = gap.len() < closed.len();
    match gap.chars().next()? {
        '=' if gap.starts_with("==") => None,
        '=' => behind(
            text,
            at + 1 + usize::from(gap[1..].starts_with('>')),
            name,
            '=',
        ),
        ':' if gap.starts_with(":=") => behind(text, at + 2, name, '='),
        ':' if gap.starts_with("::") => None,
        ':' => behind(text, at + 1, name, ':'),
        ',' if name.is_option && is_closed => {
            let next = gap[1..].trim_start();
            next.starts_with(['"', '\'']).then_some(())?;
            behind(text, text.len() - next.len(), name, '=')
        }
        '-' => None,
        _ if name.is_option && has_gap && !is_closed => behind(text, at, name, ' '),
        _ if has_gap && !is_closed => Some(prose(at, gap)),
        _ => None,
    }
}

/// Returns the word that prose tells: `password is …`, `with token "…"`.
fn prose(at: usize, gap: &str) -> Value {
    let mut rest = gap;
    for word in ["is", "was"] {
        let behind = rest
            .strip_prefix(word)
            .and_then(|rest| rest.strip_prefix([' ', ':']));
        rest = behind.map_or(rest, str::trim_start);
    }
    let rest = rest.trim_start_matches(['"', '\'', '`', ' ', '(']);
    let start = at + (gap.len() - rest.len());
    Value::Prose(start..start + word(rest))
}

/// Reads the value that begins at a place, behind a separator.
fn behind(text: &str, at: usize, name: &Name, separator: char) -> Option<Value> {
    let rest = &text[at..];
    let mut trimmed = rest.trim_start_matches([' ', '\t']);
    for wrapper in ["Some(", "b\"", "&"] {
        let keep = usize::from(wrapper.ends_with('"'));
        trimmed = trimmed
            .strip_prefix(wrapper)
            .map_or(trimmed, |_| &trimmed[wrapper.len() - keep..]);
    }
    let at = text.len() - trimmed.len();
    let first = trimmed.chars().next()?;
    let within = |length: usize| Some(Value::Given(at..at + length));
    match first {
        '\\' | '"' | '\'' | '`' if !trimmed.starts_with("\\n") => {
            let (open, length) = quoted(trimmed);
            Some(Value::Given(at + open..at + open + length))
        }
        '\n' | '\r' => None,
        // A list of tables has names of its own.
        '[' if trimmed[1..].trim_start().starts_with('{') => None,
        '[' if name.kind != Kind::Header => list(text, at, trimmed),
        '[' => within(line(trimmed, "]").len()).map(skip_first),
        '{' => None,
        '|' | '>' if separator == ':' => block(text, at, name),
        _ if name.quote.is_some() && separator == '=' => {
            let quote = name.quote.unwrap_or('"');
            within(quoted_end(trimmed, quote, 0))
        }
        _ if name.kind == Kind::Header => Some(Value::Said(at..at + header(trimmed))),
        _ if separator == ':' && trimmed.len() < rest.len() => {
            let span = at..at + said(text, name, trimmed);
            match is_first(text, name) || is_compound(&text[name.span.clone()]) {
                true => Some(Value::Field(span)),
                false => Some(Value::Said(span)),
            }
        }
        _ if separator == ' ' => Some(Value::Field(at..at + word(trimmed))),
        _ => within(assigned(text, name, trimmed)),
    }
}

/// Returns the length of the value of a header. The quotes of some schemes are a part of it.
fn header(text: &str) -> usize {
    let quotes = ["Digest ", "AWS4", "OAuth "]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    line(text, if quotes { "" } else { "\"'`" }).len()
}

fn skip_first(value: Value) -> Value {
    match value {
        Value::Given(span) => Value::Given(span.start + 1..span.end.max(span.start + 1)),
        other => other,
    }
}

/// Returns the length of the opening quotes, and of what they hold.
fn quoted(text: &str) -> (usize, usize) {
    let slashes = text.len() - text.trim_start_matches('\\').len();
    let quote = text[slashes..]
        .chars()
        .next()
        .filter(|c| "\"'`".contains(*c));
    let Some(quote) = quote else {
        return (0, word(text));
    };
    let triple = quote.to_string().repeat(3);
    let rest = &text[slashes..];
    if let Some(body) = rest.strip_prefix(triple.as_str()) {
        let end = body.find(&triple).unwrap_or_else(|| floor(body, LONGEST));
        return (slashes + 3, end);
    }
    let open = slashes + 1;
    (open, quoted_end(&text[open..], quote, slashes))
}

/// Returns the length up to the closing quote that has this many backslashes before it; without
/// one, up to the end of the line.
fn quoted_end(text: &str, quote: char, slashes: usize) -> usize {
    let mut escapes = 0;
    for (at, letter) in text.char_indices().take(LONGEST) {
        match letter {
            '\\' => escapes += 1,
            letter
                if letter == quote
                    && escapes <= slashes
                    && (escapes == slashes || escapes % 2 == 0) =>
            {
                return at - escapes.min(slashes);
            }
            '\n' if quote != '\'' => return at,
            _ => escapes = 0,
        }
    }
    line(text, "").len()
}

/// Returns the strings of a list.
fn list(text: &str, at: usize, rest: &str) -> Option<Value> {
    let rest = &rest[..floor(rest, HEAD)];
    let end = rest.find(']').unwrap_or(rest.len());
    let mut found = Vec::new();
    let mut from = 1;
    while let Some(open) = rest.get(from..end).and_then(|rest| rest.find(['"', '\''])) {
        let (skip, length) = quoted(&rest[from + open..]);
        let start = from + open + skip;
        found.push(at + start..at + start + length);
        from = start + length + 1;
    }
    if found.is_empty() && end > 1 {
        let words = rest[1..end].split_whitespace().map(|word| {
            let start = word.as_ptr().addr() - text.as_ptr().addr();
            start..start + word.len()
        });
        found.extend(words);
    }
    Some(Value::List(found))
}

/// Returns the lines of a YAML block: those that are indented further than the line of its name.
fn block(text: &str, at: usize, name: &Name) -> Option<Value> {
    let start = text[..name.span.start].rfind('\n').map_or(0, |at| at + 1);
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let own = indent(&text[start..name.span.end]);
    let first = at + text[at..].find('\n')? + 1;
    let body = text[first..].split_inclusive('\n');
    let inner = body.take_while(|line| line.trim().is_empty() || indent(line) > own);
    let length: usize = inner.map(str::len).sum();
    Some(Value::Given(
        first..first + text[first..first + length].trim_end().len(),
    ))
}

/// Returns the length of a value behind `: `: a word, or the line if the name begins it.
fn said(text: &str, name: &Name, rest: &str) -> usize {
    if !is_first(text, name) || matches!(name.kind, Kind::Key | Kind::Login | Kind::Any) {
        return word(rest);
    }
    let line = line(rest, "\"'`").trim_end_matches([',', '}', ']', ' ']);
    let head = &line[..floor(line, HEAD)];
    match head.contains([',', '}']) && head.contains(':') {
        true => word(rest),
        false => line.len(),
    }
}

/// Returns true if a name begins its line, or the message of a log.
fn is_first(text: &str, name: &Name) -> bool {
    let before = before(text, name).trim_start_matches([' ', '-', '\t', '"', '\'', '?']);
    before.is_empty() || before.ends_with("] ") || before.ends_with(": ")
}

/// Returns true for a name of several words, which no prose has.
fn is_compound(name: &str) -> bool {
    let inner_capital = name.chars().skip(1).zip(name.chars());
    let mut inner_capital = inner_capital
        .filter(|(next, before)| next.is_ascii_uppercase() && before.is_ascii_lowercase());
    name.contains(['_', '-']) || inner_capital.next().is_some()
}

/// Returns the part of the line before a name.
fn before<'a>(text: &'a str, name: &Name) -> &'a str {
    let before = &text[..name.span.start];
    &before[memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |at| at + 1)..]
}

/// Returns the length of a value behind `=`: a word, or the line if it is one assignment.
fn assigned(text: &str, name: &Name, rest: &str) -> usize {
    let before = before(text, name).trim();
    let is_alone = matches!(before, "" | "export" | "set" | "-") || before.ends_with("-e");
    if !is_alone || matches!(name.kind, Kind::Key | Kind::Login | Kind::Any) {
        return word(rest);
    }
    let line = line(rest, "\"'`").trim_end();
    let head = &line[..floor(line, HEAD)];
    match head.contains(['=', '#', '&', ';']) || head.contains(" -") {
        true => word(rest),
        false => line.len(),
    }
}

/// Returns the length of a word; another assignment behind a comma or an ampersand ends it.
fn word(text: &str) -> usize {
    let end = text.find(|letter: char| letter.is_whitespace() || "\"'`<>".contains(letter));
    let word = &text[..end.unwrap_or(text.len())];
    let mut end = word.len();
    for (at, letter) in word.char_indices() {
        let next = &word[at + letter.len_utf8()..];
        let name = next
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte));
        let name = name.count();
        let is_next = name > 0 && next[name..].starts_with(['=', ':']);
        if (",;".contains(letter) && is_next) || letter == '&' {
            end = at;
            break;
        }
    }
    without_tail(&word[..end]).len()
}

/// Returns the word without punctuation at its end, and without brackets that it does not open.
fn without_tail(word: &str) -> &str {
    let mut word = word;
    while let Some(last) = word.chars().next_back() {
        let is_tail = match last {
            ')' => !word.contains('('),
            ']' => !word.contains('['),
            '}' => !word.contains('{'),
            last => ",;\\".contains(last),
        };
        if !is_tail {
            break;
        }
        word = &word[..word.len() - last.len_utf8()];
    }
    word
}

/// Returns the text up to the end of the line, or up to one of these letters.
///
/// A text may be one line with thousands of names, so the ends are searched for many bytes at once.
fn line<'a>(text: &'a str, ends: &str) -> &'a str {
    let end = memchr::memchr2(b'\n', b'\r', text.as_bytes());
    let line = &text[..end.unwrap_or(text.len())];
    let quote = match ends.as_bytes() {
        [] => None,
        [one] => memchr::memchr(*one, line.as_bytes()),
        _ => memchr::memchr3(b'"', b'\'', b'`', line.as_bytes()),
    };
    &line[..quote.unwrap_or(line.len())]
}

fn floor(text: &str, most: usize) -> usize {
    text.floor_char_boundary(most.min(text.len()))
}
