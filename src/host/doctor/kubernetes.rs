//! Kubernetes on this node: classes and handlers that do not meet.

use serde_json::Value;

use super::check::Checks;
use super::host::{Host, Said};

/// Files of a node, whoever installed it.
const NODES: [&str; 4] = [
    "/var/lib/kubelet/config.yaml",
    "/var/lib/rancher/k3s/agent",
    "/var/lib/rancher/rke2/agent",
    "/var/lib/k0s/kubelet",
];

/// The question, by whom it is answered.
const ASKING: [(&str, &[&str]); 2] = [
    (
        "kubectl",
        &[
            "get",
            "runtimeclasses",
            "-o",
            "json",
            "--request-timeout=5s",
        ],
    ),
    (
        "k3s",
        &[
            "kubectl",
            "get",
            "runtimeclasses",
            "-o",
            "json",
            "--request-timeout=5s",
        ],
    ),
];

/// A class.
#[derive(Debug, PartialEq, Eq)]
struct Class {
    name: String,
    handler: String,
}

/// Examines the classes of the cluster, if this is a node of one. The handlers are kata's on this
/// node.
pub(super) fn examine(host: &Host<'_>, handlers: &[String], checks: &mut Checks) {
    if !NODES.iter().any(|path| host.files.has(path)) {
        return;
    }
    let asking = ASKING
        .iter()
        .find(|(program, _)| host.ask.program(program).is_some());
    let Some((program, arguments)) = asking else {
        checks.unasked(
            "kubernetes",
            "this is a node of kubernetes, and there is no kubectl to ask for its classes",
        );
        return;
    };
    let Some(Some(said)) = checks.answer("kubernetes", host.say(program, arguments)) else {
        return;
    };
    match classes(&said) {
        Ok(classes) => judge(&classes, handlers, checks),
        Err(reason) => checks.unasked(
            "kubernetes",
            format!("the classes of kubernetes could not be asked for: {reason}"),
        ),
    }
}

fn classes(said: &Said) -> Result<Vec<Class>, String> {
    if !said.is_success {
        return Err(said.complaint.clone());
    }
    let answer: Value = serde_json::from_str(&said.output).map_err(|error| error.to_string())?;
    let items = answer
        .get("items")
        .and_then(Value::as_array)
        .ok_or("it has no items")?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let class = |item: &Value| Class {
        name: text(item.get("metadata").and_then(|it| it.get("name"))),
        handler: text(item.get("handler")),
    };
    Ok(items.iter().map(class).collect())
}

fn judge(classes: &[Class], handlers: &[String], checks: &mut Checks) {
    let is_kata = |class: &&Class| class.handler.contains("kata") || class.name.contains("kata");
    for class in classes.iter().filter(is_kata) {
        let Class { name, handler } = class;
        match handlers.contains(handler) {
            true => checks.can("class", format!("the class {name} has the runtime {handler} on this node")),
            false => checks.cannot(
                "class",
                format!("the class {name} asks for the runtime {handler}, which this node does not have: pods end with `no runtime for \"{handler}\" is configured`"),
                match handlers.first() {
                    Some(known) => format!("kubectl delete runtimeclass {name} && {}", create(name, known)),
                    None => format!("kubectl delete runtimeclass {name}"),
                },
            ),
        }
    }
    let has_class = |handler: &&String| !classes.iter().any(|class| class.handler == **handler);
    for handler in handlers.iter().filter(has_class) {
        checks.note(
            "no-class",
            format!("the runtime {handler} has no class, so no pod can ask for it"),
            create(handler, handler),
        );
    }
}

/// Returns the command that makes a class.
fn create(name: &str, handler: &str) -> String {
    let class = format!(
        r#"{{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{{"name":"{name}"}},"handler":"{handler}"}}"#
    );
    format!("printf '%s' '{class}' | kubectl apply -f -")
}
