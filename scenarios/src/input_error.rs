//! What is wrong with an input, where, and what to try.

use stuckvm_sim::manifest::ManifestError;

/// A file, a field or a name that cannot be used. Nothing has been run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// A place in a file.
    #[error(transparent)]
    Manifest(#[from] Box<ManifestError>),
    /// A file or folder that cannot be read.
    #[error("{file}:\n  {problem}\n  try       check the path, and that it can be read")]
    File {
        /// Its path.
        file: String,
        /// What the system says.
        problem: String,
    },
    /// Two scenarios of one name.
    #[error(
        "{file}, field scenario:\n  `{name}` stands in {other} already\n  try       name each by its path in the catalog"
    )]
    DuplicateScenario {
        /// The second file.
        file: String,
        /// The name.
        name: String,
        /// The first file.
        other: String,
    },
    /// A name that matches no scenario.
    #[error(
        "no scenario is named `{name}`\n  try       `stuckvm list` shows all; the nearest is `{nearest}`"
    )]
    UnknownName {
        /// The name.
        name: String,
        /// The most similar one.
        nearest: String,
    },
}

impl From<ManifestError> for InputError {
    fn from(error: ManifestError) -> Self {
        Self::Manifest(Box::new(error))
    }
}

impl InputError {
    /// A name that matches none of the known ones.
    pub fn unknown_name(name: &str, known: &[&str]) -> Self {
        let nearest = known.iter().min_by_key(|known| distance(name, known)).unwrap_or(&"");
        Self::UnknownName { name: name.to_owned(), nearest: (*nearest).to_owned() }
    }
}

/// How many characters must change to come from one word to the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let change = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::InputError;

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let error = InputError::unknown_name("pvc-not-fund", &["image/stuck", "pvc-not-found/stuck"]);
        let text = "no scenario is named `pvc-not-fund`\n  try       `stuckvm list` shows all; the nearest is `pvc-not-found/stuck`";
        assert_eq!(error.to_string(), text);
    }
}
