//! Colours of text for people, where it goes to a terminal.

use crate::verdict::Verdict;
use anstyle::{AnsiColor, Style};

/// The styles of a text. The plain one adds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// No escape sequences.
    #[default]
    Plain,
    /// The sixteen colours that every terminal has.
    Ansi,
}

impl Palette {
    /// What is as it should be.
    pub fn good(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// What is not.
    pub fn bad(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// What is worth a look.
    pub fn odd(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    /// A heading.
    pub fn heading(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// A text that begins with the verdict's word, with that word in its colour.
    ///
    /// ```
    /// use stuckvm_scenarios::{report::Palette, verdict::Verdict};
    ///
    /// assert_eq!(Palette::Ansi.verdict(&Verdict::Pass, "pass  a/b"), "\u{1b}[32mpass\u{1b}[0m  a/b");
    /// assert_eq!(Palette::Plain.verdict(&Verdict::Pass, "pass  a/b"), "pass  a/b");
    /// ```
    pub fn verdict(self, verdict: &Verdict, text: &str) -> String {
        let word = verdict.as_str();
        let Some(rest) = text.strip_prefix(word) else { return text.to_owned() };
        let word = match verdict {
            Verdict::Pass => self.good(word),
            Verdict::NotTested(_) => self.odd(word),
            _ => self.bad(word),
        };
        word + rest
    }

    fn paint(self, style: Style, text: &str) -> String {
        match self {
            Self::Ansi if !text.trim().is_empty() => format!("{style}{text}{style:#}"),
            _ => text.to_owned(),
        }
    }
}
