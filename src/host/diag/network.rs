//! The networks of this host and of its sandboxes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::host::{Host, release};
use super::processes::Processes;
use super::raw::{Bounded, End, Keep, Raw};

/// The most namespaces that are looked into.
const NAMESPACES: usize = 16;

/// The most links of a namespace whose filters are asked for.
const LINKS: usize = 64;

/// Returns the reason why asking for a module's state would load it; `None` if it would not.
pub(super) fn would_load(module: &str) -> Option<String> {
    let is_there = |path: String| Path::new(&path).exists();
    let builtin = format!("/lib/modules/{}/modules.builtin", release());
    let is_built_in = || {
        let text = fs::read_to_string(&builtin).unwrap_or_default();
        text.contains(&format!("/{module}.ko"))
    };
    let has_modules = is_there("/proc/modules".to_owned());
    let would = has_modules && !is_there(format!("/sys/module/{module}")) && !is_built_in();
    would.then(|| format!("the module {module} is not loaded, and asking would load it"))
}

/// Returns the filters of all links of this namespace: kata's redirects between tap and veth.
pub(super) fn filters(host: &Host, most: usize, until: Instant) -> Raw {
    let mut output = Bounded::new(Keep::Head(most));
    let end = add_filters(host, &[], &mut output, until);
    Raw {
        output,
        errors: Vec::new(),
        end,
        seconds: 0.0,
    }
}

fn add_filters(host: &Host, prefix: &[&str], output: &mut Bounded, until: Instant) -> End {
    let with = |words: &[&str]| -> Vec<String> {
        prefix
            .iter()
            .chain(words)
            .map(|word| (*word).to_owned())
            .collect()
    };
    let links = host.run(&with(&["ip", "-o", "link"]), Keep::Head(1 << 20), until);
    if links.end != End::Exited(0) {
        return links.end;
    }
    let links = String::from_utf8_lossy(&links.output.into_bytes()).into_owned();
    for name in links.lines().filter_map(link).take(LINKS) {
        for side in ["ingress", "egress"] {
            let words = with(&["tc", "filter", "show", "dev", name, side]);
            let raw = host.run(&words, Keep::Head(64 << 10), until);
            let text = raw.output.into_bytes();
            if !text.is_empty() {
                output.add(format!("$ tc filter show dev {name} {side}\n").as_bytes());
                output.add(&text);
            }
            if matches!(raw.end, End::Absent | End::TimedOut(_)) {
                return raw.end;
            }
        }
    }
    End::Exited(0)
}

/// Returns the name of a link in a line of `ip -o link`: `3: tap0_kata@if2: <…>`.
fn link(line: &str) -> Option<&str> {
    let name = line.split_once(": ")?.1.split([':', '@']).next()?;
    (!name.is_empty() && !name.starts_with('-')).then_some(name)
}

/// Returns addresses, routes, rules and filters of every other network namespace.
pub(super) fn sandboxes(host: &Host, most: usize, until: Instant) -> Raw {
    let namespaces = namespaces(until);
    let mut output = Bounded::new(Keep::Head(most));
    let mut end = End::Exited(0);
    if namespaces.is_empty() {
        end = End::NotAsked("there is no other network namespace".to_owned());
    }
    for (names, path) in namespaces.values().take(NAMESPACES) {
        output.add(format!("# {}\n", names.join(", ")).as_bytes());
        let enter = format!("--net={}", path.display());
        let prefix = ["nsenter", &enter];
        for words in [
            &["ip", "-d", "addr"] as &[&str],
            &["ip", "route", "show", "table", "all"],
            &["ip", "rule"],
            &["iptables-save"],
            &["nft", "list", "ruleset"],
        ] {
            if matches!(words[0], "iptables-save" | "nft") && would_load("nf_tables").is_some() {
                continue;
            }
            let all: Vec<String> = prefix
                .iter()
                .chain(words)
                .map(|word| (*word).to_owned())
                .collect();
            let raw = host.run(&all, Keep::Head(64 << 10), until);
            output.add(format!("$ {} ({})\n", words.join(" "), raw.end).as_bytes());
            output.add(&raw.output.into_bytes());
            output.add(&raw.errors);
            if matches!(raw.end, End::Absent | End::TimedOut(_)) {
                end = raw.end;
            }
        }
        let filters = add_filters(host, &prefix, &mut output, until);
        if matches!(filters, End::TimedOut(_)) {
            end = filters;
        }
        output.add(b"\n");
    }
    Raw {
        output,
        errors: Vec::new(),
        end,
        seconds: 0.0,
    }
}

/// Returns the network namespaces apart from this process's own, by number, each with the names
/// that it is known by and a file that leads into it.
fn namespaces(until: Instant) -> BTreeMap<u64, (Vec<String>, PathBuf)> {
    let number = |path: &Path| {
        fs::metadata(path)
            .map(|found| (found.dev(), found.ino()))
            .ok()
    };
    let Some((device, own)) = number(Path::new("/proc/self/ns/net")) else {
        return BTreeMap::new();
    };
    let mut found: BTreeMap<u64, (Vec<String>, PathBuf)> = BTreeMap::new();
    let mut add = |name: String, path: PathBuf| {
        // A file of that directory without a namespace mounted on it is a leftover.
        if let Some((at, number)) =
            number(&path).filter(|(at, number)| *at == device && *number != own)
        {
            debug_assert_eq!(at, device);
            let (names, _) = found.entry(number).or_insert_with(|| (Vec::new(), path));
            names.push(name);
        }
    };
    let processes = Processes::read(Path::new("/proc"), until);
    for process in processes.all.values() {
        let path = PathBuf::from(format!("/proc/{}/ns/net", process.pid));
        if process.is_ours() {
            add(format!("{} {}", process.name, process.pid), path);
        }
    }
    let named = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    for entry in named {
        add(
            entry.file_name().to_string_lossy().into_owned(),
            entry.path(),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_links_are_read() {
        assert_eq!(link("3: tap0_kata@if2: <UP> mtu"), Some("tap0_kata"));
        assert_eq!(link("1: lo: <UP>"), Some("lo"));
        assert_eq!([link(""), link("x"), link("1: -x: <>")], [None, None, None]);
    }
}
