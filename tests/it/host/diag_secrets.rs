//! Secrets planted in everything that a bundle is made of: none is in it, or on the terminal.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::support::KataCi;
use crate::support::host::{fake, journal, path_with};

/// Lines with a secret each, whose place is `§`.
const PLANTED: &[&str] = &[
    "HTTP Proxy: http://ada:§@proxy:3128/",
    "remote https://§@github.com/a/b.git",
    "GOPROXY=https://a:§@one/go,direct",
    "https_proxy=ada:§@proxy:3128",
    "postgres://u:§@host/db",
    r#"{"HttpsProxy":"https:\/\/ada:§@proxy"}"#,
    r#"kernel_params = "agent.https_proxy=http://u:§@p:1 agent.log=debug""#,
    r#"kernel_params = "agent.aa_kbc_params=cc_kbc::§""#,
    "io.katacontainers.config.hypervisor.cc_init_data: §",
    "Authorization: Bearer §",
    "Proxy-Authorization: Basic QWRhOlpx§",
    "level=info msg=\"sent Bearer §\"",
    "X-Auth-Token: §",
    "Cookie: session=§",
    "GITHUB_TOKEN=§",
    "export DB_PASSWORD=§ and more",
    "Environment=\"DB_PASSWORD=§ and more\" A=b",
    "Environment=MODE=1 API_KEY=§ B=c",
    r#""Env": ["PATH=/bin", "MYSQL_PASSWORD=§ x"]"#,
    "dockerd --log-opt splunk-token=§ --debug",
    "tool --token § --verbose",
    "tool --password=§",
    r#""argv": ["--api-key", "§"]"#,
    "curl -u ada:§ http://x",
    "docker login -u ada -p § registry",
    "sshpass -p § ssh host",
    "openssl rsa -passin pass:§ -in k",
    "mysql -uroot -p§ db",
    r#"{"auths":{"registry":{"auth":"§"}}}"#,
    r#"{\"password\": \"§\"}"#,
    r#""identitytoken" : "§""#,
    "password = '§'",
    "tokens = [\"§\", \"§\"]",
    "  password: §",
    r#"{"name":"DB_PASSWORD","value":"§"}"#,
    "{Username:ada Password:§ Auth:}",
    "machine x login ada password §",
    "<password>§</password>",
    "https://s3/x?X-Amz-Signature=§&a=b",
    "https://x/y?access_token=§&user=ada",
    "-object secret,id=s0,data=§,format=raw",
    "Server=x;Password=§;Pooling=true",
    "client-key-data: §",
    "kubeadm join 1.2.3.4:6443 --token §",
    "the password is §",
    "log again: §",
];

const PEM: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIEPlanted1234567890abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ\nPlantedTail==\n-----END RSA PRIVATE KEY-----";

/// Returns the secret of a line. The last line has that of the token of GitHub.
fn secret(index: usize) -> String {
    let number = if index + 1 == PLANTED.len() {
        14
    } else {
        index
    };
    format!("Zq{number}xPlantedSecret")
}

fn lines() -> Vec<String> {
    let lines = PLANTED.iter().enumerate();
    lines
        .map(|(index, line)| line.replace('§', &secret(index)))
        .collect()
}

fn expect_none(what: &str, text: &str) {
    for needle in [
        "PlantedSecret",
        "MIIEPlanted",
        "PlantedTail",
        "HiddenInCmdline",
    ] {
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(needle)).collect();
        assert!(lines.is_empty(), "{what}: {lines:#?}");
    }
}

fn fakes(directory: &Path) {
    let text = directory.join("planted");
    fs::create_dir_all(directory).unwrap();
    fs::write(&text, format!("{}\n{PEM}\n", lines().join("\n"))).unwrap();
    for name in [
        "kata-runtime",
        "kata-ctl",
        "docker",
        "containerd",
        "crictl",
        "crio",
        "kubectl",
        "ip",
        "systemctl",
        "dmesg",
    ] {
        fake(
            directory,
            name,
            &format!("cat '{0}'; head -n 40 '{0}' >&2", text.display()),
        );
    }
}

#[test]
fn planted_secrets_are_nowhere() {
    assert!(PLANTED.len() >= 40);
    let place = tempfile::tempdir().unwrap();
    let programs = place.path().join("fakes");
    fakes(&programs);
    let path = path_with(&programs);
    let planted = lines();
    let mut entries: Vec<(&str, u8, &str)> = planted
        .iter()
        .map(|line| ("kata", 3, line.as_str()))
        .collect();
    entries.extend(PEM.lines().map(|line| ("kata-runtime", 3, line)));
    let journal = journal(place.path(), &entries);
    let call = |words: &[&str]| {
        let mut call = KataCi::bare()
            .env("PATH", &path)
            .env("SOME_TOKEN", secret(14))
            .args(words);
        if let Some(journal) = journal.as_ref().filter(|_| !words.contains(&"json")) {
            call = call.args([format!("--journal={}", journal.display())]);
        }
        call
    };
    let bundle = place.path().join("bundle");
    let mut process = Command::new("sleep")
        .args(["300"])
        .arg0("sleep --token ArgsPlantedSecret7")
        .spawn()
        .unwrap();
    let done = call(&["diag", "-o", bundle.to_str().unwrap()])
        .finish()
        .expect_code(0);
    process.kill().unwrap();
    process.wait().unwrap();
    expect_none("terminal", &done.printed());
    assert!(done.stdout.contains("secrets masked"), "{}", done.stdout);
    for entry in fs::read_dir(&bundle).unwrap() {
        let path = entry.unwrap().path();
        expect_none(
            &path.display().to_string(),
            &fs::read_to_string(&path).unwrap(),
        );
    }
    let text = fs::read_to_string(bundle.join("docker-info.txt")).unwrap();
    for kept in [
        "proxy:3128",
        "splunk-token=***",
        "\"PATH=/bin\"",
        "agent.log=debug",
        "B=c",
        "Username:ada",
    ] {
        assert!(text.contains(kept), "{kept} is gone from\n{text}");
    }
    let archive = place.path().join("a.tar.zst");
    call(&["diag", "-o", archive.to_str().unwrap()])
        .finish()
        .expect_code(0);
    let unpacked = zstd::decode_all(fs::File::open(&archive).unwrap()).unwrap();
    expect_none("archive", &String::from_utf8_lossy(&unpacked));
    expect_none(
        "diag json",
        &KataCi::bare()
            .args(["diag", "--format", "json", "-o"])
            .args([place.path().join("b")])
            .env("PATH", &path)
            .finish()
            .printed(),
    );
    expect_none(
        "diag net",
        &KataCi::bare()
            .args(["diag", "net"])
            .env("PATH", &path)
            .finish()
            .printed(),
    );
    if journal.is_some() {
        let mut following = call(&["diag", "--follow", "kata", "--since", "1 hour ago"]).start();
        let output = BufReader::new(following.child.stdout.take().unwrap());
        let mut shown = Vec::new();
        for line in output.lines() {
            shown.push(line.unwrap());
            if shown.len() == PLANTED.len() {
                break;
            }
        }
        following.signal(Signal::SIGTERM);
        following.child.wait().unwrap();
        let shown = shown.join("\n");
        expect_none("diag --follow", &shown.replace(&secret(14), ""));
        assert!(shown.contains("splunk-token=***"), "{shown}");
    }
}

#[test]
fn a_secret_in_json_is_shown_neither_pretty_nor_beside_an_error() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("config.json");
    for text in [
        r#"{"process":{"env":["TOKEN=PlantedSecret1","A=b"]},"x":{"auth":"PlantedSecret2"}}"#,
        r#"{"auth":"PlantedSecret2" "x":1}"#,
        r#"["--password","PlantedSecret3",]"#,
        "{\"url\":\"http://a:PlantedSecret4@b\",\n\"x\" \"token\":\"PlantedSecret5\"}",
    ] {
        fs::write(&file, text).unwrap();
        let done = KataCi::bare().args(["diag", "json"]).args([&file]).finish();
        expect_none(text, &done.printed());
        assert!(done.printed().contains("**"), "{}", done.printed());
    }
}
