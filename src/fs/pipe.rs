//! Reading from a pipe that may have nobody at its other end.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use super::regular::AT_ONCE;

/// The pause between two looks for a writer.
const PAUSE: Duration = Duration::from_millis(10);

/// Opens anything for reading.
///
/// It waits for somebody to open a named pipe for writing, no longer than `patience`. A pipe
/// without a name (`/dev/fd/63`) has its writers already.
///
/// # Errors
/// When it cannot be opened, or when nobody came to write into it.
pub fn open_or_wait(path: &Path, patience: Duration) -> io::Result<Box<dyn Read>> {
    let mut file = File::from(rustix::fs::open(
        path,
        OFlags::RDONLY | AT_ONCE,
        Mode::empty(),
    )?);
    let first = match is_named_pipe(path) {
        true => wait_for_writer(&mut file, Instant::now() + patience)?,
        false => None,
    };
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
    Ok(match first {
        Some(first) => Box::new(io::Cursor::new([first]).chain(file)),
        None => Box::new(file),
    })
}

/// Returns true if the path leads to a pipe in a directory, not to a descriptor of a process.
fn is_named_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let found = fs::canonicalize(path).and_then(|path| path.metadata());
    found.is_ok_and(|found| found.file_type().is_fifo())
}

/// Returns the first byte; `None` if there is a writer who has written nothing yet.
fn wait_for_writer(pipe: &mut File, deadline: Instant) -> io::Result<Option<u8>> {
    let mut first = [0];
    loop {
        match pipe.read(&mut first) {
            Ok(0) if Instant::now() >= deadline => {
                return Err(io::Error::new(
                    ErrorKind::TimedOut,
                    "it is a named pipe that nobody writes into",
                ));
            }
            Ok(0) => thread::sleep(PAUSE),
            Ok(_) => return Ok(Some(first[0])),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use std::io::Write;
    use std::os::fd::AsRawFd;

    const SOON: Duration = Duration::from_millis(50);
    const LATE: Duration = Duration::from_secs(60);

    fn text(mut from: Box<dyn Read>) -> String {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_pipe_that_nobody_writes_into_is_given_up() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("pipe");
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        let error = open_or_wait(&path, SOON).err().unwrap().to_string();
        assert!(error.contains("nobody writes into"), "{error}");
    }

    #[test]
    fn a_writer_is_waited_for_and_may_take_its_time() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("pipe");
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut pipe = File::options().write(true).open(&path).unwrap();
                pipe.write_all(b"one ").unwrap();
                pipe.write_all(b"two").unwrap();
            });
            assert_eq!(text(open_or_wait(&path, LATE).unwrap()), "one two");
        });
    }

    #[test]
    fn a_pipe_without_a_name_and_a_file_are_read_as_they_are() {
        let (reader, mut writer) = os_pipe::pipe().unwrap();
        let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
        let from = open_or_wait(Path::new(&path), LATE).unwrap();
        writer.write_all(b"text").unwrap();
        drop((writer, reader));
        assert_eq!(text(from), "text");
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "file").unwrap();
        assert_eq!(text(open_or_wait(file.path(), SOON).unwrap()), "file");
    }
}
