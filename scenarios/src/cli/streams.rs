//! Standard output and standard error. A line that cannot be written ends the printing, never the command: verdicts and reports
//! are worth more than the text about them.

use super::BAD_INPUT;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use stuckvm_scenarios::input_error::InputError;

/// Standard output takes no more lines.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Something that the user asked for could not be written.
static LOST: AtomicBool = AtomicBool::new(false);

/// Writes a line of results. A reader that has gone away is no error, as `head` expects.
pub(super) fn print(line: &str) {
    if CLOSED.load(Ordering::Relaxed) {
        return;
    }
    if let Err(error) = writeln!(io::stdout(), "{line}") {
        CLOSED.store(true, Ordering::Relaxed);
        if error.kind() != ErrorKind::BrokenPipe {
            lost(&InputError::Output { problem: error.to_string() });
        }
    }
}

/// Writes a line for people to standard error. There is no place to say that it could not be written.
pub(super) fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Tells of a file that could not be written, if it was not; the exit code will say so too.
pub(super) fn keep(written: Result<(), InputError>) {
    if let Err(error) = written {
        lost(&error);
    }
}

fn lost(error: &InputError) {
    LOST.store(true, Ordering::Relaxed);
    tell(error);
}

/// The exit code of a command that has ended: its own, unless something could not be written.
pub(super) fn exit_code(own: ExitCode) -> ExitCode {
    if LOST.load(Ordering::Relaxed) { ExitCode::from(BAD_INPUT) } else { own }
}
