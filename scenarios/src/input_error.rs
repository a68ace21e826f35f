//! What is wrong with an input, where, and what to try.

use std::collections::BTreeSet;
use stuckvm_sim::manifest::{ManifestError, wrap};
use stuckvm_sim::validation::Refusal;

/// A file, a field or a name that cannot be used. Nothing has been run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// A place in a file.
    #[error(transparent)]
    Manifest(#[from] Box<ManifestError>),
    /// Objects that the API server or a webhook would not store; at least one.
    #[error("{}", lines(.0))]
    Refused(Vec<Refusal>),
    /// A file or folder that cannot be read.
    #[error("{file}:\n  {problem}\n  try       check the path, and that it can be read")]
    File {
        /// Its path.
        file: String,
        /// What the system says.
        problem: String,
    },
    /// A file that cannot be written.
    #[error("{file}:\n  {problem}\n  try       check the path, and that it can be written")]
    Unwritable {
        /// Its path.
        file: String,
        /// What the system says.
        problem: String,
    },
    /// Standard output that cannot be written, though somebody reads it.
    #[error("standard output:\n  {problem}\n  try       check where it goes, and that there is room")]
    Output {
        /// What the system says.
        problem: String,
    },
    /// A file that would be overwritten.
    #[error(
        "{file}:\n  it is there already\n  try       another name, or `--output FILE`; nothing is overwritten"
    )]
    Exists {
        /// Its path.
        file: String,
    },
    /// A cause that no template has.
    #[error("no template shows the cause `{cause}`\n  expected  one of\n            {}", wrap(known, 68).join("\n            "))]
    UnknownCause {
        /// The word.
        cause: String,
        /// The causes that there are, between commas.
        known: String,
    },
    /// A name that no scenario can have.
    #[error(
        "no scenario can be named `{name}`\n  expected  letters, digits, `-`, `_` and `.`, in parts between `/`\n  \
         try       a path such as `mine/missing-claim`"
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// A folder without scenarios.
    #[error(
        "{folder}:\n  expected  scenario files, *.yaml or *.yml, in it or in folders within\n  found     none\n  \
         try       check the path; manifests/ folders are not looked into"
    )]
    NoScenarios {
        /// Its path.
        folder: String,
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
    #[error("no scenario is named `{name}`\n  try       {advice}")]
    UnknownName {
        /// The name.
        name: String,
        /// The most similar ones.
        advice: String,
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
        let near: Vec<String> = nearest(name, known).iter().map(|near| format!("`{near}`")).collect();
        let mut advice = "`stuckvm list` shows all".to_owned();
        if is_of_contract(name) && !known.iter().any(|known| is_of_contract(known)) {
            advice += "; cases of the contract have no cluster and are for detectors: `stuckvm check` without --rules";
        } else if !near.is_empty() {
            advice += &format!("; near are {}", near.join(", "));
        }
        // As wide as the messages about files, behind the label.
        let advice = wrap(&advice, 68).join("\n            ");
        Self::UnknownName { name: name.to_owned(), advice }
    }
}

fn is_of_contract(name: &str) -> bool {
    name == "contract" || name.starts_with("contract/")
}

fn lines(refusals: &[Refusal]) -> String {
    refusals.iter().map(Refusal::to_string).collect::<Vec<_>>().join("\n")
}

/// At most three scenarios, or groups of them, that the name could have been meant for, the nearest first. Who has only the last
/// part of a name in mind is understood too.
fn nearest(name: &str, known: &[&str]) -> Vec<String> {
    let groups = known.iter().filter_map(|known| known.rsplit_once('/')).map(|(group, _)| group);
    let candidates: BTreeSet<&str> = groups.chain(known.iter().copied()).collect();
    let far = |candidate: &str| {
        let last = candidate.rsplit('/').next().unwrap_or(candidate);
        distance(name, candidate).min(distance(name, last))
    };
    let mut near: Vec<(usize, &str)> = candidates.into_iter().map(|known| (far(known), known)).collect();
    near.retain(|(distance, _)| *distance <= name.chars().count() / 3);
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, known)| known.to_owned()).collect()
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
    fn an_unknown_name_is_answered_with_near_ones() {
        let known = ["err-image-pull/stuck", "pvc-not-found/broken-again", "pvc-not-found/stuck"];
        let table = [
            ("pvc-not-fund", "; near are `pvc-not-found`"),
            ("pvc-not-found/stack", "; near are `pvc-not-found/stuck`,\n            `pvc-not-found`"),
            ("stuk", "; near are `err-image-pull/stuck`,\n            `pvc-not-found/stuck`"),
            ("something else", ""),
            (
                "contract/R1",
                "; cases of the contract have no cluster and\n            \
                 are for detectors: `stuckvm check` without --rules",
            ),
        ];
        for (name, near) in table {
            let text = format!("no scenario is named `{name}`\n  try       `stuckvm list` shows all{near}");
            assert_eq!(InputError::unknown_name(name, &known).to_string(), text);
        }
    }
}
