//! Where output goes: how wide it is, whether it understands colours. All that the command writes passes here.

use std::io::{self, IsTerminal, Write};

use crate::render::text::{Colour, Paint, visible};

/// Columns where nobody says how many there are: fits a page, and a log of a build.
const WIDTH_DEFAULT: usize = 120;
/// Narrower than this nothing can be drawn; it is drawn so and wraps.
const WIDTH_MIN: usize = 40;

/// Standard output as it is.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Columns.
    pub width: usize,
    /// Colours or none.
    pub paint: Paint,
}

impl Terminal {
    /// Looks at standard output, `COLUMNS` and `NO_COLOR`.
    pub fn stdout() -> Self {
        let out = io::stdout();
        let given = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let seen = || rustix::termios::tcgetwinsize(&out).ok().map(|size| usize::from(size.ws_col));
        let width = given.or_else(seen).filter(|columns| *columns > 0).unwrap_or(WIDTH_DEFAULT);
        Self { width: width.max(WIDTH_MIN), paint: Paint::new(out.is_terminal()) }
    }
}

/// Standard output cannot be written. A type of its own: that its reader has gone is no failure, that somebody else's
/// has gone is one.
#[derive(Debug, thiserror::Error)]
#[error("standard output cannot be written")]
pub struct Unwritten(#[from] io::Error);

impl Unwritten {
    /// Whether the reader has seen enough, as in `limelight query … | head`.
    pub fn reader_has_gone(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Writes to standard output; line breaks are the text's own.
///
/// # Errors
/// When it cannot be written, most often because the reader has gone.
pub fn print(text: &str) -> Result<(), Unwritten> {
    print_bytes(text.as_bytes())
}

/// The same of bytes that are no text perhaps.
///
/// # Errors
/// As [`print`].
pub fn print_bytes(bytes: &[u8]) -> Result<(), Unwritten> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// A line for people on standard error; if even that is closed there is nobody to tell.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// A remark beside the answer, on standard error: the answer itself stays clean for a pipe.
pub fn note(text: &str) {
    let paint = Paint::new(io::stderr().is_terminal());
    say(&format!("{} {}", paint.colour(Colour::Yellow, "note:"), visible(text)));
}

/// The same, said quietly.
pub fn aside(text: &str) {
    say(&Paint::new(io::stderr().is_terminal()).colour(Colour::Dim, &visible(text)));
}

/// How far something is, on the terminal's last line until the next word; empty text takes it away. Where nobody
/// watches, nothing is written.
pub fn progress(text: &str) {
    let mut out = io::stderr().lock();
    if out.is_terminal() {
        let _ = write!(out, "\r\x1b[K{}", visible(text)).and_then(|()| out.flush());
    }
}
