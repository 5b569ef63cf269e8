//! qemu, asked by its own protocol: its version, machine types and accelerators.

use std::collections::BTreeMap;

use serde_json::Value;

use super::check::{Check, Checks, Purpose};
use super::host::{Asked, Host, Question, Said};
use super::kata::Kata;

pub(super) const PURPOSES: &[Purpose] = &[Purpose::Run];

/// The arguments of a qemu that answers and runs nothing.
const ARGUMENTS: [&str; 8] = [
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-S",
    "-qmp",
    "stdio",
    "-machine",
];

/// The commands, by the id of their answers.
const COMMANDS: [&str; 5] = [
    "query-version",
    "query-kvm",
    "query-machines",
    "query-accelerators",
    "query-target",
];

/// The answers of a qemu.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answers {
    /// The version, as it says it.
    version: String,
    /// True if it was built with KVM.
    has_kvm: Option<bool>,
    /// True if it uses KVM.
    uses_kvm: Option<bool>,
    /// Names and other names of the machine types.
    machines: Vec<String>,
}

/// Returns the input of a session: each command has its own name as the id of the answer.
fn session() -> String {
    let mut lines = vec![r#"{"execute":"qmp_capabilities"}"#.to_owned()];
    lines.extend(COMMANDS.map(|name| format!(r#"{{"execute":"{name}","id":"{name}"}}"#)));
    lines.push(r#"{"execute":"quit"}"#.to_owned());
    lines.iter().map(|line| format!("{line}\n")).collect()
}

impl Answers {
    /// Reads the lines of a session. Events may come between; what is no answer is passed over.
    /// `None` if it was no session.
    fn of(output: &str) -> Option<Self> {
        let lines = output
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let (mut has_greeting, mut returned) = (false, BTreeMap::new());
        for line in lines {
            has_greeting |= line.get("QMP").is_some();
            if let (Some(id), Some(value)) =
                (line.get("id").and_then(Value::as_str), line.get("return"))
            {
                returned.insert(id.to_owned(), value.clone());
            }
        }
        let of = |command: &str| returned.get(command).cloned().unwrap_or_default();
        let kvm = of("query-kvm");
        let text =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let machines = of("query-machines");
        let machines = machines.as_array().into_iter().flatten();
        let number = |value: &Value, key: &str| value.get(key).and_then(Value::as_u64);
        let version = of("query-version");
        let version = version
            .get("qemu")
            .map(|of| ["major", "minor", "micro"].map(|key| number(of, key).unwrap_or(0)));
        has_greeting.then(|| Self {
            version: version
                .map(|it| format!("{}.{}.{}", it[0], it[1], it[2]))
                .unwrap_or_default(),
            has_kvm: kvm.get("present").and_then(Value::as_bool),
            uses_kvm: kvm.get("enabled").and_then(Value::as_bool),
            machines: machines
                .flat_map(|one| [text(one, "name"), text(one, "alias")])
                .flatten()
                .collect(),
        })
    }
}

pub(super) fn examine(host: &Host<'_>) -> Vec<Check> {
    let mut checks = Checks::of("qemu", PURPOSES);
    let kata = Kata::of(host);
    let Some(program) = program(host, &kata) else {
        return checks.done();
    };
    // A node of /dev that stands for a module is not opened, by no program.
    let has_kvm = super::kvm::is_registered(host) == Ok(true);
    let machine = match has_kvm {
        true => "none,accel=kvm:tcg",
        false => "none,accel=tcg",
    };
    let mut question = Question::of(&program, &ARGUMENTS);
    question.arguments.push(machine.to_owned());
    question.input = session();
    let wanted = kata.machine_type();
    let asked = host.ask.run(&question);
    let package = host.install("qemu-system-x86", "qemu-kvm");
    judge(
        &program,
        asked,
        has_kvm && host.user == 0,
        &wanted,
        &package,
        &mut checks,
    );
    checks.done()
}

/// Returns the qemu of kata's configuration, else the one on PATH. `None` if kata uses another
/// hypervisor, or there is neither kata nor qemu.
fn program(host: &Host<'_>, kata: &Kata) -> Option<String> {
    match kata.hypervisor() {
        Some("qemu") => Some(kata.hypervisor_path().unwrap_or_else(usual)),
        Some(_) => None,
        None => host.ask.program(&usual()).map(|_| usual()),
    }
}

fn usual() -> String {
    format!("qemu-system-{}", std::env::consts::ARCH)
}

fn judge(
    program: &str,
    asked: Asked<Option<Said>>,
    must_use_kvm: bool,
    wanted: &str,
    package: &str,
    checks: &mut Checks,
) {
    let said = match asked {
        Err(unasked) => return checks.unasked("answers", unasked.0),
        Ok(None) => return checks.cannot("program", format!("{program} is not there"), package),
        Ok(Some(said)) => said,
    };
    let Some(answers) = Answers::of(&said.output) else {
        let complaint = match said.complaint.as_str() {
            "" => "it says nothing of QMP".to_owned(),
            complaint => complaint.to_owned(),
        };
        return match said.is_success {
            true => checks.unasked("answers", format!("{program} is asked by QMP: {complaint}")),
            false => checks.cannot(
                "starts",
                format!("{program} does not start: {complaint}"),
                package,
            ),
        };
    };
    if answers.has_kvm == Some(false) {
        checks.cannot("kvm", format!("{program} was built without KVM"), package);
    } else if answers.uses_kvm == Some(false) && must_use_kvm {
        checks.cannot(
            "kvm",
            format!(
                "{program} does not get KVM, and would emulate the processor: {}",
                said.complaint
            ),
            format!("{program} -machine none,accel=kvm -display none -S -monitor none"),
        );
    }
    let has_machine = answers.machines.iter().any(|one| one == wanted);
    match (answers.machines.is_empty(), has_machine) {
        (true, _) => checks.unasked(
            "machine",
            format!("{program} does not tell its machine types"),
        ),
        (_, false) => checks.cannot(
            "machine",
            format!(
                "{program} {} has no machine type {wanted}, which kata asks for",
                answers.version
            ),
            package,
        ),
        (_, true) => checks.can(
            "machine",
            format!(
                "{program} {} has the machine type {wanted}{}",
                answers.version,
                match answers.uses_kvm {
                    Some(true) => ", and uses KVM",
                    _ => "",
                }
            ),
        ),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns what a qemu says.
    pub fn session_of(machines: &[&str], has_kvm: bool, uses_kvm: bool) -> String {
        let machines: Vec<_> = machines
            .iter()
            .map(|name| format!(r#"{{"name":"pc-{name}-7.2","alias":"{name}"}}"#))
            .collect();
        [
            r#"{"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7}},"capabilities":["oob"]}}"#.to_owned(),
            r#"{"return":{}}"#.to_owned(),
            r#"{"return":{"qemu":{"micro":22,"minor":2,"major":7}},"id":"query-version"}"#.to_owned(),
            r#"{"timestamp":{"seconds":1},"event":"RESUME"}"#.to_owned(),
            format!(r#"{{"return":{{"enabled":{uses_kvm},"present":{has_kvm}}},"id":"query-kvm"}}"#),
            format!(r#"{{"return":[{}],"id":"query-machines"}}"#, machines.join(",")),
            r#"{"id":"query-accelerators","error":{"class":"CommandNotFound","desc":"x"}}"#.to_owned(),
        ]
        .join("\n")
    }

    #[test]
    fn a_session_is_read_whatever_comes_between() {
        let answers = Answers::of(&session_of(&["q35", "microvm"], true, false)).unwrap();
        assert_eq!(answers.version, "7.2.22");
        assert_eq!(
            (answers.has_kvm, answers.uses_kvm),
            (Some(true), Some(false))
        );
        assert_eq!(
            answers.machines,
            ["pc-q35-7.2", "q35", "pc-microvm-7.2", "microvm"]
        );
        assert_eq!(Answers::of("qemu: unknown option"), None);
        assert!(
            session()
                .lines()
                .all(|line| serde_json::from_str::<Value>(line).is_ok())
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn a_mutated_session_makes_no_panic(at in 0..700usize, with in "\\PC{0,3}", cut in 0..20usize) {
            let mut text = session_of(&["q35"], true, true);
            let at = text.floor_char_boundary(at.min(text.len()));
            let end = text.floor_char_boundary((at + cut).min(text.len()));
            text.replace_range(at..end, &with);
            let mut checks = Checks::of("qemu", PURPOSES);
            let said = Said { is_success: true, output: text, complaint: String::new() };
            judge("qemu", Ok(Some(said)), true, "q35", "install", &mut checks);
            prop_assert!(!checks.done().is_empty());
        }
    }
}
