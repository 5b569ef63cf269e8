//! Creates the caches of builds before a job's view is made, so that they can be kept or get a
//! layer laid over them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::variables::{home, paths, variable};
use crate::plan::Job;

/// Creates the missing caches of the installed tools and, for a strict view, those that the
/// pipeline names. A failure is left for the job to notice.
pub(super) fn make(job: &Job, strict: bool) {
    let mut missing = Vec::new();
    if strict {
        missing.extend(job.bounds.writable.iter().cloned());
    }
    if job.environment.find_program("go").is_some() {
        missing.extend(go(job));
    }
    if job.environment.find_program("cargo").is_some() {
        missing.extend(cargo(job));
    }
    for directory in missing {
        let _ = fs::create_dir_all(directory);
    }
}

/// Returns the cache of the Go compiler. See `go help environment` and os.UserCacheDir.
pub(super) fn of_go(job: &Job) -> Option<PathBuf> {
    let below = |directory: &Path, name: &str| directory.join(name);
    variable(job, "GOCACHE")
        .map(Path::to_owned)
        .or_else(|| Some(below(variable(job, "XDG_CACHE_HOME")?, "go-build")))
        .or_else(|| Some(below(home(job)?, ".cache/go-build")))
}

fn go(job: &Job) -> Vec<PathBuf> {
    let gopaths: Vec<_> = match job.environment.contains(OsStr::new("GOPATH")) {
        true => paths(job, "GOPATH").collect(),
        false => existing_home(job)
            .map(|home| home.join("go"))
            .into_iter()
            .collect(),
    };
    let modules = variable(job, "GOMODCACHE").map(Path::to_owned);
    let installed = gopaths
        .iter()
        .flat_map(|gopath| [gopath.join("pkg"), gopath.join("bin")]);
    of_go(job)
        .into_iter()
        .chain(modules)
        .chain(installed)
        .filter(|path| is_worth_it(job, path))
        .collect()
}

fn cargo(job: &Job) -> Vec<PathBuf> {
    let own = variable(job, "CARGO_HOME").map(Path::to_owned);
    let own = own.or_else(|| Some(existing_home(job)?.join(".cargo")));
    own.into_iter()
        .flat_map(|own| [own.join("registry"), own.join("git")])
        .filter(|path| is_worth_it(job, path))
        .collect()
}

/// Returns true unless it is in a home directory that does not exist.
fn is_worth_it(job: &Job, path: &Path) -> bool {
    home(job).is_none_or(|home| home.is_dir() || !path.starts_with(home))
}

fn existing_home(job: &Job) -> Option<&Path> {
    home(job).filter(|home| home.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Environment;
    use crate::model::{Command, JobId};

    /// Returns a job with a home that has a `bin` of programs that do nothing. Its variables hold
    /// paths in that home.
    fn job(home: &Path, programs: &[&str], variables: &[(&str, &str)]) -> Job {
        let bin = home.join("bin");
        fs::create_dir(&bin).unwrap();
        for name in programs {
            std::os::unix::fs::symlink("/bin/true", bin.join(name)).unwrap();
        }
        let mut environment = Environment::from([
            ("HOME".into(), home.into()),
            ("PATH".into(), bin.into_os_string()),
        ]);
        environment.extend(
            variables
                .iter()
                .map(|(name, path)| (name.into(), home.join(path).into_os_string())),
        );
        let command = Command::Run(vec!["make".into()]);
        Job {
            environment,
            ..Job::new(JobId::new("a", "test"), command, home.to_owned())
        }
    }

    fn made(programs: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
        let place = tempfile::tempdir().unwrap();
        let job = job(place.path(), programs, variables);
        make(&job, true);
        let candidates = [
            ".cache/go-build",
            "go/pkg",
            "go/bin",
            ".cargo/registry",
            ".cargo/git",
            "cache",
            "gopath/pkg",
            "modules",
            "cargo/registry",
        ];
        candidates
            .into_iter()
            .filter(|path| place.path().join(path).is_dir())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn each_tool_that_is_there_gets_its_caches_and_no_other() {
        assert_eq!(made(&[], &[]), [""; 0]);
        assert_eq!(made(&["go"], &[]), [".cache/go-build", "go/pkg", "go/bin"]);
        assert_eq!(made(&["cargo"], &[]), [".cargo/registry", ".cargo/git"]);
    }

    #[test]
    fn variables_say_where() {
        let go = [
            ("GOCACHE", "cache"),
            ("GOPATH", "gopath"),
            ("GOMODCACHE", "modules"),
        ];
        assert_eq!(made(&["go"], &go), ["cache", "gopath/pkg", "modules"]);
        let cargo = [("CARGO_HOME", "cargo")];
        assert_eq!(made(&["cargo"], &cargo), ["cargo/registry"]);
    }

    #[test]
    fn what_a_pipeline_names_is_made_where_it_is_needed() {
        let place = tempfile::tempdir().unwrap();
        let mut job = job(place.path(), &[], &[]);
        let (directory, file) = (place.path().join("cache/tool"), place.path().join("file"));
        fs::write(&file, "").unwrap();
        job.bounds.writable = vec![directory.clone(), file.clone()];
        make(&job, false);
        assert!(!directory.exists());
        make(&job, true);
        assert!(directory.is_dir() && file.is_file());
    }

    #[test]
    fn a_home_that_is_not_there_is_not_made() {
        let place = tempfile::tempdir().unwrap();
        let mut job = job(place.path(), &["go", "cargo"], &[]);
        let home = place.path().join("nonexistent");
        job.environment.set("HOME", home.clone());
        make(&job, true);
        assert!(!home.exists());
    }
}
