//! Reading a TOML table key by key.
//!
//! A key that was never asked for is unknown: what is read and what is known cannot drift apart. Reading goes on after a
//! problem, so that all of them are told; what could not be read is `None`, and the problem is kept beside.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{Document, Located, Location};
use super::problem::{Problem, Problems, printable, quote, suggestion};
use super::scalars::Refusal;

/// What every reader has at hand.
#[derive(Clone, Copy)]
pub(super) struct FieldContext<'a> {
    /// The text that is read.
    pub document: &'a Arc<Document>,
    /// Where what is wrong goes.
    pub problems: &'a Problems,
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
    /// A table, and where it begins.
    pub fn new(context: FieldContext<'a>, table: &'a DeTable<'a>, place: Location) -> Self {
        Self {
            context,
            table,
            place,
            asked: Vec::new(),
        }
    }

    /// Where it begins.
    pub fn place(&self) -> &Location {
        &self.place
    }

    /// What is wrong goes here.
    pub fn refuse(&self, problem: Problem) {
        self.context.problems.add(problem);
    }

    /// The value of a key.
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

    /// Checks what was read; what is wrong goes to the same place.
    pub fn check(&self, check: impl FnOnce(&Problems)) {
        check(self.context.problems);
    }

    /// Refuses a key, should it be there, for the reason given; it is known then.
    pub fn forbid(&mut self, key: &'static str, title: &str, label: &str) {
        if let Some(value) = self.get(key) {
            self.refuse(Problem::new(format!("`{key}`: {title}")).at(&value.key, label));
        }
    }

    /// Ends reading: what was not asked for is unknown.
    pub fn finish(self) {
        self.finish_with(|_| None);
    }

    /// Ends reading; `elsewhere` says where a key that is unknown here might belong.
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
                Problem::new(format!("unknown key {}", quote(key.get_ref())))
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
    /// Where its key stands.
    pub fn key(&self) -> &Location {
        &self.key
    }

    /// Where it stands.
    pub fn place(&self) -> Location {
        self.context.place(self.value)
    }

    /// A text, which holds no NUL: no argument, variable or path can.
    pub fn text(&self) -> Option<&'a str> {
        let DeValue::String(text) = self.value.get_ref() else {
            return self.wrong_type("a string");
        };
        if text.contains('\0') {
            let problem = Problem::new(format!("a NUL character in {}", quote(&self.name)));
            return self
                .fail(problem.at(&self.place(), "no argument, variable or path can hold it"));
        }
        Some(text)
    }

    /// A text that means something.
    pub fn word<T>(&self, parse: impl Fn(&str) -> Result<T, Refusal>) -> Option<Located<T>> {
        match parse(self.text()?) {
            Ok(value) => Some(Located {
                value,
                place: self.place(),
            }),
            Err(Refusal { title, label }) => {
                self.fail(Problem::new(title).at(&self.place(), label))
            }
        }
    }

    /// A list of such texts.
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

    /// `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type("true or false"),
        }
    }

    /// A whole number; one that is out of all bounds is the greatest there is.
    pub fn number(&self) -> Option<i128> {
        let DeValue::Integer(number) = self.value.get_ref() else {
            return self.wrong_type("a whole number");
        };
        let number = i128::from_str_radix(number.as_str(), number.radix());
        Some(number.unwrap_or(i128::MAX))
    }

    /// A table of texts under names of the user's; each is located at its name.
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
                        .problems
                        .add(Problem::new(title).at(&place, label));
                }
            }
        }
        Some(map)
    }

    /// A table with keys of ours.
    pub fn table(&self) -> Option<Fields<'a>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(Fields::new(self.context, table, self.place())),
            _ => self.wrong_type("a table"),
        }
    }

    /// A list of tables with keys of ours.
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

    fn fail<T>(&self, problem: Problem) -> Option<T> {
        self.context.problems.add(problem);
        None
    }

    fn wrong_type<T>(&self, wanted: &str) -> Option<T> {
        let found = self.value.get_ref();
        let label = match (wanted, found) {
            ("a string", DeValue::Boolean(_) | DeValue::Integer(_)) => {
                "write text in quotes".into()
            }
            ("a list of strings", DeValue::String(_)) => "put it in [ ]".into(),
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
        self.fail(Problem::new(title).at(&self.place(), label))
    }
}
