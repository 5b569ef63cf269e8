//! A stream for line reporters that may go away.

use std::io::{self, Write};

use super::ci::neutralize::harmless;

/// A stream of lines. After the first error nothing more is written. A reader that went away (a
/// broken pipe) is no error.
pub(super) struct LineWriter {
    writer: Option<Box<dyn Write + Send>>,
    error: Option<io::Error>,
}

impl LineWriter {
    pub(super) fn new(writer: impl Write + Send + 'static) -> Self {
        Self {
            writer: Some(Box::new(writer)),
            error: None,
        }
    }

    /// Calls `write`, then flushes.
    pub(super) fn with(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let Some(writer) = &mut self.writer else {
            return;
        };
        let written = write(writer).and_then(|()| writer.flush());
        if let Err(error) = written {
            self.writer = None;
            self.error = (error.kind() != io::ErrorKind::BrokenPipe).then_some(error);
        }
    }

    /// Writes a line, made harmless for CI systems.
    pub(super) fn line(&mut self, line: &str) {
        self.mark(&harmless(line));
    }

    /// Writes a line unchanged: a command of kata-ci to a CI system.
    pub(super) fn mark(&mut self, line: &str) {
        self.with(|writer| writeln!(writer, "{line}"));
    }

    /// Returns the error that occurred, once.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let mut output = LineWriter::new(Broken(io::ErrorKind::BrokenPipe));
        output.line("one");
        output.line("two");
        assert!(output.finish().is_ok());
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut output = LineWriter::new(Broken(io::ErrorKind::StorageFull));
        output.line("one");
        assert_eq!(
            output.finish().unwrap_err().kind(),
            io::ErrorKind::StorageFull
        );
    }
}
