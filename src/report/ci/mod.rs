//! Detects the CI system that runs kata-ci, and gives it everything that it reads of a run.
//!
//! If a system reads nothing by itself, the files are written that its configuration can name:
//!
//! | system | in the log | at the end |
//! |---|---|---|
//! | GitHub Actions | groups | annotations, and a summary on the run's page |
//! | GitLab CI | sections | `gitlab-junit.xml`, `gl-code-quality-report.json` |
//! | Jenkins | – | – (its step `junit` reads `junit.xml`) |
//! | Zuul | – | `zuul-return.json` for its module `zuul_return` |
//! | Buildbot | – | – (`logfiles` of a step can name `summary.md`) |
//!
//! Each file names its sources. Output of jobs is untrusted: [`super::harmless`] keeps it from
//! being taken for a command of the system, whether or not a system was detected.

mod code_quality;
mod detect;
mod fold;
pub(super) mod neutralize;
mod publish;
mod source_tree;
mod step_summary;
mod zuul;

use super::format::LINE_CAP;
use super::model::{Case, Suite};
use super::text;

pub use detect::{DetectedCi, detect};
pub(super) use fold::Folds;
pub use publish::{Published, publish, summary_place};
pub use source_tree::SourceTree;

/// Files that a run writes for a CI system, beside the reports for everybody.
pub const FILES: [&str; 3] = [publish::GITLAB_JUNIT, code_quality::FILE, zuul::FILE];

/// Describes a failing case in a line: `agent.test TestRoute failed: no such device`.
fn sentence(suite: &Suite, case: &Case) -> String {
    let said = match case.message() {
        "" => String::new(),
        message => format!(": {message}"),
    };
    let words = format!("{} {} {}{said}", suite.name, case.name, case.word());
    text::one_line(&words, LINE_CAP)
}

/// A CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ci {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI/CD.
    GitLab,
    /// Jenkins.
    Jenkins,
    /// Zuul.
    Zuul,
    /// Buildbot.
    Buildbot,
}

impl Ci {
    /// All systems, in the order of detection: those that read the log come first.
    pub const ALL: [Self; 5] = [
        Self::GitHub,
        Self::GitLab,
        Self::Jenkins,
        Self::Zuul,
        Self::Buildbot,
    ];

    /// Returns the system's name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub Actions",
            Self::GitLab => "GitLab CI",
            Self::Jenkins => "Jenkins",
            Self::Zuul => "Zuul",
            Self::Buildbot => "Buildbot",
        }
    }

    /// Describes for the header what the system gets of a run.
    fn gets(self) -> &'static str {
        match self {
            Self::GitHub => "output in groups, annotations, a summary on the run's page",
            Self::GitLab => {
                "output in sections, and gitlab-junit.xml and gl-code-quality-report.json for artifacts:reports"
            }
            Self::Jenkins => "its step junit reads junit.xml",
            Self::Zuul => "zuul-return.json is for its module zuul_return",
            Self::Buildbot => "logfiles of its step can name summary.md",
        }
    }

    /// Returns the variable that names the directory below which the system looks for files.
    fn workspace_variable(self) -> Option<&'static str> {
        match self {
            Self::GitHub => Some("GITHUB_WORKSPACE"),
            Self::GitLab => Some("CI_PROJECT_DIR"),
            Self::Jenkins => Some("WORKSPACE"),
            Self::Zuul | Self::Buildbot => None,
        }
    }
}
