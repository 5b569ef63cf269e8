//! Plants random files in a tree and in git's directory, as a job may do, that lead to a program
//! which leaves a mark. No question asked after a job starts that program.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command as Process;

use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::git::Git;
use crate::git::seal::Seal;
use crate::git::test_repository::environment;
use crate::model::{Command, JobId};

const CASES: u32 = 400;

const RULES: &str = "* filter=mark diff=mark merge=mark\n";

/// The keys of a configuration that name a program, or lead to one. `@` stands for the program, `%`
/// for a directory of the job.
const KEYS: [(&str, &str); 34] = [
    ("filter.mark.clean", "@"),
    ("filter.mark.smudge", "@"),
    ("filter.mark.process", "@"),
    ("diff.mark.command", "@"),
    ("diff.mark.textconv", "@"),
    ("diff.external", "@"),
    ("merge.mark.driver", "@"),
    ("core.fsmonitor", "@"),
    ("core.hooksPath", "%/hooks"),
    ("core.sshCommand", "@"),
    ("core.gitProxy", "@"),
    ("core.editor", "@"),
    ("core.pager", "@"),
    ("core.askPass", "@"),
    ("core.alternateRefsCommand", "@"),
    ("core.attributesFile", "%/attributes"),
    ("core.excludesFile", "%/attributes"),
    ("core.worktree", "%"),
    ("credential.helper", "!@"),
    ("gpg.program", "@"),
    ("alias.ls-files", "!@"),
    ("alias.hash-object", "!@"),
    ("alias.rev-parse", "!@"),
    ("pager.ls-files", "@"),
    ("uploadpack.packObjectsHook", "@"),
    ("remote.origin.uploadpack", "@"),
    ("remote.origin.url", "ext::@"),
    ("remote.origin.promisor", "true"),
    ("remote.origin.partialclonefilter", "blob:none"),
    ("extensions.partialClone", "origin"),
    ("extensions.worktreeConfig", "true"),
    ("submodule.sub.update", "!@"),
    ("submodule.recurse", "true"),
    ("include.path", "%/config"),
];

/// A file to plant, with its path.
#[derive(Debug, Clone, Copy)]
enum Plant {
    /// A configuration, at this path.
    Settings(&'static str),
    /// Rules that give all files the driver `mark`.
    Attributes(&'static str),
    /// The program itself.
    Program(&'static str),
    /// A line that leads to the job's own repository: `%`.
    Leads(&'static str, &'static str),
    /// The job's own repository, in place of what is there.
    Repository(&'static str),
    /// A link to it.
    Link(&'static str),
    /// A text of no use to git.
    Text(&'static str, &'static str),
}

use Plant::{Attributes, Leads, Link, Program, Repository as Whole, Settings, Text};

const PLANTS: [Plant; 45] = [
    Settings(".git/config"),
    Settings(".git/config.worktree"),
    Settings(".git/modules/sub/config"),
    Settings(".git/worktrees/w/config.worktree"),
    Settings("there/.git/config"),
    Settings(".gitconfig"),
    Settings(".gitmodules"),
    Attributes(".git/info/attributes"),
    Attributes(".gitattributes"),
    Attributes("dir/.gitattributes"),
    Attributes("there/.gitattributes"),
    Attributes(".git/info/exclude"),
    Program(".git/hooks/post-index-change"),
    Program(".git/hooks/reference-transaction"),
    Program(".git/hooks/post-checkout"),
    Program(".git/hooks/fsmonitor-watchman"),
    Program(".git/hooks/pre-push"),
    Program("git"),
    Program("go"),
    Program("cargo"),
    Leads(".git/commondir", "%"),
    Leads(".git/gitdir", "%/.git"),
    Leads(".git/objects/info/alternates", "%/objects"),
    Leads(".git/objects/info/http-alternates", "%/objects"),
    Leads(".git", "gitdir: %"),
    Leads("there/.git", "gitdir: %"),
    Leads("sub/.git", "gitdir: %"),
    Leads("dir/.git", "gitdir: %"),
    Whole(".git"),
    Whole("sub/.git"),
    Whole("there/.git"),
    Whole("dir/.git"),
    Whole("dir"),
    Link(".git"),
    Link("sub/.git"),
    Link(".git/hooks"),
    Link(".git/info"),
    Link(".git/refs"),
    Text(".git/HEAD", "ref: refs/heads/none\n"),
    Text(".git/packed-refs", "# pack-refs with: peeled\n"),
    Text(".git/shallow", "587be6b4c3f93f93c489c0111bba5596147a26cb\n"),
    Text("rust-toolchain.toml", "[toolchain]\npath = \".\"\n"),
    Text(
        ".cargo/config.toml",
        "[build]\nrustc-wrapper = \"./cargo\"\n",
    ),
    Text("go.mod", "module m\ntoolchain go9.99\n"),
    Text("file", "changed\n"),
];

/// A repository with a submodule that is present and one that is absent, and the files that the job
/// brings along beside it.
struct Scene {
    place: tempfile::TempDir,
}

fn template() -> tempfile::TempDir {
    let script = "set -e; git init -q top; cd top; mkdir dir sub; echo one > file; echo two > dir/inner
        git init -q there; echo three > there/file; git -C there add .; git -C there commit -qm there
        git add . 2> /dev/null
        git update-index --add --cacheinfo 160000,$(git -C there rev-parse HEAD),sub
        git commit -qm all
        mkdir -p .git/modules/sub .git/worktrees/w; rm .git/hooks/*
        cp -r .git ../loot";
    let place = tempfile::tempdir().unwrap();
    let made = Process::new("sh")
        .args(["-c", script])
        .current_dir(place.path())
        .env_clear()
        .envs(environment())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    place
}

impl Scene {
    fn new() -> Self {
        static TEMPLATE: OnceLock<tempfile::TempDir> = OnceLock::new();
        let template = TEMPLATE.get_or_init(template);
        let place = tempfile::tempdir().unwrap();
        let copied = Process::new("cp")
            .arg("-a")
            .args([template.path().join("."), place.path().to_owned()])
            .status();
        assert!(copied.unwrap().success());
        let scene = Self { place };
        let program = format!(
            "#!/bin/sh\necho \"$0 $*\" >> '{}'\nexit 1\n",
            scene.mark().display()
        );
        scene.program(&scene.loot("program"), &program);
        scene.program(&scene.loot("hooks/post-index-change"), &program);
        fs::write(scene.loot("attributes"), RULES).unwrap();
        fs::create_dir_all(scene.loot("info")).unwrap();
        fs::write(scene.loot("info/attributes"), RULES).unwrap();
        scene
    }

    fn top(&self) -> PathBuf {
        self.place.path().join("top")
    }

    fn loot(&self, name: &str) -> PathBuf {
        self.place.path().join("loot").join(name)
    }

    fn mark(&self) -> PathBuf {
        self.place.path().join("mark")
    }

    fn program(&self, path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn filled(&self, text: &str) -> String {
        let loot = self.place.path().join("loot");
        let program = self.loot("program").display().to_string();
        text.replace('@', &program)
            .replace('%', &loot.display().to_string())
    }

    /// Puts a plant in its place, if the plants before allow it.
    fn plant(&self, plant: Plant, settings: &str) -> std::io::Result<()> {
        let path = |name: &str| self.top().join(name);
        let loot = self.place.path().join("loot");
        match plant {
            Settings(name) => append(&path(name), settings),
            Attributes(name) => append(&path(name), RULES),
            Program(name) => {
                room(&path(name))?;
                fs::copy(self.loot("program"), path(name)).map(drop)
            }
            Leads(name, text) => {
                room(&path(name))?;
                fs::write(path(name), self.filled(text) + "\n")
            }
            Text(name, text) => {
                room(&path(name))?;
                fs::write(path(name), text)
            }
            Whole(name) => {
                room(&path(name))?;
                let copied = Process::new("cp")
                    .arg("-r")
                    .arg(loot)
                    .arg(path(name))
                    .status()?;
                copied
                    .success()
                    .then_some(())
                    .ok_or(std::io::Error::other("cp"))
            }
            Link(name) => {
                room(&path(name))?;
                let target = name.strip_prefix(".git/").map(|name| loot.join(name));
                symlink(target.unwrap_or(loot), path(name))
            }
        }
    }

    /// Changes all times, so that a comparison has to read the contents.
    fn touch(&self) {
        for name in ["file", "dir/inner", "there/file"] {
            if let Ok(file) = fs::File::options().append(true).open(self.top().join(name)) {
                file.set_modified(std::time::SystemTime::UNIX_EPOCH)
                    .unwrap();
            }
        }
    }
}

fn append(path: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap())?;
    let before = fs::read_to_string(path).unwrap_or_default();
    fs::write(path, before + "\n" + text)
}

fn room(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap())?;
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    }
}

fn settings(keys: &[(&str, &str)]) -> String {
    let line = |(key, value): &(&str, &str)| {
        let (section, name) = key.rsplit_once('.').unwrap();
        let section = match section.split_once('.') {
            Some((section, rest)) => format!("[{section} \"{rest}\"]"),
            None => format!("[{section}]"),
        };
        format!("{section}\n\t{name} = {value}\n")
    };
    keys.iter().map(line).collect()
}

/// Carries out a case. Returns true if a question about an untouched tree would start the program.
fn carry_out(
    git: &Git,
    snapshots: &RepositorySnapshots,
    plants: &[Plant],
    keys: &[(&str, &str)],
) -> bool {
    let scene = Scene::new();
    let job = Job::new(
        JobId::new("a", "check"),
        Command::Script(String::new()),
        scene.top(),
    );
    let seal = Seal::of(git, &scene.top()).unwrap().unwrap();
    let visit = snapshots.enter(&job);
    let text = scene.filled(&settings(keys));
    append(&scene.loot("config"), &text).unwrap();
    for plant in plants {
        // A plant that another one blocks is as good.
        let _ = scene.plant(*plant, &text);
    }
    scene.touch();
    let _ = visit.leave();
    let holds = seal.holds();
    // The next job in the same tree.
    drop(snapshots.enter(&job));
    let ran = fs::read_to_string(scene.mark()).unwrap_or_default();
    assert_eq!(ran, "", "{plants:?} {keys:?}");
    let _ = git.at(scene.top()).run(["status"]);
    let is_live = scene.mark().exists();
    assert!(!(is_live && holds), "{plants:?} {keys:?}");
    is_live
}

#[test]
fn whatever_a_job_leaves_nothing_of_it_is_started() {
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    });
    let git = Git::find(&environment()).unwrap().with_deadline(PATIENCE);
    let snapshots = RepositorySnapshots::new(Vec::new());
    let live = std::cell::Cell::new(0);
    let keys = subsequence(KEYS.to_vec(), 0..=12);
    let plants = subsequence(PLANTS.to_vec(), 1..=8);
    runner
        .run(&(plants.prop_shuffle(), keys), |(plants, keys)| {
            live.set(live.get() + u32::from(carry_out(&git, &snapshots, &plants, &keys)));
            Ok(())
        })
        .unwrap();
    // Without this, the plants would be harmless and the test would prove nothing.
    assert!(live.get() >= CASES / 20, "{} of {CASES}", live.get());
}
