//! The swapper: a script of two lines that stands in the place of a runtime, and calls `kata-ci
//! debug-exec` with the runtime's arguments.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The hidden command that the script calls.
pub const DEBUG_EXEC: &str = "debug-exec";

/// The usual place where a debugger's client connects.
pub const LISTEN: &str = "127.0.0.1:2345";

/// The settings of a swapper.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Swapper {
    /// The runtime that is debugged.
    pub runtime: PathBuf,
    /// The subcommands that start stopped. All others run at once.
    pub on: Vec<String>,
    /// The place where dlv listens: `ADDRESS:PORT`, or `unix:PATH`.
    pub listen: String,
    /// The debugger.
    pub dlv: PathBuf,
    /// True to let clients of other users of this machine in.
    pub any_user: bool,
    /// True to debug a program of a Go that dlv was not made for.
    pub any_go: bool,
    /// The directory of the lock and of the logs; `None` for the usual one.
    pub run_dir: Option<PathBuf>,
    /// The socket of the system's log; `None` for the usual one.
    pub log_socket: Option<PathBuf>,
}

impl Swapper {
    /// Makes the settings that are usual for a runtime.
    pub fn of(runtime: &Path, dlv: &Path) -> Self {
        Self {
            runtime: runtime.to_owned(),
            on: vec!["create".to_owned()],
            listen: LISTEN.to_owned(),
            dlv: dlv.to_owned(),
            any_user: false,
            any_go: false,
            run_dir: None,
            log_socket: None,
        }
    }

    /// Returns the script.
    pub fn script(&self, kata_ci: &Path) -> String {
        let mut words = vec![
            kata_ci.to_string_lossy().into_owned(),
            DEBUG_EXEC.to_owned(),
        ];
        for name in &self.on {
            words.extend(["--on".to_owned(), name.clone()]);
        }
        words.extend(["--listen".to_owned(), self.listen.clone()]);
        words.extend(["--dlv".to_owned(), self.dlv.to_string_lossy().into_owned()]);
        for (is_set, word) in [(self.any_user, "--any-user"), (self.any_go, "--any-go")] {
            words.extend(is_set.then(|| word.to_owned()));
        }
        for (path, word) in [
            (&self.run_dir, "--run-dir"),
            (&self.log_socket, "--log-socket"),
        ] {
            if let Some(path) = path {
                words.extend([word.to_owned(), path.to_string_lossy().into_owned()]);
            }
        }
        words.push("--".to_owned());
        words.push(self.runtime.to_string_lossy().into_owned());
        let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
        format!("#!/bin/sh\nexec {} \"$@\"\n", words.join(" "))
    }

    /// Reads a script that [`Self::script`] made. `None` for another one.
    pub fn read(script: &str) -> Option<Self> {
        let line = script
            .strip_prefix("#!/bin/sh\nexec ")?
            .strip_suffix(" \"$@\"\n")?;
        let words = shlex::split(line)?.into_iter().map(OsString::from);
        let mut words = words.skip(1);
        if words.next()? != DEBUG_EXEC {
            return None;
        }
        let (swapper, rest) = Self::parse(words)?;
        rest.is_empty().then_some(swapper)
    }

    /// Reads the arguments of `debug-exec`. Returns the settings, and the arguments of the runtime.
    pub fn parse(arguments: impl Iterator<Item = OsString>) -> Option<(Self, Vec<OsString>)> {
        let mut swapper = Self::of(Path::new(""), Path::new("dlv"));
        swapper.on.clear();
        let mut words = arguments;
        loop {
            let word = words.next()?;
            match word.to_str()? {
                "--" => break,
                "--any-user" => swapper.any_user = true,
                "--any-go" => swapper.any_go = true,
                option => swapper.set(option, words.next()?)?,
            }
        }
        swapper.runtime = words.next()?.into();
        Some((swapper, words.collect()))
    }

    fn set(&mut self, option: &str, value: OsString) -> Option<()> {
        match option {
            "--on" => self.on.push(value.into_string().ok()?),
            "--listen" => self.listen = value.into_string().ok()?,
            "--dlv" => self.dlv = value.into(),
            "--run-dir" => self.run_dir = Some(value.into()),
            "--log-socket" => self.log_socket = Some(value.into()),
            _ => return None,
        }
        Some(())
    }
}

/// Returns a word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:,@=".contains(letter);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_has_two_lines_and_is_read_again() {
        let mut swapper = Swapper::of(
            Path::new("/usr/bin/kata-runtime"),
            Path::new("/root/go/bin/dlv"),
        );
        let kata_ci = Path::new("/usr/local/bin/kata-ci");
        assert_eq!(
            swapper.script(kata_ci),
            "#!/bin/sh\nexec /usr/local/bin/kata-ci debug-exec --on create --listen 127.0.0.1:2345 --dlv /root/go/bin/dlv -- /usr/bin/kata-runtime \"$@\"\n"
        );
        swapper.runtime = "/opt/it's mine/runc".into();
        swapper.on.push("start".to_owned());
        swapper.any_user = true;
        swapper.run_dir = Some("/tmp/a b".into());
        assert_eq!(Swapper::read(&swapper.script(kata_ci)), Some(swapper));
        assert_eq!(
            Swapper::read("#!/bin/sh\nexec /usr/bin/runc \"$@\"\n"),
            None
        );
    }

    #[test]
    fn the_arguments_of_the_runtime_are_left_alone() {
        let words = ["--on", "create", "--", "/r", "--", "--on", "a b", "*", ""];
        let (swapper, rest) = Swapper::parse(words.map(OsString::from).into_iter()).unwrap();
        assert_eq!(swapper.runtime, Path::new("/r"));
        assert_eq!(rest, ["--", "--on", "a b", "*", ""]);
        for words in [&["--nope", "x", "--", "/r"][..], &["--on"], &["--"], &[]] {
            assert_eq!(
                Swapper::parse(words.iter().map(OsString::from)),
                None,
                "{words:?}"
            );
        }
    }
}
