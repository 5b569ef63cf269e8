//! Detects the CI system that runs kata-ci, by the environment alone.
use std::path::{Path, PathBuf};

use super::Ci;
use crate::env::Environment;

/// The variables that kata-ci was called with.
/// A CI system, and the sign that it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectedCi {
    /// The system.
    pub system: Ci,
    /// The sign of the system: a variable, or the option that named it.
    pub by: &'static str,
    /// Other systems whose signs are there too. They are ignored.
    pub others: Vec<(Ci, &'static str)>,
    /// The directory below which the system looks for files, if it names one.
    pub workspace: Option<PathBuf>,
}

/// Detects the system whose variables are set; of several the first of [`Ci::ALL`].
///
/// - GitHub: `GITHUB_ACTIONS`, "always set to `true`" (docs.github.com, Variables reference,
///   default environment variables).
/// - GitLab: `GITLAB_CI`, `true` in all jobs (docs.gitlab.com, Predefined CI/CD variables).
/// - Jenkins: `JENKINS_URL`, which is set only if the administrator set the URL; else
///   `JENKINS_HOME` with `BUILD_NUMBER` (the page `/env-vars.html` of any Jenkins).
/// - Zuul sets nothing in a job's environment (zuul-ci.org, Job Content: its variables are
///   Ansible's). Playbooks that were migrated from version 2 pass `ZUUL_UUID` and others with the
///   filter `zuul_legacy_vars`; any other can pass them too.
/// - Buildbot sets nothing either (docs.buildbot.net, ShellCommand: `env` is the master's choice).
///   Masters that set variables follow the annotated steps of Chromium and LLVM:
///   `BUILDBOT_BUILDERNAME`, `BUILDBOT_BUILDNUMBER`.
pub fn detect(environment: &Environment) -> Option<DetectedCi> {
    let mut found = Ci::ALL
        .into_iter()
        .filter_map(|system| Some((system, sign(system, environment)?)));
    let (system, by) = found.next()?;
    Some(DetectedCi {
        others: found.collect(),
        ..DetectedCi::named(system, by, environment)
    })
}

fn sign(system: Ci, environment: &Environment) -> Option<&'static str> {
    let value = |name: &str| environment.get(name);
    let is_set = |name: &&'static str| value(name).is_some_and(|value| !value.is_empty());
    let is_true = |name: &&'static str| value(name).is_some_and(|value| value == "true");
    match system {
        Ci::GitHub => Some("GITHUB_ACTIONS").filter(is_true),
        Ci::GitLab => Some("GITLAB_CI").filter(is_true),
        Ci::Jenkins if is_set(&"BUILD_NUMBER") => {
            ["JENKINS_URL", "JENKINS_HOME"].into_iter().find(is_set)
        }
        Ci::Jenkins => Some("JENKINS_URL").filter(is_set),
        Ci::Zuul => ["ZUUL_UUID", "ZUUL_PIPELINE"].into_iter().find(is_set),
        Ci::Buildbot => ["BUILDBOT_BUILDERNAME", "BUILDBOT_BUILDNUMBER"]
            .into_iter()
            .find(is_set),
    }
}

impl DetectedCi {
    /// Returns a system with the sign that identified it.
    pub fn named(system: Ci, by: &'static str, environment: &Environment) -> Self {
        let workspace = system
            .workspace_variable()
            .and_then(|name| environment.get(name))
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        Self {
            system,
            by,
            others: Vec::new(),
            workspace: workspace.map(|path| path.canonicalize().unwrap_or(path)),
        }
    }

    /// Formats the line `on GitHub Actions (GITHUB_ACTIONS): output in groups, …`.
    pub fn line(&self) -> String {
        let Self { system, by, .. } = self;
        let mut line = format!("on {} ({by}): {}", system.name(), system.gets());
        for (other, by) in &self.others {
            line.push_str(&format!("; not heeded: {} ({by})", other.name()));
        }
        line
    }

    /// Returns a warning if the reports lie where the system cannot take them. Jenkins and GitLab
    /// take only files of their workspace (docs.gitlab.com, `artifacts:paths`: "relative to the
    /// project directory … can't directly link outside it"; the step `junit` takes patterns
    /// relative to the workspace).
    pub fn misplaced(&self, reports: &Path) -> Option<String> {
        let workspace = self.workspace.as_deref()?;
        let reads_files = matches!(self.system, Ci::GitLab | Ci::Jenkins);
        (reads_files && !reports.starts_with(workspace)).then(|| {
            format!(
                "{} finds no reports outside of {}: name a directory in it with --report-dir",
                self.system.name(),
                workspace.display()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    #[test]
    fn each_system_is_known_by_what_it_sets() {
        for (variables, expected) in [
            (&[][..], None),
            (&[("CI", "true")], None),
            (
                &[("GITHUB_ACTIONS", "true")],
                Some((Ci::GitHub, "GITHUB_ACTIONS")),
            ),
            (&[("GITHUB_ACTIONS", "false")], None),
            (&[("GITHUB_TOKEN", "x")], None),
            (&[("GITLAB_CI", "true")], Some((Ci::GitLab, "GITLAB_CI"))),
            (
                &[("JENKINS_URL", "http://ci/")],
                Some((Ci::Jenkins, "JENKINS_URL")),
            ),
            (&[("JENKINS_URL", "")], None),
            (&[("JENKINS_HOME", "/var/lib/jenkins")], None),
            (
                &[("JENKINS_HOME", "/var/lib/jenkins"), ("BUILD_NUMBER", "7")],
                Some((Ci::Jenkins, "JENKINS_HOME")),
            ),
            (&[("BUILD_NUMBER", "7")], None),
            (&[("ZUUL_UUID", "1a2b")], Some((Ci::Zuul, "ZUUL_UUID"))),
            (
                &[("ZUUL_PIPELINE", "check")],
                Some((Ci::Zuul, "ZUUL_PIPELINE")),
            ),
            (
                &[("BUILDBOT_BUILDERNAME", "kata")],
                Some((Ci::Buildbot, "BUILDBOT_BUILDERNAME")),
            ),
        ] {
            let detected = detect(&environment(variables));
            let found = detected.map(|one| (one.system, one.by));
            assert_eq!(found, expected, "{variables:?}");
        }
    }

    #[test]
    fn of_several_the_first_is_taken_and_the_others_are_named() {
        let variables = [
            ("BUILDBOT_BUILDERNAME", "kata"),
            ("ZUUL_UUID", "1a2b"),
            ("GITLAB_CI", "true"),
        ];
        let detected = detect(&environment(&variables)).unwrap();
        assert_eq!(detected.system, Ci::GitLab);
        let line = detected.line();
        assert!(
            line.ends_with(
                "; not heeded: Zuul (ZUUL_UUID); not heeded: Buildbot (BUILDBOT_BUILDERNAME)"
            ),
            "{line}"
        );
    }

    #[test]
    fn reports_that_a_system_cannot_find_are_said() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap();
        let path = root.to_str().unwrap();
        let inside = root.join("reports");
        let outside = Path::new("/elsewhere");
        for (variables, warned) in [
            (&[("GITLAB_CI", "true"), ("CI_PROJECT_DIR", path)][..], true),
            (&[("JENKINS_URL", "x"), ("WORKSPACE", path)], true),
            (&[("JENKINS_URL", "x")], false),
            (
                &[("GITHUB_ACTIONS", "true"), ("GITHUB_WORKSPACE", path)],
                false,
            ),
        ] {
            let detected = detect(&environment(variables)).unwrap();
            assert_eq!(
                detected.misplaced(outside).is_some(),
                warned,
                "{variables:?}"
            );
            assert_eq!(detected.misplaced(&inside), None);
        }
    }
}
