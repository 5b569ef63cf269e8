//! The daemons that start containers: docker, containerd, CRI-O, and kubernetes above them. One
//! that has kata is enough.

use super::check::{Check, Checks, Purpose};
use super::host::Host;
use super::{containerd, crio, docker, kubernetes};

pub(super) const PURPOSES: &[Purpose] = &[Purpose::Run];

pub(super) fn examine(host: &Host<'_>) -> Vec<Check> {
    let mut checks = Checks::of("engines", PURPOSES);
    let docker = docker::examine(host, &mut checks);
    let containerd = containerd::examine(host, &mut checks);
    let crio = crio::examine(host, &mut checks);
    let handlers: Vec<_> = (containerd.handlers.iter().chain(&crio.handlers))
        .map(|handler| handler.name.clone())
        .collect();
    kubernetes::examine(host, &handlers, &mut checks);
    let is_there = docker.is_there || containerd.is_there || crio.is_there;
    let is_unasked = docker.is_unasked || containerd.is_unasked || crio.is_unasked;
    if !handlers.is_empty() || docker.has_kata {
        return checks.done();
    }
    let register = [crio.register, docker.register, containerd.register];
    let register = register.into_iter().flatten().next();
    match docker.no_pair {
        Some(reason) if containerd.is_without_cri || !containerd.is_there => {
            let other =
                "sudo apt-get install -y containerd nerdctl || sudo apt-get install -y containerd";
            checks.cannot("pair", reason, other);
        }
        _ if !is_there => checks.cannot(
            "engine",
            "nothing here starts containers: neither docker, nor containerd, nor CRI-O is there",
            host.install("containerd", "containerd"),
        ),
        _ if is_unasked => {}
        _ => checks.cannot(
            "registered",
            "no daemon that starts containers has kata as a runtime",
            register.unwrap_or_else(|| host.as_root("systemctl status containerd")),
        ),
    }
    checks.done()
}
