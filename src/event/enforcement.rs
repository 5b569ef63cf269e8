//! The degree to which one kind of isolation, or one limit, is enforced.
//!
//! In files it is a text. The text of another version is kept as it is, so reading and writing a
//! journal never changes it.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const OFF: &str = "off";
const ENFORCED: &str = "enforced";
const EXCEPT: &str = "enforced: but off for ";
const BY: &str = "enforced by ";
const ADVISORY: &str = "advisory";

/// The degree to which one kind of isolation, or one limit, is enforced.
///
/// [`fmt::Display`] writes the words that stand in files, and [`FromStr`] reads them back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Enforcement {
    /// `off`: nothing was asked for.
    #[default]
    Off,
    /// `enforced`, or `enforced: but off for JOBS` for a run in which some jobs are not isolated.
    Enforced {
        /// The jobs that are not isolated, in words; empty if there are none.
        except: String,
    },
    /// `enforced by MECHANISM`: a limit, with the mechanism and the amount.
    EnforcedBy(String),
    /// `advisory: REASON`: it was asked for, and this host cannot enforce it for this reason.
    Advisory(String),
    /// The words of another version of kata-ci.
    Other(String),
}

impl Enforcement {
    /// Enforced for every job.
    pub const ENFORCED: Self = Self::Enforced {
        except: String::new(),
    };

    /// Returns true if it was asked for and is not enforced.
    pub fn is_advisory(&self) -> bool {
        matches!(self, Self::Advisory(_))
    }
}

impl fmt::Display for Enforcement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => formatter.write_str(OFF),
            Self::Enforced { except } if except.is_empty() => formatter.write_str(ENFORCED),
            Self::Enforced { except } => write!(formatter, "{EXCEPT}{except}"),
            Self::EnforcedBy(mechanism) => write!(formatter, "{BY}{mechanism}"),
            Self::Advisory(reason) if reason.is_empty() => formatter.write_str(ADVISORY),
            Self::Advisory(reason) => write!(formatter, "{ADVISORY}: {reason}"),
            Self::Other(words) => formatter.write_str(words),
        }
    }
}

impl FromStr for Enforcement {
    type Err = Infallible;

    fn from_str(words: &str) -> Result<Self, Infallible> {
        let after = |start: &str| {
            let rest = words.strip_prefix(start)?;
            (!rest.is_empty()).then(|| rest.to_owned())
        };
        Ok(match words {
            OFF => Self::Off,
            ENFORCED => Self::ENFORCED,
            ADVISORY => Self::Advisory(String::new()),
            _ => after(EXCEPT)
                .map(|except| Self::Enforced { except })
                .or_else(|| after(BY).map(Self::EnforcedBy))
                .or_else(|| after(&format!("{ADVISORY}: ")).map(Self::Advisory))
                .unwrap_or_else(|| Self::Other(words.to_owned())),
        })
    }
}

impl From<String> for Enforcement {
    fn from(words: String) -> Self {
        words.parse().unwrap_or(Self::Other(words))
    }
}

impl From<Enforcement> for String {
    fn from(enforcement: Enforcement) -> Self {
        enforcement.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Enforcement::{self, Advisory, Enforced, EnforcedBy, Off, Other};

    fn parse(words: &str) -> Enforcement {
        Enforcement::from(words.to_owned())
    }

    #[test]
    fn the_words_in_the_files() {
        let except = || "a.fetch, b.fetch and 3 more".to_owned();
        let mechanism = || "cgroup: 64 MiB for all processes together".to_owned();
        for (words, expected) in [
            ("off", Off),
            ("enforced", Enforcement::ENFORCED),
            (
                "enforced: but off for a.fetch, b.fetch and 3 more",
                Enforced { except: except() },
            ),
            (
                "enforced by cgroup: 64 MiB for all processes together",
                EnforcedBy(mechanism()),
            ),
            (
                "advisory: making namespaces: EPERM",
                Advisory("making namespaces: EPERM".to_owned()),
            ),
            ("advisory", Advisory(String::new())),
        ] {
            assert_eq!(parse(words), expected);
            assert_eq!(expected.to_string(), words);
            let json = serde_json::to_string(&expected).unwrap();
            assert_eq!(json, format!("\"{words}\""));
            assert_eq!(
                serde_json::from_str::<Enforcement>(&json).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn the_words_of_another_version_are_kept() {
        for words in [
            "",
            "none",
            "enforced by ",
            "enforced: but off for ",
            "advisory: ",
            "advisory (EPERM)",
            "off: a",
        ] {
            assert_eq!(parse(words), Other(words.to_owned()));
            assert_eq!(parse(words).to_string(), words);
        }
    }

    fn any() -> impl Strategy<Value = Enforcement> {
        let text = || "(?s).{1,20}";
        prop_oneof![
            Just(Off),
            Just(Enforcement::ENFORCED),
            Just(Advisory(String::new())),
            text().prop_map(|except| Enforced { except }),
            text().prop_map(EnforcedBy),
            text().prop_map(Advisory),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(enforcement in any()) {
            prop_assert_eq!(parse(&enforcement.to_string()), enforcement);
        }

        #[test]
        fn what_is_read_is_written_back(
            words in "(off|enforced|advisory|enforced by |enforced: but off for )?(: )?(?s).{0,20}",
        ) {
            prop_assert_eq!(parse(&words).to_string(), words);
        }
    }
}
