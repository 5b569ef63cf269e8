//! The configuration that the running kernel was built with.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

/// The most bytes of a configuration.
const MOST: u64 = 4 << 20;
/// The first bytes of a compressed file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A configuration and the file that it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KernelConfig {
    /// The file.
    pub file: PathBuf,
    /// Its lines: `CONFIG_X=y`, `# CONFIG_X is not set`.
    pub text: String,
}

/// The reason why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoConfig {
    /// There is no file.
    #[error("the kernel's configuration is not there: {}", shown(.0))]
    Absent(Vec<PathBuf>),
    /// There is a file, and it cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
}

fn shown(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}

impl KernelConfig {
    /// Reads the configuration of a release below a directory that stands for `/`.
    ///
    /// # Errors
    /// When there is none, or the first one that is there cannot be read. Unreadable is not absent.
    pub fn read(root: &Path, release: &str) -> Result<Self, NoConfig> {
        let places = Self::places(release);
        let below = |place: &String| root.join(place.trim_start_matches('/'));
        let mut refused = None;
        for path in places.iter().map(below) {
            let read = crate::fs::read(&path, MOST);
            match read.and_then(|bytes| Self::of(path.clone(), &bytes)) {
                Ok(config) => return Ok(config),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => refused = refused.or(Some(NoConfig::Unreadable { path, error })),
            }
        }
        Err(refused.unwrap_or_else(|| NoConfig::Absent(places.iter().map(below).collect())))
    }

    /// Returns the files that may hold the configuration of a release, in the order of the search.
    pub fn places(release: &str) -> [String; 4] {
        [
            "/proc/config.gz".to_owned(),
            format!("/boot/config-{release}"),
            format!("/lib/modules/{release}/config"),
            format!("/usr/lib/modules/{release}/config"),
        ]
    }

    /// Takes the content of a file, which may be compressed.
    ///
    /// # Errors
    /// When the compression is broken.
    pub fn of(file: PathBuf, bytes: &[u8]) -> io::Result<Self> {
        let mut text = Vec::new();
        match bytes.starts_with(&GZIP) {
            true => GzDecoder::new(bytes).take(MOST).read_to_end(&mut text)?,
            false => bytes.take(MOST).read_to_end(&mut text)?,
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(Self { file, text })
    }

    /// Returns the value of an option, with or without `CONFIG_`; `None` if it is not set.
    pub fn value(&self, option: &str) -> Option<&str> {
        let name = full_name(option);
        let mut lines = self.text.lines();
        lines.find_map(|line| line.strip_prefix(name.as_str())?.strip_prefix('='))
    }

    /// Returns the lines of the options whose names hold a text.
    pub fn lines_like(&self, text: &str) -> Vec<&str> {
        let wanted = text.to_ascii_uppercase();
        let about = |line: &&str| {
            let line = line.strip_prefix("# ").unwrap_or(line);
            let name = line.split(['=', ' ']).next().unwrap_or_default();
            name.starts_with("CONFIG_") && name.contains(&wanted)
        };
        self.text.lines().filter(about).collect()
    }
}

/// Returns the name of an option as the file has it.
pub(crate) fn full_name(option: &str) -> String {
    let option = option.trim().to_ascii_uppercase();
    match option.starts_with("CONFIG_") {
        true => option,
        false => format!("CONFIG_{option}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs::{self, File};
    use std::io::Write;

    fn config(text: &str) -> KernelConfig {
        KernelConfig {
            file: "config".into(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_value_is_found_by_the_whole_name() {
        let config =
            config("CONFIG_KVM_INTEL=m\nCONFIG_KVM=y\n# CONFIG_TUN is not set\nCONFIG_A=\"b=c\"\n");
        assert_eq!(config.value("KVM"), Some("y"));
        assert_eq!(config.value("config_kvm_intel"), Some("m"));
        assert_eq!(config.value("A"), Some("\"b=c\""));
        assert_eq!([config.value("TUN"), config.value("KV")], [None, None]);
        assert_eq!(config.lines_like("kvm").len(), 2);
        assert_eq!(config.lines_like("tun"), ["# CONFIG_TUN is not set"]);
    }

    #[test]
    fn the_first_file_counts_and_an_unreadable_one_is_told_from_an_absent_one() {
        let root = tempfile::tempdir().unwrap();
        let absent = KernelConfig::read(root.path(), "6.1").unwrap_err();
        assert!(matches!(absent, NoConfig::Absent(ref places) if places.len() == 4));
        fs::create_dir_all(root.path().join("boot")).unwrap();
        fs::create_dir_all(root.path().join("proc")).unwrap();
        fs::create_dir(root.path().join("boot/config-6.1")).unwrap();
        let unreadable = KernelConfig::read(root.path(), "6.1").unwrap_err();
        assert!(matches!(unreadable, NoConfig::Unreadable { .. }));
        let file = File::create(root.path().join("proc/config.gz")).unwrap();
        let mut gz = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        gz.write_all(b"CONFIG_KVM=y\n").unwrap();
        gz.finish().unwrap();
        let found = KernelConfig::read(root.path(), "6.1").unwrap();
        assert_eq!(found.value("KVM"), Some("y"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn any_text_is_looked_through(text in "\\PC{0,80}", option in "\\PC{0,9}") {
            let config = config(&text);
            let _ = (config.value(&option), config.lines_like(&option));
        }
    }
}
