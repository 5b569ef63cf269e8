//! A Go program, as a debugger sees it: the Go that built it, how, and its debug information. Its
//! file is read; it is not started.

use std::path::Path;

use object::{Object, ObjectSection, ObjectSegment};

use crate::probe::version_in;

/// The beginning of the section with the facts about the build.
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// The length of its head.
const HEAD: usize = 32;
/// The length of the marks around the facts about modules.
const MARK: usize = 16;
/// The most bytes of a program.
const BYTES: u64 = 1 << 30;

/// A Go program.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct GoBinary {
    /// The version of Go, as `go1.26.8`.
    pub go: String,
    /// The module of the program with its version, if it says so.
    pub module: Option<(String, String)>,
    /// True if the compiler was told not to optimise (`-gcflags=all=-N -l`); `None` if the program
    /// does not say.
    pub is_unoptimised: Option<bool>,
    /// True if it was built with -trimpath: the paths of its sources are not those of any machine.
    pub is_trimmed: bool,
    /// True if it has debug information.
    pub has_debug_information: bool,
    /// True if it has its table of symbols.
    pub has_symbols: bool,
}

impl GoBinary {
    /// Reads a program. `None` if it is none that Go built.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(file: &Path) -> std::io::Result<Option<Self>> {
        Ok(Self::of(&crate::fs::read(file, BYTES)?))
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let file = object::File::parse(bytes).ok()?;
        let has = |name: &str| file.section_by_name(name).is_some();
        let section = file.section_by_name(".go.buildinfo")?;
        let (go, modules) = build_information(&file, section.data().ok()?)?;
        let setting = |key: &str| {
            let mut lines = modules
                .lines()
                .filter_map(|line| line.strip_prefix("build\t"));
            lines
                .find_map(|line| line.strip_prefix(key))
                .map(str::to_owned)
        };
        let says_flags = modules.contains("\nbuild\t");
        Some(Self {
            go,
            module: module(&modules),
            is_unoptimised: says_flags
                .then(|| setting("-gcflags=").is_some_and(|flags| flags.contains("-N"))),
            is_trimmed: setting("-trimpath=").as_deref() == Some("true"),
            has_debug_information: has(".debug_info") || has(".zdebug_info"),
            has_symbols: has(".symtab"),
        })
    }

    /// Returns the minor version of Go: 26 of `go1.26.8`.
    pub fn minor(&self) -> Option<u32> {
        version_in(&self.go)?.get(1).copied()
    }
}

fn module(modules: &str) -> Option<(String, String)> {
    let line = modules
        .lines()
        .find_map(|line| line.strip_prefix("mod\t"))?;
    let mut words = line.split('\t');
    Some((words.next()?.to_owned(), words.next()?.to_owned()))
}

/// Returns the version of Go and the facts about modules, without their marks.
fn build_information(file: &object::File, data: &[u8]) -> Option<(String, String)> {
    let at = memchr::memmem::find(data, MAGIC)?;
    let data = &data[at..];
    let flags = *data.get(MAGIC.len() + 1)?;
    let (go, modules) = match flags & 2 {
        0 => pointed(file, data)?,
        _ => {
            let (go, rest) = counted(data.get(HEAD..)?)?;
            (
                go,
                counted(rest)
                    .map(|(modules, _)| modules)
                    .unwrap_or_default(),
            )
        }
    };
    let inner = modules
        .len()
        .checked_sub(MARK)
        .and_then(|end| modules.get(MARK..end));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(go), text(inner.unwrap_or_default())))
}

/// Reads a length and so many bytes, as Go 1.18 and later write them.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut length, mut shift) = (0usize, 0u32);
    for (index, byte) in bytes.iter().enumerate().take(9) {
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            let rest = &bytes[index + 1..];
            return Some((rest.get(..length)?, &rest[length..]));
        }
    }
    None
}

/// Follows the pointers of Go before 1.18: to strings, each a pointer with a length.
fn pointed<'a>(file: &object::File<'a>, data: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let size = usize::from(*data.get(MAGIC.len())?);
    let is_big = data.get(MAGIC.len() + 1)? & 1 == 1;
    if ![4, 8].contains(&size) {
        return None;
    }
    let number = |bytes: &[u8]| -> Option<u64> {
        let bytes = bytes.get(..size)?;
        let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        Some(match is_big {
            true => bytes.iter().fold(0, fold),
            false => bytes.iter().rev().fold(0, fold),
        })
    };
    let memory = |address: u64, length: u64| {
        let mut segments = file.segments();
        segments.find_map(|one| one.data_range(address, length).ok().flatten())
    };
    let string = |place: &[u8]| {
        let header = memory(number(place)?, 2 * size as u64)?;
        memory(number(header)?, number(header.get(size..)?)?)
    };
    let go = string(data.get(16..)?)?;
    Some((go, string(data.get(16 + size..)?).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_within_their_bytes() {
        assert_eq!(counted(b"\x02abc"), Some((&b"ab"[..], &b"c"[..])));
        assert_eq!(counted(b"\x84\x01x"), None);
        assert_eq!(counted(&[0xff; 12]), None);
        assert_eq!(counted(b""), None);
        assert_eq!(GoBinary::of(b"\x7fELF nothing"), None);
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(GoBinary::of(&own), None);
    }
}
