//! Laws over mutated files: whatever stands there, nothing is lost, nothing breaks, and docker and
//! systemd refuse nothing that they did not refuse before.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::command_line::CommandLine;
use super::daemon_json::{DaemonJson, RuntimeEntry};
use super::unit::{Assignment, DockerUnit, UnitFile};

/// The number of files of each kind.
const FILES: u32 = 10_000;

const DAEMON_JSON: [&str; 7] = [
    "{\n  \"runtimes\": {\n        \"kata-runtime\": {\n            \"path\": \"/usr/bin/kata-runtime\"\n        },\n        \"dlv\": {\n            \"path\": \"/usr/bin/kata-runtime.swapper\"\n        }\n    },\n  \"default-runtime\": \"kata-runtime\",\n\n  \"storage-driver\":\"devicemapper\"\n}\n",
    "{}",
    "",
    "{\"debug\":true,\"runtimes\":{ },\"max\":12345678901234567890123}",
    "\u{feff}{\r\n\t\"log-opts\": {\"max-size\": \"10m\", \"tag\": \"\\u007b}\"},\r\n\t\"hosts\": [\"fd://\", \"a, b\"]\r\n}\r\n",
    "{\n\t\"runtimes\": {\"a\": {\"path\": \"/a\", \"runtimeArgs\": [\"--x\", \"}\"]}, \"b\": {\"runtimeType\": \"io.containerd.kata.v2\", \"options\": {\"ConfigPath\": \"/c\"}}}\n}",
    "{\"default-runtime\": \"kata\", \"proxies\": {\"http-proxy\": \"http://a:b@c\"}, \"x\": [1.50, -0, 1e3, null]}\n",
];

const DROP_INS: [&str; 5] = [
    "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -D --add-runtime kata-runtime=/usr/bin/kata-runtime --default-runtime=kata-runtime\n",
    "# proxies\n[Service]\nEnvironment=\"HTTP_PROXY=http://a:b@c\" NO_PROXY=d\nLimitNOFILE=1048576\n\n[Unit]\nAfter=x.service\n",
    "[Service]\r\nExecStart=\r\nExecStart=/usr/bin/dockerd \\\r\n    -H fd:// \\\r\n; why\r\n    $DOCKER_OPTS\r\nRestart=always\r\n",
    "",
    "[Unit]\nDescription=x \\\n  y\n[Service]\nExecStartPre=/bin/true\nExecStart=\nExecStart=-/usr/sbin/dockerd 'a b' \"c\\td\" 100%%",
];

/// Pieces that are put into files.
const PIECES: [&str; 26] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "null",
    "\"runtimes\": {},",
    "\"kata\": {}",
    "\n",
    "\r",
    "\u{feff}",
    "\t",
    "#",
    ";",
    "=",
    "[Service]\n",
    "ExecStart=",
    "ExecStart=/bin/x\n",
    " \\\n",
    "'",
    "%",
    "é",
];

/// The mark of byte order.
const BOM: char = '\u{feff}';

/// A change of a text: at a place, so many bytes are replaced by a piece.
type Mutation = (prop::sample::Index, usize, usize);

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    prop::collection::vec(
        (any::<prop::sample::Index>(), 0..4usize, 0..PIECES.len() + 8),
        0..5,
    )
}

fn mutated(text: &str, mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (place, removed, piece) in mutations {
        let start = place.index(bytes.len() + 1);
        let end = bytes.len().min(start + removed);
        let piece = PIECES.get(*piece).unwrap_or(&"");
        bytes.splice(start..end, piece.bytes());
    }
    bytes
}

fn kata() -> RuntimeEntry {
    RuntimeEntry::Path("/usr/bin/kata-runtime".to_owned())
}

/// Returns the value with the runtime, as docker would read it.
fn with_kata(mut value: Value) -> Value {
    value["runtimes"]["kata"] = json!({ "path": "/usr/bin/kata-runtime" });
    value["default-runtime"] = json!("kata");
    value
}

/// Returns true if the second text is the first one with text put into one place.
fn is_insertion(before: &[u8], after: &[u8]) -> bool {
    let same = |(one, other): &(&u8, &u8)| one == other;
    let head = before.iter().zip(after).take_while(same).count();
    let tail = before
        .iter()
        .rev()
        .zip(after.iter().rev())
        .take_while(same)
        .count();
    head + tail >= before.len()
}

fn check_daemon_json(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Ok(before) = DaemonJson::parse(bytes) else {
        return Ok(());
    };
    let text = std::str::from_utf8(bytes).unwrap().trim_start_matches(BOM);
    prop_assert!(text.trim().is_empty() || before.bytes() == bytes);
    let mut with = before.clone();
    with.set_runtime("kata", &kata()).unwrap();
    if before.runtime("kata").is_none() {
        prop_assert!(is_insertion(&before.bytes(), &with.bytes()));
    }
    let one = with.clone();
    with.set_default("kata").unwrap();
    if !one.has("default-runtime") {
        prop_assert!(is_insertion(&one.bytes(), &with.bytes()));
    }
    // It is read again by a parser of JSON that knows nothing of the edit.
    let bytes = with.bytes();
    let text = std::str::from_utf8(&bytes).unwrap().trim_start_matches(BOM);
    let read: Value = serde_json::from_str(text).unwrap();
    prop_assert_eq!(&read, &with_kata(before.value()));
    let mut without = with;
    prop_assert!(without.remove_runtime("kata").unwrap());
    let mut expected = before.value();
    if let Some(runtimes) = expected.get_mut("runtimes").and_then(Value::as_object_mut) {
        runtimes.remove("kata");
    } else {
        expected["runtimes"] = json!({});
    }
    if let Some(top) = expected.as_object_mut() {
        top.remove("default-runtime");
    }
    prop_assert_eq!(without.value(), expected);
    Ok(())
}

fn others(file: &UnitFile) -> Vec<(String, String, String)> {
    let is_other = |one: &Assignment| (&*one.section, &*one.name) != ("Service", "ExecStart");
    let all = file.assignments().unwrap().into_iter().filter(is_other);
    all.map(|one| (one.section, one.name, one.value)).collect()
}

fn comments(file: &UnitFile) -> Vec<String> {
    let lines = file.text.lines().map(str::trim);
    lines
        .filter(|line| line.starts_with(['#', ';']))
        .map(str::to_owned)
        .collect()
}

fn check_drop_in(bytes: Vec<u8>) -> Result<(), TestCaseError> {
    let path = Path::new("/etc/systemd/system/docker.service.d/kata-containers.conf");
    let Ok(before) = UnitFile::of(path, bytes) else {
        return Ok(());
    };
    let debian = b"[Service]\nExecStart=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS\n".to_vec();
    let unit = UnitFile::of(Path::new("/lib/systemd/system/docker.service"), debian).unwrap();
    let unit = DockerUnit::default().with(unit).with(before.clone());
    let Ok(Some(command)) = unit.exec_start() else {
        return Ok(());
    };
    let Ok(mut command) = CommandLine::of(command, BTreeMap::new()) else {
        return Ok(());
    };
    let old = command.value().to_owned();
    command
        .add("add-runtime", "kata=/usr/bin/kata runtime/$x%y")
        .unwrap();
    prop_assert!(command.value().starts_with(old.trim_end()));
    let added = command.flags().pop().unwrap();
    prop_assert_eq!(
        added.runtime(),
        Some(("kata".to_owned(), "/usr/bin/kata runtime/$x%y"))
    );
    let mut after = before.clone();
    after.set_exec_start(command.value()).unwrap();
    prop_assert_eq!(others(&after), others(&before));
    prop_assert_eq!(comments(&after), comments(&before));
    let found = unit.with(after).exec_start().unwrap().unwrap();
    prop_assert_eq!(found.value, command.value());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(FILES))]

    #[test]
    fn no_daemon_json_loses_anything(seed in 0..DAEMON_JSON.len(), mutations in mutations()) {
        check_daemon_json(&mutated(DAEMON_JSON[seed], &mutations))?;
    }

    #[test]
    fn no_drop_in_loses_anything(seed in 0..DROP_INS.len(), mutations in mutations()) {
        check_drop_in(mutated(DROP_INS[seed], &mutations))?;
    }
}
