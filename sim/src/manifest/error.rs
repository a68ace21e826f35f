//! What is wrong with a manifest, for the person who wrote it.

use std::fmt;

use super::Place;

/// The most characters of a line that are quoted.
pub const MAX_QUOTE: usize = 200;

/// The widest line of a message.
const WIDTH: usize = 80;

/// Where a manifest is wrong, how, and what to try. Shown on a few lines of at most 80 columns; only a long file name
/// makes the first one longer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ManifestError {
    /// File name as the user gave it; `-` is standard input.
    pub file: String,
    /// Line and column, both from 1.
    pub place: Place,
    /// Path of the field, as `spec.template.spec.volumes[0].name`; empty where it is the document as a whole.
    pub field: String,
    /// What was expected there.
    pub expected: Box<str>,
    /// What stands there instead.
    pub found: Box<str>,
    /// What to try.
    pub advice: Box<str>,
}

impl ManifestError {
    /// An error of the document as a whole.
    pub(super) fn at(place: Place, expected: &str, found: &str, advice: &str) -> ManifestError {
        ManifestError {
            file: String::new(),
            place,
            field: String::new(),
            expected: expected.into(),
            found: found.into(),
            advice: advice.into(),
        }
    }

    /// The same error of that field.
    pub(super) fn of_field(mut self, field: String) -> ManifestError {
        self.field = field;
        self
    }

    /// The same error in that file.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> ManifestError {
        file.clone_into(&mut self.file);
        self
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column } = self.place;
        write!(f, "{}, line {line}, column {column}:", self.file)?;
        let parts: [(&str, &str); 4] = [
            ("field", &self.field),
            ("expected", &self.expected),
            ("found", &self.found),
            ("try", &self.advice),
        ];
        for (label, text) in parts.into_iter().filter(|(_, text)| !text.is_empty()) {
            write_part(f, label, text)?;
        }
        Ok(())
    }
}

/// A label and its text, wrapped behind the label.
fn write_part(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    const INDENT: usize = 12;
    let mut label = label;
    for line in wrap(text, WIDTH - INDENT) {
        write!(f, "\n  {label:<10}{line}")?;
        label = "";
    }
    Ok(())
}

/// Breaks a text into lines of at most `width` characters: at spaces, and inside a word only where it is longer than a line.
///
/// ```
/// assert_eq!(stuckvm_sim::manifest::wrap("no such claim", 8), ["no such", "claim"]);
/// ```
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    debug_assert!(width > 0, "no room to wrap into");
    let mut rest: Vec<char> = text.chars().collect();
    let mut lines = Vec::new();
    while rest.len() > width {
        let space = rest[..=width].iter().rposition(|&c| c == ' ').filter(|&at| at > 0);
        let after = rest.split_off(space.unwrap_or(width));
        lines.push(rest.iter().collect());
        rest = if space.is_some() { after[1..].to_vec() } else { after };
    }
    lines.push(rest.iter().collect());
    lines
}

/// A piece of the user's text, fit for a message: one line, no control characters, at most [`MAX_QUOTE`] characters.
#[must_use]
pub fn quote(text: &str) -> String {
    let visible = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut quoted: String = visible.take(MAX_QUOTE).collect();
    if text.trim().chars().count() > MAX_QUOTE {
        quoted.pop();
        quoted.push('…');
    }
    quoted
}
