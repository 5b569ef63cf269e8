//! Suspects from the end and the output of a job which limit of each process it met. Nobody counts
//! those limits.

use super::{Limited, circumstance, size};
use crate::model::Ending;
use crate::outcome::Circumstance;

/// The signal that a process gets for a file that grows too large, and the exit code that a shell
/// makes of it.
const SIGXFSZ: i32 = 25;
const OF_A_SHELL: i32 = 128 + SIGXFSZ;

/// The words of shells and make about a process that got the signal.
const TOO_LARGE: &[&str] = &["File size limit exceeded"];

/// The words of programs that are refused memory.
const NO_MEMORY: &[&str] = &[
    "Cannot allocate memory",
    "out of memory",
    "memory exhausted",
    "MemoryError",
    "std::bad_alloc",
    "memory allocation of",
];

/// The words of programs that are refused another process or thread.
const NO_PROCESS: &[&str] = &[
    "fork: Resource temporarily unavailable",
    "Cannot fork",
    "can't start new thread",
    "failed to create new OS thread",
    "pthread_create failed",
    "BlockingIOError: [Errno 11]",
];

/// Returns the limit of each process that a job which ended badly may have met. `output` gives the
/// end of its output, and is called only if there is such a limit.
pub(in crate::exec) fn suspect(
    limited: &Limited,
    ending: Option<Ending>,
    output: impl FnOnce() -> Vec<u8>,
) -> Option<Circumstance> {
    if limited.of_each == Default::default() {
        return None;
    }
    let (what, key) = met(limited, ending, &output())?;
    Some(circumstance(what, key))
}

/// Returns the limit in words, and its key.
fn met(limited: &Limited, ending: Option<Ending>, output: &[u8]) -> Option<(String, &'static str)> {
    let output = output.to_ascii_lowercase();
    let said = |words: &[&'static str]| {
        let is_there = |word: &&&str| {
            memchr::memmem::find(&output, word.to_ascii_lowercase().as_bytes()).is_some()
        };
        words.iter().find(is_there).copied()
    };
    let ended_by_size = matches!(
        ending,
        Some(Ending::Signal(SIGXFSZ) | Ending::ExitCode(OF_A_SHELL))
    );
    let of_each = limited.of_each;
    if let Some(limit) = of_each.file_size {
        if ended_by_size || said(TOO_LARGE).is_some() {
            return Some((
                format!("a file reached its limit of {}", size(limit)),
                "file_size",
            ));
        }
        if let Some(words) = said(&["File too large"]) {
            return Some((perhaps("file_size", &size(limit), words), "file_size"));
        }
    }
    let memory = of_each.data.zip(said(NO_MEMORY));
    let processes = of_each.processes.zip(said(NO_PROCESS));
    memory
        .map(|(limit, words)| (perhaps("memory", &size(limit), words), "memory"))
        .or_else(|| {
            // The limit of the pipeline is named, without the processes of kata-ci that are added
            // to it.
            let limit = limited.limits.processes?.to_string();
            processes.map(|(_, words)| (perhaps("processes", &limit, words), "processes"))
        })
}

fn perhaps(what: &str, limit: &str, words: &str) -> String {
    let what = what.replace('_', " ");
    format!("perhaps it met the limit of {what}, {limit}: it printed “{words}”")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;
    use crate::exec::limits::Rlimits;

    const EVERYTHING: Rlimits = Rlimits {
        data: Some(64 << 20),
        processes: Some(21),
        file_size: Some(1 << 20),
    };

    fn told(of_each: Rlimits, ending: Ending, output: &str) -> Option<Circumstance> {
        let limited = Limited {
            limits: Limits {
                processes: Some(20),
                ..Limits::default()
            },
            of_each,
            ..Limited::default()
        };
        let output = || output.as_bytes().to_vec();
        suspect(&limited, Some(ending), output)
    }

    #[test]
    fn a_file_that_grew_too_large_is_certain() {
        for (ending, output) in [
            (Ending::Signal(25), ""),
            (Ending::ExitCode(153), ""),
            (
                Ending::ExitCode(2),
                "make: *** [Makefile:2: check] File size limit exceeded\n",
            ),
        ] {
            let suspected = told(EVERYTHING, ending, output).unwrap();
            assert_eq!(suspected.what, "a file reached its limit of 1 MiB");
            assert!(suspected.fix.starts_with("raise `file_size`"));
        }
    }

    #[test]
    fn what_programs_print_is_a_perhaps() {
        for (output, expected) in [
            (
                "x: File too large\n",
                "the limit of file size, 1 MiB: it printed “File too large”",
            ),
            (
                "fork: Cannot allocate memory\n",
                "the limit of memory, 64 MiB: it printed “Cannot allocate memory”",
            ),
            (
                "sh: 1: Cannot fork\n",
                "the limit of processes, 20: it printed “Cannot fork”",
            ),
        ] {
            let suspected = told(EVERYTHING, Ending::ExitCode(2), output).unwrap();
            assert_eq!(suspected.what, format!("perhaps it met {expected}"));
        }
    }

    #[test]
    fn without_the_limit_or_the_words_nothing_is_suspected() {
        let ending = Ending::ExitCode(2);
        for (of_each, output) in [
            (
                Rlimits::default(),
                "Cannot allocate memory; Cannot fork; File too large",
            ),
            (EVERYTHING, "--- FAIL: TestX"),
        ] {
            assert_eq!(told(of_each, ending, output), None);
        }
    }
}
