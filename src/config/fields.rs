//! Reads a TOML table key by key.
//!
//! A key that was never asked for is unknown, and lists of keys are made by asking
//! (`Fields::asked`). So the keys that are read and those that are known cannot drift apart.
//! Reading goes on after a diagnostic, so that all diagnostics are reported. A value that could not
//! be read is `None`.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, Diagnostics, printable, quote, suggestion};
use super::scalars::Refusal;
use super::source::{Document, Located, Location};

/// The context that every reader needs.
#[derive(Clone, Copy)]
pub(super) struct FieldContext<'a> {
    /// The document that is read.
    pub document: &'a Arc<Document>,
    /// The diagnostics found so far.
    pub diagnostics: &'a Diagnostics,
}

impl FieldContext<'_> {
    fn place<T>(&self, value: &Spanned<T>) -> Location {
        Location::new(self.document, value.span())
    }
}

/// A table that is being read.
pub(super) struct Fields<'a> {
    context: FieldContext<'a>,
    table: &'a DeTable<'a>,
    place: Location,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Makes a reader of a table that begins at `place`.
    pub fn new(context: FieldContext<'a>, table: &'a DeTable<'a>, place: Location) -> Self {
        Self {
            context,
            table,
            place,
            asked: Vec::new(),
        }
    }

    /// Returns the location at which the table begins.
    pub fn place(&self) -> &Location {
        &self.place
    }

    /// Adds a diagnostic.
    pub fn refuse(&self, diagnostic: Diagnostic) {
        self.context.diagnostics.add(diagnostic);
    }

    /// Returns the value of a key.
    pub fn get(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.asked.push(key);
        let (written, value) = self.table.get_key_value(key)?;
        Some(Value {
            context: self.context,
            name: key.to_owned(),
            key: self.context.place(written),
            value,
        })
    }

    /// Returns the keys that were asked for.
    pub fn asked(&self) -> &[&'static str] {
        &self.asked
    }

    /// Runs a check whose diagnostics are added to those of the table.
    pub fn check(&self, check: impl FnOnce(&Diagnostics)) {
        check(self.context.diagnostics);
    }

    /// Refuses a key, if it is there, for the reason given. The key counts as known.
    pub fn forbid(&mut self, key: &'static str, title: &str, label: &str) {
        if let Some(value) = self.get(key) {
            self.refuse(Diagnostic::new(format!("`{key}`: {title}")).at(&value.key, label));
        }
    }

    /// Ends reading: a key that was not asked for is unknown.
    pub fn finish(self) {
        self.finish_with(|_| None);
    }

    /// Ends reading. `elsewhere` suggests where an unknown key may belong.
    pub fn finish_with(self, elsewhere: impl Fn(&str) -> Option<String>) {
        let unknown = self
            .table
            .keys()
            .filter(|key| !self.asked.contains(&key.get_ref().as_ref()));
        for key in unknown {
            let label = match suggestion(key.get_ref(), self.asked.iter().copied()) {
                similar if similar.is_empty() => elsewhere(key.get_ref())
                    .unwrap_or_else(|| format!("known here: {}", self.asked.join(", "))),
                similar => similar,
            };
            self.refuse(
                Diagnostic::new(format!("unknown key {}", quote(key.get_ref())))
                    .at(&self.context.place(key), label),
            );
        }
    }
}

/// A value that is being read.
pub(super) struct Value<'a> {
    context: FieldContext<'a>,
    name: String,
    key: Location,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Value<'a> {
    /// Returns the location of its key.
    pub fn key(&self) -> &Location {
        &self.key
    }

    /// Returns its location.
    pub fn place(&self) -> Location {
        self.context.place(self.value)
    }

    /// Reads a text. NUL is refused, because no argument, variable or path can hold one.
    pub fn text(&self) -> Option<&'a str> {
        let DeValue::String(text) = self.value.get_ref() else {
            return self.wrong_type("a string");
        };
        if text.contains('\0') {
            let diagnostic = Diagnostic::new(format!("a NUL character in {}", quote(&self.name)));
            return self
                .fail(diagnostic.at(&self.place(), "no argument, variable or path can hold it"));
        }
        Some(text)
    }

    /// Reads a text and parses it.
    pub fn word<T>(&self, parse: impl Fn(&str) -> Result<T, Refusal>) -> Option<Located<T>> {
        match parse(self.text()?) {
            Ok(value) => Some(Located {
                value,
                place: self.place(),
            }),
            Err(Refusal { title, label }) => {
                self.fail(Diagnostic::new(title).at(&self.place(), label))
            }
        }
    }

    /// Reads a text that is a duration and parses it.
    pub fn duration<T>(&self, parse: impl Fn(&str) -> Result<T, Refusal>) -> Option<Located<T>> {
        match self.value.get_ref() {
            DeValue::String(_) => self.word(parse),
            _ => self.wrong_type("a duration"),
        }
    }

    /// Reads a list of texts and parses each.
    pub fn words<T>(&self, parse: impl Fn(&str) -> Result<T, Refusal>) -> Option<Vec<Located<T>>> {
        let DeValue::Array(items) = self.value.get_ref() else {
            return self.wrong_type("a list of strings");
        };
        let words: Vec<_> = items
            .iter()
            .map(|item| self.child(self.name.clone(), item).word(&parse))
            .collect();
        words.into_iter().collect()
    }

    /// Reads `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type("true or false"),
        }
    }

    /// Reads a whole number. One out of all bounds becomes the greatest number.
    pub fn number(&self) -> Option<i128> {
        let DeValue::Integer(number) = self.value.get_ref() else {
            return self.wrong_type("a whole number");
        };
        let number = i128::from_str_radix(number.as_str(), number.radix());
        Some(number.unwrap_or(i128::MAX))
    }

    /// Reads a table of texts under names of the user's; each is located at its name.
    pub fn map<T>(
        &self,
        name: impl Fn(&str) -> Result<String, Refusal>,
        parse: impl Fn(&str, &str) -> Result<T, Refusal>,
    ) -> Option<BTreeMap<String, Located<T>>> {
        let DeValue::Table(table) = self.value.get_ref() else {
            return self.wrong_type("a table of strings");
        };
        let mut map = BTreeMap::new();
        for (key, value) in table {
            let place = self.context.place(key);
            let child = self.child(key.get_ref().to_string(), value);
            match name(key.get_ref()) {
                Ok(name) => map.extend(
                    child
                        .word(|text| parse(&name, text))
                        .map(|Located { value, .. }| (name.clone(), Located { value, place })),
                ),
                Err(Refusal { title, label }) => {
                    self.context
                        .diagnostics
                        .add(Diagnostic::new(title).at(&place, label));
                }
            }
        }
        Some(map)
    }

    /// Reads a table whose keys are fixed.
    pub fn table(&self) -> Option<Fields<'a>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(Fields::new(self.context, table, self.place())),
            _ => self.wrong_type("a table"),
        }
    }

    /// Reads a list of tables whose keys are fixed.
    pub fn tables(&self) -> Option<Vec<Fields<'a>>> {
        let header = || format!("a list of tables, each written [[{}]]", self.name);
        let DeValue::Array(items) = self.value.get_ref() else {
            return self.wrong_type(&header());
        };
        let tables: Vec<_> = items
            .iter()
            .map(|item| self.child(self.name.clone(), item).table())
            .collect();
        tables.into_iter().collect()
    }

    fn child(&self, name: String, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self {
            context: self.context,
            name,
            key: self.key.clone(),
            value,
        }
    }

    fn fail<T>(&self, diagnostic: Diagnostic) -> Option<T> {
        self.context.diagnostics.add(diagnostic);
        None
    }

    fn wrong_type<T>(&self, wanted: &str) -> Option<T> {
        let found = self.value.get_ref();
        let label = match (wanted, found) {
            ("a duration", DeValue::Integer(number)) => {
                format!("write it with a unit, in quotes: \"{}s\"", number.as_str())
            }
            ("a duration", _) => "write it in quotes, with a unit: \"10m\"".into(),
            ("a string", DeValue::Boolean(_) | DeValue::Integer(_)) => {
                "write text in quotes".into()
            }
            ("a list of strings", DeValue::String(text)) => {
                format!("write {}", in_brackets(text))
            }
            ("a table of strings", _) => format!("write {}.NAME = \"…\"", printable(&self.name)),
            _ => format!("write {wanted}"),
        };
        let found = found.type_str();
        let article = if found.starts_with(['a', 'i', 'o']) {
            "an"
        } else {
            "a"
        };
        let title = format!(
            "{} must be {wanted}, not {article} {found}",
            quote(&self.name)
        );
        self.fail(Diagnostic::new(title).at(&self.place(), label))
    }
}

/// Writes a text as the list of its words: `["make", "test"]` for `make test`.
fn in_brackets(text: &str) -> String {
    let words = shlex::split(text).unwrap_or_else(|| vec![text.to_owned()]);
    let words: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
    printable(&format!("[{}]", words.join(", ")))
}
