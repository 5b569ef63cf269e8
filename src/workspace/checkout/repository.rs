//! Makes the repository of a checkout.
//!
//! It borrows the objects of the user's repository (`objects/info/alternates`) and copies its
//! remote-tracking refs, tags and URLs. A clone would not do: `git clone` makes remote branches of
//! the user's local ones. So `origin/master` would be the user's own work, and checks of changed
//! files would find none. Hooks, stash and work trees are not copied. The user's repository is only
//! read.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::CheckoutError;
use super::settings;
use crate::git::{Git, GitError, Repository};

/// Time limit of a checkout: a large work tree takes long on a slow disk.
const DEADLINE: Duration = Duration::from_secs(600);

/// A commit and its checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkout {
    /// The top of the user's work tree.
    pub(super) source: PathBuf,
    /// The top of the checkout.
    pub(super) directory: PathBuf,
    /// The commit.
    pub(super) commit: String,
}

/// The programs that the attributes of a commit may name (`filter`, `diff`, `merge`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drivers {
    /// Used, as in the user's own repository.
    Used,
    /// Not used, because nobody vouches for the commit: its `.gitattributes` starts nothing.
    Unused,
}

/// The attributes that take the drivers away. A repository's own file wins over all others.
const WITHOUT_DRIVERS: &str = "* !filter !diff !merge\n";

/// Checks out a commit of the user's repository to a new path, without its submodules.
pub(super) fn make(
    git: &Git,
    source: &Path,
    commit: &str,
    directory: PathBuf,
    drivers: Drivers,
) -> Result<Checkout, CheckoutError> {
    begin(git, &git.at(source), &directory, drivers)?;
    finish(git, &directory, commit)?;
    Ok(Checkout {
        source: source.to_owned(),
        directory,
        commit: commit.to_owned(),
    })
}

/// Makes the repository, without a work tree.
pub(super) fn begin(
    git: &Git,
    source: &Repository,
    directory: &Path,
    drivers: Drivers,
) -> Result<(), CheckoutError> {
    let failed = |source| CheckoutError::File {
        path: directory.to_owned(),
        source,
    };
    let git = &git.clone().with_deadline(DEADLINE);
    let common = source.directory().join(source.path("--git-common-dir")?);
    let repository = directory.join(".git");
    initialise(git, source, directory)?;
    borrow_objects(&common, &repository).map_err(failed)?;
    append_settings(source, &repository)?.map_err(failed)?;
    if drivers == Drivers::Unused {
        take_drivers_away(&repository).map_err(failed)?;
    }
    write_refs(source, &repository)?.map_err(failed)
}

/// Checks out a commit that the repository has or borrows.
pub(super) fn finish(git: &Git, directory: &Path, commit: &str) -> Result<(), CheckoutError> {
    let git = git.clone().with_deadline(DEADLINE);
    // Hooks of a template or of the user must not run here.
    let checkout = ["checkout", "--quiet", "--detach", commit];
    let settings = [
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "submodule.recurse=false",
    ];
    let words = [&settings[..], &checkout].concat();
    git.at(directory).run(&words)?;
    Ok(())
}

fn take_drivers_away(repository: &Path) -> io::Result<()> {
    let place = repository.join("info");
    fs::create_dir_all(&place)?;
    fs::write(place.join("attributes"), WITHOUT_DRIVERS)
}

fn initialise(git: &Git, source: &Repository, directory: &Path) -> Result<(), CheckoutError> {
    // A git without this option has only one format.
    let format = source.path("--show-object-format")?;
    let mut words = vec!["-c", "init.defaultRefFormat=files", "init", "--quiet"];
    words.push("--template=");
    if format == Path::new("sha256") {
        words.push("--object-format=sha256");
    }
    let mut words: Vec<_> = words.into_iter().map(Path::new).collect();
    words.push(directory);
    git.at("/").run(&words)?;
    Ok(())
}

/// Borrows the objects. A shallow repository ends where its file `shallow` says.
fn borrow_objects(common: &Path, repository: &Path) -> io::Result<()> {
    let mut path = common.join("objects").canonicalize()?.into_os_string();
    if path.as_bytes().contains(&b'\n') {
        return Err(io::Error::other("a path with a line break cannot be lent"));
    }
    path.push("\n");
    fs::create_dir_all(repository.join("objects/info"))?;
    fs::write(repository.join("objects/info/alternates"), path.as_bytes())?;
    let shallow = common.join("shallow");
    match shallow.is_file() {
        true => fs::copy(shallow, repository.join("shallow")).map(drop),
        false => Ok(()),
    }
}

fn append_settings(source: &Repository, repository: &Path) -> Result<io::Result<()>, GitError> {
    let text = settings::of(source)?;
    let file = repository.join("config");
    Ok(fs::read_to_string(&file).and_then(|own| fs::write(&file, own + &text)))
}

/// Writes branches and tags to the file of packed refs, and the symbolic refs (`origin/HEAD`).
fn write_refs(source: &Repository, repository: &Path) -> Result<io::Result<()>, GitError> {
    let format = "--format=%(objectname) %(refname) %(symref)";
    let places = ["refs/remotes", "refs/tags", "refs/heads"];
    let listed = source.run(["for-each-ref", format].into_iter().chain(places))?;
    let listed = String::from_utf8_lossy(&listed);
    let mut packed = String::new();
    let mut symbolic = Vec::new();
    for line in listed.lines() {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some(oid), Some(name), None | Some("")) => packed += &format!("{oid} {name}\n"),
            (_, Some(name), Some(target)) => symbolic.push((name, target)),
            _ => {}
        }
    }
    Ok(
        fs::write(repository.join("packed-refs"), packed).and_then(|()| {
            symbolic
                .iter()
                .try_for_each(|(name, target)| write_symbolic(&repository.join(name), target))
        }),
    )
}

fn write_symbolic(path: &Path, target: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, format!("ref: {target}\n"))
}
