//! How a failure ends the command: one clear message on stderr, and an exit code that scripts can tell apart.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use crate::render::problem;
use crate::render::text::{Colour, Paint, visible_lines};
use crate::terminal::{Unwritten, say};

/// Everything that is not one of the others.
pub const FAILED: u8 = 1;
/// The command, its files or the query are not what they should be.
pub const USAGE: u8 = 2;
/// The dataset, trace or function is not there.
pub const NOT_FOUND: u8 = 3;

/// A failure that the person who typed the command can mend by typing something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    message: String,
    code: u8,
}

impl Refused {
    /// The arguments or a file are wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: USAGE }
    }

    /// What was asked for is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: NOT_FOUND }
    }
}

/// Shows the failure, if it is one, and gives the exit code.
pub fn code(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    if is_of_a_gone_reader(&error) {
        return ExitCode::SUCCESS;
    }
    let paint = Paint::new(io::stderr().is_terminal());
    match error.downcast_ref::<api::Problem>() {
        Some(found) => say(&problem::show(found, paint)),
        None => {
            say(&format!("{} {}", paint.bold(Colour::Red, "error:"), visible_lines(&format!("{error:#}"), 0)))
        }
    }
    ExitCode::from(code_of(&error))
}

fn code_of(error: &anyhow::Error) -> u8 {
    if let Some(refused) = error.downcast_ref::<Refused>() {
        return refused.code;
    }
    match error.downcast_ref::<api::Problem>().map(|problem| problem.status) {
        Some(404) => NOT_FOUND,
        Some(400 | 413 | 415 | 422) => USAGE,
        _ => FAILED,
    }
}

fn is_of_a_gone_reader(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Unwritten>().is_some_and(Unwritten::reader_has_gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_can_tell_failures_apart() {
        assert_eq!(code_of(&Refused::usage("no such flag").into()), USAGE);
        assert_eq!(code_of(&api::Problem::not_found("no trace").into()), NOT_FOUND);
        assert_eq!(code_of(&api::Problem::bad_request("no query").into()), USAGE);
        assert_eq!(code_of(&api::Problem::internal("disk").into()), FAILED);
        assert_eq!(code_of(&anyhow::anyhow!("anything").context("else")), FAILED);
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure_and_anybody_else_who_hangs_up_is() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        let of_output = anyhow::Error::from(Unwritten::from(broken())).context("cannot write");
        assert!(is_of_a_gone_reader(&of_output));
        let of_a_server = anyhow::Error::from(broken()).context("the server does not answer");
        assert!(!is_of_a_gone_reader(&of_a_server));
        let full = Unwritten::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(!is_of_a_gone_reader(&full.into()));
    }
}
