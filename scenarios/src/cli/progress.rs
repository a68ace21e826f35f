//! A progress bar on a terminal, and nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;

/// Shows how many of the scenarios have ended.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar for this many scenarios; hidden where standard error is no terminal.
    pub(super) fn new(scenarios: usize) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(scenarios as u64), target);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}")
            .expect("the template is right");
        bar.set_style(style);
        Self(bar)
    }

    /// One more has ended; what is printed of it stands above the bar.
    pub(super) fn ended(&self, scenario: &str, print: impl FnOnce()) {
        self.0.suspend(print);
        self.0.set_message(scenario.to_owned());
        self.0.inc(1);
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
