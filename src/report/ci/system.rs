//! The CI systems, and the names of the files that a run writes for them.

/// GitLab's JUnit file: output in the failure, unique names, within GitLab's limits.
pub(super) const GITLAB_JUNIT: &str = "gitlab-junit.xml";

/// GitLab's code quality report, under the name that its own templates use.
pub(super) const CODE_QUALITY: &str = "gl-code-quality-report.json";

/// The file for Zuul's module `zuul_return`.
pub(super) const ZUUL_RETURN: &str = "zuul-return.json";

/// Files that a run writes for a CI system, beside the reports for everybody.
pub const FILES: [&str; 3] = [GITLAB_JUNIT, CODE_QUALITY, ZUUL_RETURN];

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
    pub(super) fn gets(self) -> &'static str {
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
    pub(super) fn workspace_variable(self) -> Option<&'static str> {
        match self {
            Self::GitHub => Some("GITHUB_WORKSPACE"),
            Self::GitLab => Some("CI_PROJECT_DIR"),
            Self::Jenkins => Some("WORKSPACE"),
            Self::Zuul | Self::Buildbot => None,
        }
    }
}
