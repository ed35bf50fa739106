//! What functions print, shown as it comes. Showing must not hold a function back: lines that a slow terminal cannot
//! take are counted and left out here; they are in the datasets all the same.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sandbox::{Output, OutputLine, Source};
use tokio::sync::mpsc;

use crate::render::text::{Colour, Paint, visible, visible_lines};
use crate::terminal::say;

/// Lines that wait for the terminal: a burst of a few seconds.
const LINES_MAX: usize = 4_096;
/// What a tab is shown as.
const TAB: &str = "    ";
/// Before the further lines of a message.
const INDENT: usize = 4;

/// Where the sandboxes' lines go: standard error.
pub(super) fn to_terminal() -> Output {
    let (sender, mut lines) = mpsc::channel::<String>(LINES_MAX);
    let paint = Paint::new(std::io::stderr().is_terminal());
    let hidden = Arc::new(AtomicU64::new(0));
    let left_out = Arc::clone(&hidden);
    tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            say(&line);
            match left_out.swap(0, Ordering::Relaxed) {
                0 => {}
                count => say(&format!("({count} lines not shown here)")),
            }
        }
    });
    Output::to(move |line| {
        if sender.try_send(shown(line, paint)).is_err() {
            hidden.fetch_add(1, Ordering::Relaxed);
        }
    })
}

fn shown(line: &OutputLine, paint: Paint) -> String {
    // In the text format Lambda's Python client joins the lines of one message with carriage returns. Tabs stand in
    // every REPORT and stack trace.
    let text = visible_lines(&line.text.replace('\r', "\n").replace('\t', TAB), INDENT);
    let (name, text) = match &line.source {
        Source::Function => (line.function.clone(), text),
        Source::Extension(extension) => (format!("{}/{extension}", line.function), text),
        Source::Platform => (line.function.clone(), paint.colour(Colour::Dim, &text)),
    };
    format!("{} {text}", paint.colour(Colour::Green, &format!("{} │", visible(&name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_who_printed_it_and_cannot_act() {
        let line = OutputLine {
            function: "checkout".to_owned(),
            stream: String::new(),
            source: Source::Extension("limelight".to_owned()),
            text: "\x1b[2Jhello\tyou".to_owned(),
        };
        assert_eq!(shown(&line, Paint::none()), "checkout/limelight │ \\x1b[2Jhello    you");
    }
}
