//! Calls into detectors that run in the harness's own process. One that panics ends its case, as a program that dies does.
//!
//! The panic hook of a process is shared. Ours hears of panics in such calls only, and leaves all others to the one before it.

use crate::internal_error::said;
use crate::quote::quote;
use crate::stream::Input;
use crate::verdict::{ErrorKind, RunError};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// So many lines of what a panic says are shown.
const SHOWN: usize = 5;

thread_local! {
    /// Where panics happened in the call that this thread is in; `None` outside of calls.
    static PLACES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// What a detector is to answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question<'a> {
    /// It is to come up.
    Start,
    /// An input with its number.
    Input(u64, &'a Input),
    /// It is to say all that it knows.
    Snapshot,
    /// Nothing more comes.
    End,
}

impl fmt::Display for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("the start"),
            Self::Input(seq, _) => write!(f, "input {seq}"),
            Self::Snapshot => f.write_str("the request for a snapshot"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// Calls a detector with a question.
///
/// # Errors
///
/// If it panics: with what the panic says, and where it happened.
pub(super) fn call<T>(question: Question<'_>, detector: impl FnOnce() -> T) -> Result<T, RunError> {
    hear_of_panics();
    let outside = PLACES.replace(Some(Vec::new()));
    // A detector that has panicked is asked nothing more.
    let outcome = catch_unwind(AssertUnwindSafe(detector));
    let places = PLACES.replace(outside).unwrap_or_default();
    if outcome.is_ok() {
        places.iter().for_each(|place| eprintln!("the detector caught a panic of its own at {place}"));
    }
    outcome.map_err(|panic| {
        let mut lines = said(&*panic).lines().map(|line| quote(line.as_bytes())).take(SHOWN);
        let first = lines.next().unwrap_or_default();
        let mut because = vec![format!("it panicked before it answered {question}: {first}")];
        because.extend(lines);
        because.extend(places.last().map(|place| format!("the panic is at {place}")));
        if let Question::Input(_, input) = question {
            let line = serde_json::to_string(input).expect("an input serializes");
            because.push(format!("it was told: {}", quote(line.as_bytes())));
        }
        RunError { kind: ErrorKind::Died, because }
    })
}

/// Puts our hook in front of the one that is there, once. Where another takes its place later, errors lack the place of the panic.
fn hear_of_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let (others, traced) = (take_hook(), AtomicBool::new(false));
        set_hook(Box::new(move |info| {
            // Who asks for backtraces gets one: a detector that panics once does so in case after case.
            let wants_trace = || Backtrace::capture().status() == BacktraceStatus::Captured;
            if !is_heard(info) || (wants_trace() && !traced.swap(true, Ordering::Relaxed)) {
                others(info);
            }
        }));
    });
}

/// Takes note of a panic if it is in a call.
fn is_heard(info: &PanicHookInfo<'_>) -> bool {
    PLACES.with_borrow_mut(|places| match places {
        Some(places) => {
            places.extend(info.location().map(ToString::to_string));
            true
        }
        None => false,
    })
}
