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
mod system;
mod zuul;

pub use detect::{DetectedCi, detect};
pub(super) use fold::Folds;
pub use publish::{Published, publish, summary_place};
pub use source_tree::SourceTree;
pub use system::{Ci, FILES};
