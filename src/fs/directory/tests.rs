use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use nix::unistd::mkfifo;
use tempfile::TempDir;

use super::*;

/// A directory `out`, held, and a file of somebody else's.
struct Scene {
    place: TempDir,
    held: Directory,
}

fn name(name: &str) -> &OsStr {
    OsStr::new(name)
}

impl Scene {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("work/out")).unwrap();
        fs::create_dir(place.path().join("foreign")).unwrap();
        fs::write(place.path().join("foreign/file"), "foreign").unwrap();
        let held = Directory::hold(&place.path().join("work/out")).unwrap();
        Self { place, held }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn foreign(&self) -> String {
        fs::read_to_string(self.path("foreign/file")).unwrap()
    }

    fn write(&self) -> io::Result<()> {
        self.held
            .write_aside(name("file"), |file| file.write_all(b"own"))
    }
}

#[test]
fn what_was_planted_is_replaced_and_never_written_to() {
    let plants: [fn(&Path, &Path); 4] = [
        |foreign, path| symlink(foreign, path).unwrap(),
        |foreign, path| fs::hard_link(foreign, path).unwrap(),
        |_, path| mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap(),
        |_, path| fs::write(path, "planted").unwrap(),
    ];
    for plant in plants {
        let scene = Scene::new();
        for name in ["file", "log"] {
            plant(&scene.path("foreign/file"), &scene.held.path().join(name));
        }
        scene.write().unwrap();
        let mut log = scene.held.create(name("log")).unwrap();
        log.write_all(b"own").unwrap();
        for name in ["work/out/file", "work/out/log"] {
            let path = scene.path(name);
            assert!(path.symlink_metadata().unwrap().is_file());
            assert_eq!(fs::read_to_string(path).unwrap(), "own");
        }
        assert_eq!(scene.foreign(), "foreign");
    }
}

#[test]
fn a_directory_that_was_removed_is_made_anew() {
    let scene = Scene::new();
    fs::remove_dir_all(scene.path("work")).unwrap();
    scene.write().unwrap();
    scene.held.create(name("log")).unwrap();
    assert!(scene.path("work/out/file").exists() && scene.path("work/out/log").exists());
    fs::remove_dir_all(scene.path("work/out")).unwrap();
    fs::create_dir(scene.path("work/out")).unwrap();
    scene.write().unwrap();
    assert!(scene.path("work/out/file").exists());
}

#[test]
fn a_link_in_the_way_is_not_followed() {
    for part in ["work", "work/out"] {
        let scene = Scene::new();
        fs::create_dir(scene.path("foreign/out")).unwrap();
        fs::rename(scene.path(part), scene.path("aside")).unwrap();
        symlink(scene.path("foreign"), scene.path(part)).unwrap();
        let errors = [
            scene.write().unwrap_err(),
            scene.held.create(name("file")).unwrap_err(),
            scene.held.append(name("file")).unwrap_err(),
            scene.held.remove(name("file")).unwrap_err(),
            scene.held.below("logs").unwrap_err(),
        ];
        for error in errors {
            let said = format!("{part} is a link or a file now");
            assert!(error.to_string().contains(&said), "{error}");
        }
        assert_eq!(scene.foreign(), "foreign");
        assert_eq!(fs::read_dir(scene.path("foreign/out")).unwrap().count(), 0);
    }
}

#[test]
fn a_link_that_was_there_before_is_resolved() {
    let scene = Scene::new();
    symlink(scene.path("work"), scene.path("link")).unwrap();
    let held = Directory::hold(&scene.path("link/out")).unwrap();
    fs::remove_file(scene.path("link")).unwrap();
    held.create(name("file")).unwrap();
    assert!(scene.path("work/out/file").exists());
}

#[test]
fn a_directory_that_is_not_there_may_come() {
    let scene = Scene::new();
    let late = Directory::expect(&scene.path("work/late/deep")).unwrap();
    assert_eq!(
        late.create(name("file")).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    fs::create_dir_all(scene.path("work/late/deep")).unwrap();
    late.create(name("file")).unwrap();
    assert!(Directory::hold(&scene.path("nothing")).is_err());
}

#[test]
fn what_failed_leaves_the_old_file_and_nothing_beside_it() {
    let scene = Scene::new();
    scene.write().unwrap();
    let failed = scene.held.write_aside(name("file"), |file| {
        file.write_all(b"half")?;
        Err(io::ErrorKind::StorageFull.into())
    });
    assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
    let path = scene.path("work/out");
    assert_eq!(fs::read_to_string(path.join("file")).unwrap(), "own");
    assert_eq!(fs::read_dir(path).unwrap().count(), 1);
}

#[test]
fn a_directory_of_that_name_is_left_alone() {
    let scene = Scene::new();
    fs::create_dir(scene.held.path().join("file")).unwrap();
    assert!(scene.write().is_err());
    assert!(scene.held.create(name("file")).is_err());
    assert_eq!(fs::read_dir(scene.held.path()).unwrap().count(), 1);
}

#[test]
fn what_is_appended_to_is_a_regular_file() {
    let scene = Scene::new();
    let path = |name: &str| scene.held.path().join(name);
    mkfifo(&path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    symlink(scene.path("foreign/file"), path("link")).unwrap();
    for planted in ["pipe", "link"] {
        assert!(scene.held.append(name(planted)).is_err(), "{planted}");
    }
    fs::write(path("file"), "one ").unwrap();
    let mut file = scene.held.append(name("file")).unwrap();
    file.write_all(b"two").unwrap();
    let mut text = String::new();
    fs::File::open(path("file"))
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "one two");
}

#[test]
fn it_tells_a_file_from_another_of_its_name() {
    let scene = Scene::new();
    let file = scene.held.create(name("file")).unwrap();
    assert!(scene.held.holds(name("file"), &file).unwrap());
    scene.write().unwrap();
    assert!(!scene.held.holds(name("file"), &file).unwrap());
    scene.held.remove(name("file")).unwrap();
    scene.held.remove(name("file")).unwrap();
    assert!(!scene.held.holds(name("file"), &file).unwrap());
}

#[test]
fn others_may_read_what_is_made() {
    let scene = Scene::new();
    scene.write().unwrap();
    scene.held.create(name("log")).unwrap();
    let plain = scene.path("plain");
    File::create(&plain).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
    for made in ["work/out/file", "work/out/log"] {
        assert_eq!(mode(&scene.path(made)), mode(&plain));
    }
    assert_eq!(scene.path("work/out/log").metadata().unwrap().nlink(), 1);
}
