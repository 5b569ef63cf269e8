//! The subcommand in the arguments of a runtime with the command line of runc.

use std::ffi::{OsStr, OsString};

/// Global options whose value is the next argument.
const WITH_VALUE: [&str; 8] = [
    "root",
    "log",
    "log-format",
    "criu",
    "rootless",
    "kata-config",
    "cgroup-manager",
    "log-level",
];

/// Returns the first argument that is no option and no value of one.
///
/// Docker calls `--root R --log L --log-format json create --bundle B --pid-file P ID`. An id may
/// be named `create` as well.
pub(super) fn subcommand(arguments: &[OsString]) -> Option<&OsStr> {
    let mut is_value = false;
    for argument in arguments {
        if std::mem::take(&mut is_value) {
            continue;
        }
        let text = argument.to_string_lossy();
        match text.strip_prefix('-') {
            None => return Some(argument),
            Some(option) => is_value = WITH_VALUE.contains(&option.trim_start_matches('-')),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subcommand_is_told_from_options_their_values_and_ids() {
        let cases = [
            (
                "--root /r --log /l --log-format json create --bundle /b --pid-file /p create",
                Some("create"),
            ),
            ("--root create state abc", Some("state")),
            ("--root=/r -log /l start create", Some("start")),
            (
                "--systemd-cgroup --rootless auto delete --force x",
                Some("delete"),
            ),
            ("--version", None),
            ("features", Some("features")),
            ("", None),
            ("--root", None),
        ];
        for (line, expected) in cases {
            let words: Vec<OsString> = line.split_whitespace().map(Into::into).collect();
            assert_eq!(subcommand(&words), expected.map(OsStr::new), "{line}");
        }
    }
}
