use std::fs;

use super::*;
use crate::env::Environment;
use crate::model::{Command, JobId};

/// A home below /tmp with a workspace, caches and secrets.
struct World {
    place: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let place = tempfile::tempdir_in("/tmp").unwrap();
        let world = Self { place };
        for directory in [
            "home/.ssh",
            "home/.cargo/bin",
            "home/.cargo/registry",
            "home/.cache/go-build",
            "home/.local/bin",
            "home/.local/share/keyrings",
            "home/go/pkg",
            "home/src/proxy/.git/hooks",
            "home/src/shim",
            "reports",
        ] {
            fs::create_dir_all(world.path(directory)).unwrap();
        }
        for file in [
            "home/.gitconfig",
            "home/.netrc",
            "home/.cargo/credentials.toml",
            "home/src/proxy/.git/config",
        ] {
            fs::write(world.path(file), "").unwrap();
        }
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn job(&self) -> Job {
        let path = [".cargo/bin", ".local/bin"].map(|name| self.path("home").join(name));
        let path =
            std::env::join_paths(path.iter().map(PathBuf::as_path).chain([Path::new("/bin")]));
        let command = Command::Run(vec!["make".into()]);
        let id = JobId::new("proxy", "test");
        Job {
            environment: Environment::from([
                ("HOME".into(), self.path("home").into()),
                ("PATH".into(), path.unwrap()),
            ]),
            ..Job::new(id, command, self.path("home/src/proxy"))
        }
    }

    fn places(&self, job: &Job, strict: bool) -> Vec<MountPoint> {
        let run = RunPaths {
            workspace: &self.path("home/src"),
            view: None,
            reports: &self.path("reports"),
            own: &[],
        };
        places(job, &run, strict)
    }

    /// Returns the view of a path, which the innermost mount point around it decides.
    fn view(&self, places: &[MountPoint], name: &str) -> Option<View> {
        let path = self.path(name);
        let around = places.iter().filter(|place| path.starts_with(place.path()));
        around
            .max_by_key(|place| place.path().components().count())
            .map(|place| place.view)
    }
}

#[test]
fn what_lies_below_tmp_comes_back_with_its_neighbours() {
    let world = World::new();
    let places = world.places(&world.job(), false);
    assert_eq!(world.view(&places, "anything/at/all"), Some(View::Kept));
    let hidden: Vec<_> = places
        .iter()
        .filter(|place| place.view == View::Hidden)
        .map(MountPoint::path)
        .collect();
    assert!(
        hidden.contains(&Path::new("/tmp")) && hidden.contains(&Path::new("/run")),
        "{hidden:?}"
    );
}

#[test]
fn strictly_only_the_jobs_own_places_are_writable() {
    let world = World::new();
    let places = world.places(&world.job(), true);
    let view = |name| world.view(&places, name);
    for own in ["home/src/proxy/main.go", "home/src/proxy/.git/index"] {
        assert_eq!(view(own), Some(View::Kept), "{own}");
    }
    for cache in [
        "home/.cache/go-build/aa",
        "home/go/pkg/mod",
        "home/.cargo/registry/src",
    ] {
        assert_eq!(view(cache), Some(View::Copied), "{cache}");
    }
    for seen in [
        "home/src/shim/main.go",
        "home/.gitconfig",
        "home/.cargo/bin/cargo",
        "home/.local/bin/tool",
    ] {
        assert_eq!(view(seen), Some(View::ReadOnly), "{seen}");
    }
    for secret in [
        "home/.ssh/id_rsa",
        "home/.netrc",
        "home/.cargo/credentials.toml",
        "home/.local/share/keyrings/login",
        "home/other",
        "reports/result.json",
    ] {
        assert_eq!(view(secret), Some(View::Hidden), "{secret}");
    }
}

#[test]
fn strictly_what_git_would_run_later_is_not_writable() {
    let world = World::new();
    let places = world.places(&world.job(), true);
    assert_eq!(
        world.view(&places, "home/src/proxy/.git/config"),
        Some(View::ReadOnly)
    );
    assert_eq!(
        world.view(&places, "home/src/proxy/.git/hooks/post-commit"),
        Some(View::ReadOnly)
    );
    // The directory cannot be moved away and created again either.
    let git = world.path("home/src/proxy/.git");
    assert!(
        places
            .iter()
            .any(|place| place.path() == git && place.view == View::Kept)
    );
}

#[test]
fn a_report_in_the_work_tree_is_not_writable() {
    let world = World::new();
    let reports = world.path("home/src/proxy/reports");
    fs::create_dir(&reports).unwrap();
    let run = RunPaths {
        workspace: &world.path("home/src"),
        view: None,
        reports: &reports,
        own: &[],
    };
    let places = places(&world.job(), &run, true);
    assert_eq!(
        world.view(&places, "home/src/proxy/reports/result.json"),
        Some(View::ReadOnly)
    );
}

#[test]
fn strictly_nothing_around_what_is_protected_can_be_moved_away() {
    let world = World::new();
    let (reports, module) = (
        world.path("home/src/proxy/out/reports"),
        world.path("home/src/proxy/.git/modules/group/x"),
    );
    for directory in [&reports, &module] {
        fs::create_dir_all(directory).unwrap();
    }
    for name in ["HEAD", "config"] {
        fs::write(module.join(name), "").unwrap();
    }
    let run = RunPaths {
        workspace: &world.path("home/src"),
        view: None,
        reports: &reports,
        own: &[],
    };
    let places = places(&world.job(), &run, true);
    for name in [
        "out",
        ".git",
        ".git/modules",
        ".git/modules/group",
        ".git/modules/group/x",
    ] {
        let pinned = MountPoint::new(world.path("home/src/proxy").join(name), View::Kept);
        assert!(places.contains(&pinned), "{name}: {places:?}");
    }
}

#[test]
fn what_the_pipeline_names_is_writable_and_outer_places_come_first() {
    let world = World::new();
    let mut job = world.job();
    fs::create_dir_all(world.path("home/.cache/linter")).unwrap();
    job.bounds.writable = vec![world.path("home/.cache/linter"), world.path("not/there")];
    let places = world.places(&job, true);
    assert_eq!(
        world.view(&places, "home/.cache/linter/x"),
        Some(View::Kept)
    );
    let depths: Vec<_> = places
        .iter()
        .map(|place| place.path().components().count())
        .collect();
    assert!(depths.is_sorted(), "{places:?}");
}

#[test]
fn a_link_into_a_hidden_directory_leads_somewhere() {
    let world = World::new();
    let mut job = world.job();
    let link = world.path("home/src/link");
    std::os::unix::fs::symlink(&job.directory, &link).unwrap();
    job.directory = link;
    let places = world.places(&job, true);
    assert_eq!(world.view(&places, "home/src/link/x"), Some(View::Kept));
    assert_eq!(world.view(&places, "home/src/proxy/x"), Some(View::Kept));
}

#[test]
fn programs_come_with_what_they_belong_to_but_never_with_a_home() {
    let home = Some(Path::new("/home/ada"));
    for (entry, expected) in [
        ("/home/ada/.pyenv/shims", "/home/ada/.pyenv"),
        ("/home/ada/go/bin", "/home/ada/go"),
        ("/home/ada/bin", "/home/ada/bin"),
        ("/home/ada/.local/bin", "/home/ada/.local/bin"),
        ("/home/ada/tools", "/home/ada/tools"),
        ("/usr/bin", "/usr/bin"),
        ("/bin", "/bin"),
        ("/home/bin", "/home/bin"),
    ] {
        assert_eq!(
            installation(Path::new(entry), home),
            Path::new(expected),
            "{entry}"
        );
    }
}

#[test]
fn who_works_in_a_shared_directory_itself_is_told() {
    let world = World::new();
    let mut job = world.job();
    assert_eq!(conflict(&job, true), None);
    job.directory = "/tmp".into();
    assert!(conflict(&job, false).unwrap().contains("/tmp"));
    job.directory = world.path("home");
    assert_eq!(conflict(&job, false), None);
    assert!(conflict(&job, true).is_some());
}

#[test]
fn a_pipeline_that_names_a_hidden_directory_itself_is_told() {
    let world = World::new();
    let mut job = world.job();
    for (name, is_told) in [("/", true), ("home", true), ("home/.cache", false)] {
        job.bounds.writable = vec![world.path(name)];
        assert_eq!(conflict(&job, true).is_some(), is_told, "{name}");
        assert_eq!(conflict(&job, false), None, "{name}");
    }
}

#[test]
fn strictly_a_credential_beside_programs_is_hidden() {
    let world = World::new();
    fs::create_dir_all(world.path("home/.docker/bin")).unwrap();
    fs::write(world.path("home/.docker/config.json"), "").unwrap();
    let mut job = world.job();
    let path = world.path("home/.docker/bin");
    job.environment.set("PATH", path);
    job.environment.set("CARGO_HOME", world.path("elsewhere"));
    let places = world.places(&job, true);
    for (name, view) in [
        (".docker/bin/docker", View::ReadOnly),
        (".docker/config.json", View::Hidden),
        (".cargo/credentials.toml", View::Hidden),
    ] {
        let seen = world.view(&places, &format!("home/{name}"));
        assert_eq!(seen, Some(view), "{name}");
    }
}

#[test]
fn strictly_what_is_installed_into_a_gopath_and_written_into_katas_tests_is_the_jobs_own() {
    let world = World::new();
    for directory in ["gopath/bin", "gopath/src/github.com/kata-containers/tests"] {
        fs::create_dir_all(world.path(directory)).unwrap();
    }
    let mut job = world.job();
    job.environment.set("GOPATH", world.path("gopath"));
    let places = world.places(&job, true);
    for (name, view) in [
        ("gopath", View::ReadOnly),
        ("gopath/bin/tool", View::Copied),
        (
            "gopath/src/github.com/kata-containers/tests/cmd",
            View::Copied,
        ),
    ] {
        assert_eq!(world.view(&places, name), Some(view), "{name}");
    }
    job.directory = world.path("gopath/src/github.com/kata-containers/tests");
    let places = world.places(&job, true);
    let tests = "gopath/src/github.com/kata-containers/tests";
    assert_eq!(world.view(&places, tests), Some(View::Kept));
}

#[test]
fn strictly_a_cache_is_the_users_own_also_in_the_work_tree_unless_the_pipeline_says_otherwise() {
    let world = World::new();
    let cache = world.path("home/src/proxy/.cache/go");
    let cargo = world.path("home/src/proxy/.cargo-home");
    for directory in [&cache, &cargo.join("registry")] {
        fs::create_dir_all(directory).unwrap();
    }
    let mut job = world.job();
    for (name, path) in [("GOCACHE", &cache), ("CARGO_HOME", &cargo)] {
        job.environment.set(name, path);
    }
    let views = |job: &Job| {
        let places = world.places(job, true);
        [".cache/go/x", ".cargo-home/registry/x"]
            .map(|name| world.view(&places, &format!("home/src/proxy/{name}")))
    };
    assert_eq!(views(&job), [Some(View::Copied); 2]);
    job.bounds.writable = vec![cache];
    assert_eq!(views(&job), [Some(View::Kept), Some(View::Copied)]);
    // All of what is hidden is no cache.
    job.environment.set("GOCACHE", "/tmp");
    let places = world.places(&job, true);
    assert!(places.contains(&MountPoint::new("/tmp", View::Hidden)));
}

#[test]
fn strictly_settings_of_submodules_and_other_work_trees_are_not_writable() {
    let world = World::new();
    let git = "home/src/proxy/.git";
    for (directory, file) in [("modules/x", "config"), ("worktrees/side", "commondir")] {
        let directory = world.path(git).join(directory);
        fs::create_dir_all(&directory).unwrap();
        for name in ["HEAD", file, "index"] {
            fs::write(directory.join(name), "").unwrap();
        }
    }
    let places = world.places(&world.job(), true);
    for (name, view) in [
        ("modules/x/config", View::ReadOnly),
        ("modules/x/index", View::Kept),
        ("worktrees/side/commondir", View::ReadOnly),
    ] {
        let seen = world.view(&places, &format!("{git}/{name}"));
        assert_eq!(seen, Some(view), "{name}");
    }
}

#[test]
fn what_kata_ci_believes_is_hidden_and_made_before_where_the_job_could_make_it() {
    let world = World::new();
    let own = [
        world.path("home/src/proxy/state/kata-ci"),
        world.path("elsewhere/kata-ci"),
    ];
    let run = RunPaths {
        workspace: &world.path("home/src"),
        view: None,
        reports: &world.path("reports"),
        own: &own,
    };
    let strict = places(&world.job(), &run, true);
    assert!(strict.contains(&MountPoint::new(&own[0], View::Hidden)));
    let above = MountPoint::new(world.path("home/src/proxy/state"), View::Kept);
    assert!(strict.contains(&above), "{strict:?}");
    assert!(!own[1].exists());
}
