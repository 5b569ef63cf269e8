//! Colours and symbols: one meaning for each colour, never colour alone, ASCII where Unicode cannot
//! be shown.
//!
//! A [`Style`] is a plain value, and text rendered with it depends on nothing else. anstream
//! decides whether a stream wants colours (`NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`, `TERM`). The
//! locale tells whether it can show Unicode.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::fd::AsFd;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anstyle::AnsiColor;

use crate::model::JobOutcome;
use crate::text;

/// The columns of a stream that is no terminal.
const ELSEWHERE: usize = 100;

/// The meaning of a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Green: passed.
    Good,
    /// Red: failed.
    Bad,
    /// Yellow: vacuous, skipped, advisory.
    Warning,
    /// Dim: detail.
    Detail,
    /// Bold: the subject of a block.
    Strong,
}

/// The style of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    color: bool,
    unicode: bool,
    width: usize,
}

impl Style {
    /// Makes a style of its parts; `width` is in columns, at least 20.
    pub fn new(color: bool, unicode: bool, width: usize) -> Self {
        Self {
            color,
            unicode,
            width: width.max(20),
        }
    }

    /// Returns the style for a stream, the user's choice (`--color`) and the environment.
    pub fn of(stream: &(impl RawStream + IsTerminal + AsFd), choice: ColorChoice) -> Self {
        let color = match choice {
            ColorChoice::Auto => {
                let variable = |name: &str| std::env::var_os(name);
                AutoStream::choice(stream) != ColorChoice::Never && !is_dumb(variable)
            }
            ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
            ColorChoice::Never => false,
        };
        let width = match terminal_size::terminal_size_of(stream) {
            Some((terminal_size::Width(columns), _)) if columns > 0 => usize::from(columns),
            _ => ELSEWHERE,
        };
        Self::new(color, shows_unicode(|name| std::env::var_os(name)), width)
    }

    /// Returns the same style with another width, in columns.
    pub fn with_width(self, width: usize) -> Self {
        Self::new(self.color, self.unicode, width)
    }

    /// Returns the columns of a line.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Colours the text, if colours are wanted. The words have to carry the meaning too.
    pub fn paint(&self, meaning: Meaning, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let style = match meaning {
            Meaning::Good => AnsiColor::Green.on_default(),
            Meaning::Bad => AnsiColor::Red.on_default(),
            Meaning::Warning => AnsiColor::Yellow.on_default(),
            Meaning::Detail => anstyle::Style::new().dimmed(),
            Meaning::Strong => anstyle::Style::new().bold(),
        };
        format!("{style}{text}{style:#}")
    }

    /// Returns the coloured symbol of an outcome; one column.
    pub fn mark(&self, outcome: JobOutcome) -> String {
        let (meaning, symbol, ascii) = match outcome {
            JobOutcome::Passed => (Meaning::Good, "✓", "+"),
            JobOutcome::Failed | JobOutcome::TimedOut | JobOutcome::Error => {
                (Meaning::Bad, "✗", "x")
            }
            JobOutcome::Vacuous => (Meaning::Warning, "!", "!"),
            JobOutcome::Skipped | JobOutcome::Cancelled | JobOutcome::NotRun => {
                (Meaning::Warning, "–", "-")
            }
        };
        self.paint(meaning, self.either(symbol, ascii))
    }

    /// Returns the symbol of a warning.
    pub fn warning(&self) -> String {
        self.paint(Meaning::Warning, "!")
    }

    /// Returns the symbol of a running job.
    pub fn running(&self) -> &'static str {
        self.either("▸", ">")
    }

    /// Returns the symbol of a job that runs again.
    pub fn again(&self) -> &'static str {
        self.either("↻", "~")
    }

    /// Returns the separator of the parts of a line, with its spaces.
    pub fn dot(&self) -> &'static str {
        self.either(" · ", " | ")
    }

    /// Returns the sign for omitted text.
    pub fn ellipsis(&self) -> &'static str {
        self.either("…", "...")
    }

    /// Returns the sign between components and steps.
    pub fn times(&self) -> &'static str {
        self.either("×", "x")
    }

    fn either(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// Formats untrusted text as one harmless line of at most `cap` bytes. Without Unicode, other
    /// characters than ASCII become `?`.
    pub fn foreign(&self, foreign: &str, cap: usize) -> String {
        let line = text::for_terminal(foreign, cap);
        if self.unicode {
            return line;
        }
        line.replace('…', "...")
            .chars()
            .map(|character| if character.is_ascii() { character } else { '?' })
            .collect()
    }

    /// Cuts our own text, which may hold any of our symbols, to this many columns.
    pub fn fit(&self, line: &str, columns: usize) -> String {
        text::truncate(line, columns, self.ellipsis()).into_owned()
    }
}

/// Returns true if the terminal shows no colours. anstream believes `CI` before `TERM`, so that
/// `CI=true TERM=dumb` would give colours.
fn is_dumb(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let forced = variable("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    !forced && variable("TERM").is_some_and(|value| value == "dumb")
}

/// Returns true if the locale is a UTF-8 one and the terminal more than a dumb one. POSIX takes the
/// first of LC_ALL, LC_CTYPE and LANG that is set and not empty.
fn shows_unicode(environment: impl Fn(&str) -> Option<OsString>) -> bool {
    if environment("TERM").is_some_and(|term| term == "dumb") {
        return false;
    }
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(environment)
        .find(|value| !value.is_empty())
        .is_some_and(|value| {
            let value = value.to_string_lossy().to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unicode(pairs: &[(&str, &str)]) -> bool {
        shows_unicode(|wanted| {
            let found = pairs.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn a_dumb_terminal_shows_no_colours_unless_they_are_forced() {
        let with = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = (pairs.iter())
                .map(|(name, value)| (name.to_string(), OsString::from(value)))
                .collect();
            is_dumb(|name| (pairs.iter().find(|(key, _)| key == name)).map(|pair| pair.1.clone()))
        };
        assert!(with(&[("TERM", "dumb"), ("CI", "true")]));
        assert!(!with(&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")]));
        assert!(!with(&[("TERM", "xterm")]) && !with(&[]));
    }

    #[test]
    fn the_locale_decides_about_unicode() {
        assert!(unicode(&[("LANG", "C.UTF-8")]));
        assert!(unicode(&[("LC_ALL", ""), ("LANG", "de_DE.utf8")]));
        assert!(!unicode(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")]));
        assert!(!unicode(&[("LANG", "C.UTF-8"), ("TERM", "dumb")]));
        assert!(!unicode(&[]));
    }

    #[test]
    fn colour_is_never_alone_and_symbols_take_one_column() {
        for outcome in JobOutcome::ALL {
            for unicode in [false, true] {
                let plain = Style::new(false, unicode, 80).mark(outcome);
                let colored = Style::new(true, unicode, 80).mark(outcome);
                assert_eq!(text::width(&plain), 1);
                assert_eq!(text::clean(&colored), plain);
                assert_ne!(colored, plain);
                assert!(unicode || plain.is_ascii());
            }
        }
    }

    #[test]
    fn without_unicode_everything_is_ascii() {
        let style = Style::new(false, false, 80);
        assert_eq!(style.foreign("Tést \u{1b}[31m漢\n", 80), "T?st ?");
        assert!(style.foreign(&"x".repeat(100), 20).ends_with("..."));
    }

    #[test]
    fn the_users_choice_wins() {
        let stream = std::io::stderr();
        assert!(Style::of(&stream, ColorChoice::Always).color);
        assert!(!Style::of(&stream, ColorChoice::Never).color);
    }
}
