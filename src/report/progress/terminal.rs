//! A terminal whose cursor is left at the first column.
//!
//! indicatif leaves the cursor behind the last column. A terminal echoes `^C` at the cursor, so it
//! would come on the next line. The next frame would be drawn from there, and the old frame would
//! stay. At the first column the echo does no harm.

use std::io;

use indicatif::TermLike;

/// Draws on another terminal.
#[derive(Debug)]
pub(super) struct CursorAtStart<T>(pub T);

impl<T: TermLike> TermLike for CursorAtStart<T> {
    fn width(&self) -> u16 {
        self.0.width()
    }

    fn height(&self) -> u16 {
        self.0.height()
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    /// Completes a drawing.
    fn flush(&self) -> io::Result<()> {
        self.0.write_str("\r")?;
        self.0.flush()
    }
}
