//! What is said of a bug: what broke, in which scenario, with which seed, at which instant, and how to see it again.
//!
//! An invariant that does not hold panics. Where scenarios are played, their threads keep note of what they play, and
//! the panic hook tells it.

use crate::pins::since;
use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::fmt::Write as _;
use std::panic::PanicHookInfo;
use stuckvm_detector::Time;

thread_local! {
    static PLAYING: RefCell<Option<Playing>> = const { RefCell::new(None) };
}

/// What a thread plays.
#[derive(Clone, Debug)]
struct Playing {
    scenario: String,
    seed: u64,
    start: Time,
    now: Time,
}

/// While it lives, a panic of this thread is told with the scenario that it plays.
#[derive(Debug)]
pub struct Note(());

impl Note {
    /// This thread plays a scenario with a seed, from `start` on.
    #[must_use]
    pub fn playing(scenario: &str, seed: u64, start: Time) -> Self {
        let playing = Playing { scenario: scenario.to_owned(), seed, start, now: start };
        PLAYING.replace(Some(playing));
        Self(())
    }

    /// Virtual time has come so far.
    pub fn at(&self, now: Time) {
        PLAYING.with_borrow_mut(|playing| playing.iter_mut().for_each(|playing| playing.now = now));
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        PLAYING.replace(None);
    }
}

/// From now on a panic is told as an internal error. `command` is what plays the same again, such as `stuckvm run`; the
/// scenario's name is added to it. `tell` gets the text.
pub fn tell_of_panics(command: String, tell: impl Fn(&str) + Send + Sync + 'static) {
    std::panic::set_hook(Box::new(move |info| tell(&text(&command, info))));
}

/// What a panic says.
pub(crate) fn said(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it did not say what")
}

fn text(command: &str, info: &PanicHookInfo<'_>) -> String {
    let mut text = format!("internal error: {}", said(info.payload()));
    if let Some(location) = info.location() {
        let _ = write!(text, "\n  at            {}:{}", location.file(), location.line());
    }
    let mut command = command.to_owned();
    // Borrowed only if the panic did not come out of a note itself.
    let playing = PLAYING.with(|playing| playing.try_borrow().ok()?.clone());
    if let Some(Playing { scenario, seed, start, now }) = playing {
        let _ = write!(text, "\n  scenario      {scenario}");
        let _ = write!(text, "\n  seed          {seed}");
        let _ = write!(text, "\n  virtual time  {now}, {} after the start", since(start, now));
        let _ = write!(command, " {scenario}");
    }
    let _ = write!(text, "\n  replay with   {command}");
    text += "\nThis is a bug of stuckvm. Please report it with these lines:\n";
    text += concat!(env!("CARGO_PKG_REPOSITORY"), "/issues");
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        let _ = write!(text, "\n{trace}");
    }
    text
}
