//! `daemon.json` as docker reads it, and edits that leave the rest of it byte for byte.
//!
//! An edit puts text into the text that is there; nothing is printed anew. Docker takes the last of
//! keys that stand twice, in silence, so a file with such keys is refused, and so is one with a
//! value of the wrong type where an edit would have to guess.

use std::collections::BTreeSet;
use std::ops::Range;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// The mark of byte order that some editors put before the text.
const BOM: &str = "\u{feff}";
/// An indentation where the file shows none.
const INDENT: &str = "    ";

/// A `daemon.json` that docker's parser takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonJson {
    bom: bool,
    text: String,
}

/// The reason why a `daemon.json` is not edited.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DaemonJsonError {
    /// The file is not in UTF-8.
    #[error("it is not text in UTF-8 (byte {0})")]
    Encoding(usize),
    /// The file is not JSON.
    #[error("it is not JSON, and docker does not start with it: {0}")]
    Syntax(String),
    /// A key stands twice.
    #[error(
        "`{key}` stands twice, in lines {first} and {second}: docker takes the last one, without a word"
    )]
    Twice {
        /// The key, with its parents.
        key: String,
        /// The line of the first one.
        first: usize,
        /// The line of the second one.
        second: usize,
    },
    /// A value has a type that docker does not take, or that cannot be edited.
    #[error("line {line}: `{key}` is {found}, and has to be {wanted}")]
    Type {
        /// The key, with its parents.
        key: String,
        /// The line.
        line: usize,
        /// The type that is there.
        found: &'static str,
        /// The type that has to be there.
        wanted: &'static str,
    },
}

/// A runtime of `daemon.json`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuntimeEntry {
    /// A program with the command line of OCI runtimes (`path`).
    Path(String),
    /// A shim of containerd, by name or path (`runtimeType`).
    Shim(String),
}

impl RuntimeEntry {
    /// Returns the key and the value of the entry.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Path(path) => ("path", path),
            Self::Shim(shim) => ("runtimeType", shim),
        }
    }
}

impl DaemonJson {
    /// Reads the file. An empty one counts as `{}`, as for docker.
    ///
    /// # Errors
    /// When docker would not take it, or an edit would have to guess.
    pub fn parse(bytes: &[u8]) -> Result<Self, DaemonJsonError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| DaemonJsonError::Encoding(error.valid_up_to()))?;
        let (bom, text) = match text.strip_prefix(BOM) {
            Some(text) => (true, text),
            None => (false, text),
        };
        let text = match text.trim_matches([' ', '\t', '\r', '\n']) {
            "" => "{\n}\n",
            _ => text,
        };
        // The other parser knows the places of things, and takes more than JSON.
        serde_json::from_str::<serde_json::Value>(text)
            .map_err(|error| DaemonJsonError::Syntax(error.to_string()))?;
        let file = Self {
            bom,
            text: text.to_owned(),
        };
        file.check()?;
        Ok(file)
    }

    /// Returns the bytes of the file.
    pub fn bytes(&self) -> Vec<u8> {
        let bom = if self.bom { BOM } else { "" };
        format!("{bom}{}", self.text).into_bytes()
    }

    /// Returns the content as a value.
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Returns true if a key of the top level is there.
    pub fn has(&self, key: &str) -> bool {
        self.value().get(key).is_some()
    }

    /// Returns the default runtime, if one is named.
    pub fn default_runtime(&self) -> Option<String> {
        let value = self.value();
        value.get("default-runtime")?.as_str().map(str::to_owned)
    }

    /// Returns the entry of a runtime as it stands there.
    pub fn runtime(&self, name: &str) -> Option<serde_json::Value> {
        self.value().get("runtimes")?.get(name).cloned()
    }

    /// Returns true if the runtime is this one, and nothing else is said of it.
    pub fn is_runtime(&self, name: &str, entry: &RuntimeEntry) -> bool {
        let (key, value) = entry.parts();
        self.runtime(name) == Some(serde_json::json!({ key: value }))
    }

    /// Sets a runtime, whatever was there before.
    ///
    /// # Errors
    /// When the text would no longer be read as meant.
    pub fn set_runtime(&mut self, name: &str, entry: &RuntimeEntry) -> Result<(), DaemonJsonError> {
        let (key, value) = entry.parts();
        let entry = Fresh::object(key, Fresh::Text(value.to_owned()));
        match self.has("runtimes") {
            true => self.set(&["runtimes"], name, &entry),
            false => self.set(&[], "runtimes", &Fresh::object(name, entry)),
        }
    }

    /// Sets the default runtime.
    ///
    /// # Errors
    /// When the text would no longer be read as meant.
    pub fn set_default(&mut self, name: &str) -> Result<(), DaemonJsonError> {
        self.set(&[], "default-runtime", &Fresh::Text(name.to_owned()))
    }

    /// Removes a runtime, and its name as the default one. Returns true if it was there.
    ///
    /// # Errors
    /// When the text would no longer be read as meant.
    pub fn remove_runtime(&mut self, name: &str) -> Result<bool, DaemonJsonError> {
        let was_default = self.default_runtime().as_deref() == Some(name);
        if was_default {
            self.remove(&[], "default-runtime")?;
        }
        self.remove(&["runtimes"], name)
    }

    fn check(&self) -> Result<(), DaemonJsonError> {
        self.with_root(|root| {
            let Value::Object(top) = root else {
                return Err(self.mistyped("the whole file", root, "an object"));
            };
            self.once(top, "")?;
            for property in &top.properties {
                match property.name.as_str() {
                    "runtimes" => self.check_runtimes(&property.value)?,
                    "default-runtime" if property.value.as_string_lit().is_none() => {
                        return Err(self.mistyped("default-runtime", &property.value, "a string"));
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    }

    fn check_runtimes(&self, value: &Value) -> Result<(), DaemonJsonError> {
        let Value::Object(runtimes) = value else {
            return Err(self.mistyped("runtimes", value, "an object"));
        };
        self.once(runtimes, "runtimes.")?;
        for property in &runtimes.properties {
            let key = format!("runtimes.{}", property.name.as_str());
            match &property.value {
                Value::Object(entry) => self.once(entry, &format!("{key}."))?,
                other => return Err(self.mistyped(&key, other, "an object")),
            }
        }
        Ok(())
    }

    /// Refuses keys that stand twice.
    fn once(&self, object: &Object, parent: &str) -> Result<(), DaemonJsonError> {
        let mut seen = BTreeSet::new();
        for property in &object.properties {
            let key = property.name.as_str();
            if seen.insert(key) {
                continue;
            }
            let same = |one: &&ObjectProp| one.name.as_str() == key;
            let first = object.properties.iter().find(same).unwrap_or(property);
            return Err(DaemonJsonError::Twice {
                key: format!("{parent}{key}"),
                first: self.line(first.range.start),
                second: self.line(property.range.start),
            });
        }
        Ok(())
    }

    fn mistyped(&self, key: &str, value: &Value, wanted: &'static str) -> DaemonJsonError {
        let found = match value {
            Value::StringLit(_) => "a string",
            Value::NumberLit(_) => "a number",
            Value::BooleanLit(_) => "true or false",
            Value::Object(_) => "an object",
            Value::Array(_) => "an array",
            Value::NullKeyword(_) => "null",
        };
        DaemonJsonError::Type {
            key: key.to_owned(),
            line: self.line(value.range().start),
            found,
            wanted,
        }
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text[..offset].matches('\n').count()
    }

    fn with_root<T>(
        &self,
        look: impl FnOnce(&Value) -> Result<T, DaemonJsonError>,
    ) -> Result<T, DaemonJsonError> {
        let parsed = parse_to_ast(&self.text, &CollectOptions::default(), &STRICT)
            .map_err(|error| DaemonJsonError::Syntax(error.to_string()))?;
        let value = parsed.value.as_ref();
        look(value.ok_or_else(|| DaemonJsonError::Syntax("it holds no value".to_owned()))?)
    }

    /// Sets a key of the object at these keys.
    fn set(&mut self, parents: &[&str], key: &str, fresh: &Fresh) -> Result<(), DaemonJsonError> {
        let (place, text) = self.with_root(|root| {
            let object = descend(root, parents).ok_or_else(unexpected)?;
            Ok(Style::of(&self.text, root).splice(object, key, fresh))
        })?;
        self.spliced(place, &text)
    }

    fn remove(&mut self, parents: &[&str], key: &str) -> Result<bool, DaemonJsonError> {
        let place = self.with_root(|root| {
            let object = descend(root, parents);
            Ok(object.and_then(|object| removal(&self.text, object, key)))
        })?;
        match place {
            Some(place) => self.spliced(place, "").map(|()| true),
            None => Ok(false),
        }
    }

    fn spliced(&mut self, place: Range<usize>, text: &str) -> Result<(), DaemonJsonError> {
        self.text.replace_range(place, text);
        Self::parse(self.text.as_bytes()).map(|_| ())
    }
}

/// JSON and nothing else.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

fn unexpected() -> DaemonJsonError {
    DaemonJsonError::Syntax("an object is no longer where it was".to_owned())
}

fn descend<'a, 'b>(root: &'b Value<'a>, parents: &[&str]) -> Option<&'b Object<'a>> {
    let mut value = root;
    for parent in parents {
        value = &property(value.as_object()?, parent)?.value;
    }
    value.as_object()
}

fn property<'a, 'b>(object: &'b Object<'a>, key: &str) -> Option<&'b ObjectProp<'a>> {
    let is_it = |one: &&ObjectProp| one.name.as_str() == key;
    object.properties.iter().find(is_it)
}

/// A value that is put into the file.
enum Fresh {
    Text(String),
    Object(String, Box<Fresh>),
}

impl Fresh {
    /// Makes an object with one key.
    fn object(key: &str, value: Self) -> Self {
        Self::Object(key.to_owned(), Box::new(value))
    }
}

/// The way in which the file is laid out.
struct Style<'a> {
    text: &'a str,
    newline: &'static str,
    indent: String,
    /// True if the file has its keys in one line.
    is_one_line: bool,
}

impl<'a> Style<'a> {
    fn of(text: &'a str, root: &Value) -> Self {
        let newline = match text.find('\n') {
            Some(at) if text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        };
        let first = root.as_object().and_then(|top| top.properties.first());
        let indent = first.and_then(|first| own_line(text, first.range.start));
        let indent = indent.filter(|indent| !indent.is_empty());
        Self {
            text,
            newline,
            indent: indent.unwrap_or(INDENT).to_owned(),
            is_one_line: first.is_some() && !text[range(root)].contains('\n'),
        }
    }

    /// Returns the place and the text that set a key of an object.
    fn splice(&self, object: &Object, key: &str, fresh: &Fresh) -> (Range<usize>, String) {
        if let Some(there) = property(object, key) {
            let indent = own_line(self.text, there.range.start);
            return (range(&there.value), self.value(fresh, indent));
        }
        let name = quoted(key);
        let Some(last) = object.properties.last() else {
            return self.first(object, &name, fresh);
        };
        let place = last.range.end..last.range.end;
        match own_line(self.text, last.range.start) {
            Some(indent) => {
                let value = self.value(fresh, Some(indent));
                (place, format!(",{}{indent}{name}: {value}", self.newline))
            }
            None => (place, format!(", {name}: {}", self.value(fresh, None))),
        }
    }

    /// Returns the place and the text of the first key of an object.
    fn first(&self, object: &Object, name: &str, fresh: &Fresh) -> (Range<usize>, String) {
        let inside = object.range.start + 1..object.range.end - 1;
        let place = inside.start..inside.start;
        if self.is_one_line {
            return (place, format!("{name}: {}", self.value(fresh, None)));
        }
        let outer = line_indent(self.text, object.range.start);
        let indent = format!("{outer}{}", self.indent);
        let value = self.value(fresh, Some(&indent));
        let end = match self.text[inside].contains('\n') {
            true => String::new(),
            false => format!("{}{outer}", self.newline),
        };
        (
            place,
            format!("{}{indent}{name}: {value}{end}", self.newline),
        )
    }

    /// Returns a value: over several lines where its key stands in a line of its own.
    fn value(&self, fresh: &Fresh, indent: Option<&str>) -> String {
        let (key, value) = match fresh {
            Fresh::Text(text) => return quoted(text),
            Fresh::Object(key, value) => (quoted(key), value),
        };
        match indent {
            Some(outer) => {
                let inner = format!("{outer}{}", self.indent);
                let value = self.value(value, Some(&inner));
                let newline = self.newline;
                format!("{{{newline}{inner}{key}: {value}{newline}{outer}}}")
            }
            None => format!("{{{key}: {}}}", self.value(value, None)),
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn range(value: &Value) -> Range<usize> {
    let range = value.range();
    range.start..range.end
}

/// Returns the blanks before this place, if nothing else stands before it in its line.
fn own_line(text: &str, at: usize) -> Option<&str> {
    let start = text[..at].rfind('\n')? + 1;
    let before = &text[start..at];
    before
        .trim_matches([' ', '\t'])
        .is_empty()
        .then_some(before)
}

/// Returns the blanks at the beginning of the line of this place.
fn line_indent(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Returns the place of a key with its value, its comma, and the blanks between it and its
/// neighbour.
fn removal(text: &str, object: &Object, key: &str) -> Option<Range<usize>> {
    let all = &object.properties;
    let at = all.iter().position(|one| one.name.as_str() == key)?;
    let this = &all[at];
    match (
        at.checked_sub(1).and_then(|at| all.get(at)),
        all.get(at + 1),
    ) {
        (Some(before), _) => Some(before.range.end..this.range.end),
        (None, Some(after)) => Some(this.range.start..after.range.start),
        (None, None) => {
            let inside = object.range.start + 1..object.range.end - 1;
            let rest = &text[this.range.end..inside.end];
            let blanks = rest.len() - rest.trim_start().len();
            Some(inside.start..this.range.end + blanks)
        }
    }
}

#[cfg(test)]
mod tests;
