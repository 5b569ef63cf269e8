use super::*;

fn file(path: &str, text: &str) -> UnitFile {
    UnitFile::of(Path::new(path), text.as_bytes().to_vec()).unwrap()
}

fn unit(files: &[(&str, &str)]) -> DockerUnit {
    let files = files.iter().map(|(path, text)| file(path, text)).collect();
    DockerUnit { files }
}

const DEBIAN: &str = "[Unit]\nAfter=network.target\n\n[Service]\nType=notify\nEnvironmentFile=-/etc/default/docker\nExecStart=/usr/sbin/dockerd -H fd:// \\\n  --containerd=/run/containerd/containerd.sock $DOCKER_OPTS\nExecReload=/bin/kill -s HUP $MAINPID\n";

#[test]
fn the_command_in_force_is_the_last_one_after_a_reset() {
    let debian = unit(&[("/lib/systemd/system/docker.service", DEBIAN)]);
    let found = debian.exec_start().unwrap().unwrap();
    assert_eq!(
        found.value,
        "/usr/sbin/dockerd -H fd://  --containerd=/run/containerd/containerd.sock $DOCKER_OPTS"
    );
    assert_eq!(found.line, 7);
    let with = debian.with(file(
        "/etc/systemd/system/docker.service.d/k.conf",
        "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -D\n",
    ));
    assert_eq!(
        with.exec_start().unwrap().unwrap().value,
        "/usr/bin/dockerd -D"
    );
    for (text, words) in [
        (
            "[Service]\nExecStart=/usr/bin/dockerd\n",
            "more than one ExecStart= in force (/u:7, /d:2)",
        ),
        ("[Service]\nExecStart=\n", "no ExecStart= in force (/u)"),
        (
            "[Servce\nExecStart=/x\n",
            "/d:1: `[Servce` is no header of a section",
        ),
    ] {
        let error = unit(&[("/u", DEBIAN), ("/d", text)])
            .exec_start()
            .unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(DockerUnit::default().exec_start().unwrap(), None);
}

#[test]
fn an_edit_of_a_drop_in_keeps_all_other_lines() {
    let mut one = file(
        "/d",
        "# mine\n[Service]\nLimitNOFILE=9\nExecStart=\nExecStart=/usr/bin/dockerd \\\n# why\n  -D\nEnvironment=A=b\n[X]\nExecStart=other\n",
    );
    one.set_exec_start("/usr/sbin/dockerd --add-runtime=k=/k")
        .unwrap();
    assert_eq!(
        one.text,
        "# mine\n[Service]\nLimitNOFILE=9\nExecStart=\nExecStart=/usr/sbin/dockerd --add-runtime=k=/k\n# why\nEnvironment=A=b\n[X]\nExecStart=other\n"
    );
    let mut without = file("/d", "[Service]\nEnvironment=A=b \\");
    without.set_exec_start("/d").unwrap();
    let all = without.assignments().unwrap();
    let shown: Vec<_> = (all.iter())
        .map(|one| format!("{}={}", one.name, one.value))
        .collect();
    assert_eq!(shown, ["Environment=A=b", "ExecStart=", "ExecStart=/d"]);
    let mut empty = file("/d", "");
    empty.set_exec_start("/d").unwrap();
    assert_eq!(empty.text, "[Service]\nExecStart=\nExecStart=/d\n");
}

#[test]
fn drop_ins_come_in_the_order_of_systemd() {
    let place = tempfile::tempdir().unwrap();
    let root = HostRoot::of(place.path()).unwrap();
    let put = |path: &str, text: &str| {
        let path = place.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("lib/systemd/system/docker.service", DEBIAN);
    put(
        "usr/lib/systemd/system/docker.service.d/10-a.conf",
        "[Service]\nEnvironment=HIDDEN=1\n",
    );
    put(
        "etc/systemd/system/docker.service.d/10-a.conf",
        "[Service]\nEnvironment=A=1 \"B=two words\"\n",
    );
    put(
        "run/systemd/system/docker.service.d/05-b.conf",
        "[Service]\nEnvironment=C=1\n",
    );
    put(
        "etc/systemd/system/service.d/99-all.conf",
        "[Service]\nNice=1\n",
    );
    put("etc/systemd/system/docker.service.d/README", "no drop-in\n");
    put(
        "etc/default/docker",
        "# flags\nDOCKER_OPTS=\"--default-runtime k\"\n",
    );
    std::os::unix::fs::symlink(
        "/dev/null",
        place
            .path()
            .join("etc/systemd/system/docker.service.d/20-masked.conf"),
    )
    .unwrap();
    let unit = DockerUnit::read(&root).unwrap();
    let names: Vec<_> = (unit.files().iter())
        .map(|file| file.path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["docker.service", "05-b.conf", "10-a.conf", "99-all.conf"]
    );
    let variables = unit.variables(&root).unwrap();
    let shown: Vec<_> = (variables.iter())
        .map(|(name, one)| format!("{name}={}", one.value))
        .collect();
    assert_eq!(
        shown,
        [
            "A=1",
            "B=two words",
            "C=1",
            "DOCKER_OPTS=--default-runtime k"
        ]
    );
    let added = unit.with(file(
        "/etc/systemd/system/docker.service.d/kata-containers.conf",
        "",
    ));
    assert!(added.files()[4].path.ends_with("kata-containers.conf"));
}
