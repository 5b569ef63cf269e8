//! The byte that detaches a terminal from a console.

use std::fmt;

/// The byte that `socat` examples for kata use: Ctrl-Q.
const USUAL: u8 = 0x11;

/// A byte that detaches, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Escape(Option<u8>);

impl Default for Escape {
    fn default() -> Self {
        Self(Some(USUAL))
    }
}

impl Escape {
    /// No byte: everything typed goes to the guest.
    pub const NONE: Self = Self(None);

    /// Parses `none`, `0x11`, `^Q`, `ctrl-q` or one character.
    ///
    /// # Errors
    /// The words for what can be given.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || "give a byte such as 0x11, ^Q or ctrl-q, or none".to_owned();
        let lower = text.to_ascii_lowercase();
        if lower == "none" {
            return Ok(Self::NONE);
        }
        let hexadecimal = lower
            .strip_prefix("0x")
            .map(|digits| u8::from_str_radix(digits, 16));
        let control = lower
            .strip_prefix("ctrl-")
            .or_else(|| lower.strip_prefix('^').filter(|rest| !rest.is_empty()));
        match (hexadecimal, control, text.as_bytes()) {
            (Some(Ok(byte)), ..) => Ok(Self(Some(byte))),
            (None, Some(letter), _) => match letter.to_ascii_uppercase().as_bytes() {
                [letter @ b'@'..=b'_'] => Ok(Self(Some(letter - b'@'))),
                _ => Err(bad()),
            },
            (None, None, [byte]) if byte.is_ascii() => Ok(Self(Some(*byte))),
            _ => Err(bad()),
        }
    }

    /// Returns the bytes before the escape, and true if it is among these bytes. What follows it is
    /// dropped.
    pub fn split(self, typed: &[u8]) -> (&[u8], bool) {
        let at = self.0.and_then(|escape| memchr::memchr(escape, typed));
        match at {
            Some(at) => (&typed[..at], true),
            None => (typed, false),
        }
    }
}

impl fmt::Display for Escape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => formatter.write_str("none"),
            Some(byte @ 0..=0x1f) => write!(formatter, "Ctrl-{}", char::from(byte + b'@')),
            Some(byte) if byte.is_ascii_graphic() => write!(formatter, "{}", char::from(byte)),
            Some(byte) => write!(formatter, "0x{byte:02x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_byte_can_be_given_in_many_ways() {
        for (text, shown) in [
            ("0x11", "Ctrl-Q"),
            ("^]", "Ctrl-]"),
            ("ctrl-a", "Ctrl-A"),
            ("~", "~"),
            ("^", "^"),
            ("None", "none"),
            ("0xff", "0xff"),
        ] {
            assert_eq!(Escape::parse(text).unwrap().to_string(), shown);
        }
        for text in ["", "0x", "0x111", "ctrl-", "ctrl-é", "ab", "é"] {
            assert!(Escape::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn what_comes_before_the_escape_goes_through(typed in prop::collection::vec(any::<u8>(), 0..40), name in "\\PC{0,6}") {
            let (before, ends) = Escape::default().split(&typed);
            prop_assert!(typed.starts_with(before) && !before.contains(&USUAL));
            prop_assert_eq!(ends, before.len() < typed.len());
            prop_assert_eq!(Escape::NONE.split(&typed), (&typed[..], false));
            let _ = Escape::parse(&name);
        }
    }
}
