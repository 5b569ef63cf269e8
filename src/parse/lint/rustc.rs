//! Reads the blocks of rustc and clippy: a heading, `--> FILE:LINE:COLUMN`, and notes that name
//! the rule.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::{Found, number};
use crate::model::{CheckFinding, FindingLevel};

const HEADING: &str = r"^(?<level>error|warning)(?:\[(?<code>\w+)\])?: (?<message>\S.*)$";
const PLACE: &str = r"^ *--> (?<file>\S.*?):(?<line>\d{1,9}):(?<column>\d{1,9})$";
/// The notes that name a rule: `-D clippy::needless-return`, `#[deny(unused)]`, and clippy's page.
const RULE: &str = r"`(?:-[DFW] |#!?\[(?:deny|forbid|warn)\()(?<rule>[\w:-]+)(?:\)\])?`|/rust-clippy/\S*#(?<page>\w+)$";

static HEADING_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(HEADING).ok());
static PLACE_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PLACE).ok());
static RULE_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(RULE).ok());

/// The most lines of a heading.
const HEADING_LINES: u32 = 8;

/// The most messages whose rule is remembered.
const MOST_RULES: usize = 1000;

/// Reads blocks.
#[derive(Debug, Default)]
pub(super) struct Rustc {
    /// The heading, and the number of lines since.
    heading: Option<(CheckFinding, u32)>,
    /// The finding whose notes are being read.
    open: Option<CheckFinding>,
    /// The rules of messages, without the names in them. rustc names the rule the first time only.
    rules: HashMap<String, String>,
    /// All findings, whose checker is clippy if one of them is.
    found: Vec<CheckFinding>,
    clippy: bool,
}

impl Rustc {
    /// Takes a line. Returns true if it belongs to a block.
    pub(super) fn line(&mut self, text: &str, found: &mut Found) -> bool {
        if let Some(finding) = heading(text) {
            self.close();
            self.heading = Some((finding, 0));
            return true;
        }
        self.clippy |= text.contains("cargo clippy");
        if text.starts_with("note: ") || text.starts_with("help: ") {
            self.heading = None;
        }
        if self.place(text) {
            return true;
        }
        if let Some((_, lines)) = &mut self.heading {
            *lines += 1;
            if *lines > HEADING_LINES || text.is_empty() {
                self.heading = None;
            }
            return false;
        }
        let is_open = self.open.is_some();
        if text.is_empty() {
            self.close();
        } else if is_open {
            self.rule(text);
        }
        if self.found.len() >= super::MOST_COMPARED {
            self.hand_out(found);
        }
        is_open
    }

    fn place(&mut self, text: &str) -> bool {
        if !text.trim_start().starts_with("--> ") {
            return false;
        }
        let Some((finding, _)) = self.heading.take() else {
            return self.open.is_some();
        };
        let Some(place) = PLACE_REGEX.as_ref().and_then(|regex| regex.captures(text)) else {
            return false;
        };
        let group = |name| place.name(name).map_or("", |group| group.as_str());
        self.open = Some(CheckFinding {
            file: Some(group("file").to_owned()),
            line: number(group("line")),
            column: number(group("column")),
            ..finding
        });
        true
    }

    fn rule(&mut self, text: &str) {
        let is_note = text.trim_start().starts_with("= ");
        let Some(open) = self
            .open
            .as_mut()
            .filter(|open| is_note && open.rule.is_none())
        else {
            return;
        };
        let Some(found) = RULE_REGEX.as_ref().and_then(|regex| regex.captures(text)) else {
            return;
        };
        let rule = found
            .name("rule")
            .map(|rule| rule.as_str().replace('-', "_"));
        let page = found
            .name("page")
            .map(|page| format!("clippy::{}", page.as_str()));
        open.rule = rule.or(page);
    }

    /// Ends the block.
    fn close(&mut self) {
        self.heading = None;
        let Some(mut finding) = self.open.take() else {
            return;
        };
        let shape = shape(&finding.message);
        match &finding.rule {
            Some(rule) if self.rules.len() < MOST_RULES => {
                self.rules.insert(shape, rule.clone());
            }
            Some(_) => {}
            None => finding.rule = self.rules.get(&shape).cloned(),
        }
        let is_clippy = |rule: &String| rule.starts_with("clippy::");
        self.clippy |= finding.rule.as_ref().is_some_and(is_clippy);
        self.found.push(finding);
    }

    fn hand_out(&mut self, found: &mut Found) {
        let tool = if self.clippy { "clippy" } else { "rustc" };
        for finding in self.found.drain(..) {
            found.add(CheckFinding {
                tool: Some(tool.to_owned()),
                ..finding
            });
        }
    }

    /// Ends the output.
    pub(super) fn finish(mut self, found: &mut Found) {
        self.close();
        self.hand_out(found);
    }
}

fn heading(text: &str) -> Option<CheckFinding> {
    if !text.starts_with(['e', 'w']) {
        return None;
    }
    let found = HEADING_REGEX.as_ref()?.captures(text)?;
    let level = match found.name("level")?.as_str() {
        "error" => FindingLevel::Error,
        _ => FindingLevel::Warning,
    };
    Some(CheckFinding {
        message: found.name("message")?.as_str().to_owned(),
        rule: found.name("code").map(|code| code.as_str().to_owned()),
        level,
        ..CheckFinding::default()
    })
}

/// Returns a message without the names that it quotes.
fn shape(message: &str) -> String {
    message.split('`').step_by(2).collect()
}
