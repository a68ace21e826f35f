//! The CONTRACT suite: for every rule of the contract small delivered streams, as data, with what they must be answered.
//!
//! `scenarios/contract/R3/ends.yaml` is a family of cases about R3. Each case stands for seven, one an error status:
//!
//! ```yaml
//! about: At one instant every observation counts before any deadline.
//! cases:
//!   - case: ends-at-the-deadline
//!     stream:
//!       - {at: 0s, vm: a, is: $wire}
//!       - {at: T, vm: a, is: Running}
//!       - {at: T, advance: true}
//! ```
//!
//! `T` is the threshold and `$wire` the status as it is delivered ([`mod@format`] has the rest). An item that is answered with alerts
//! says so under `gives`, one that must be rejected has `rejected: true`, and words to be reported stand under `unknown`. What
//! a file states is what its author derived from the contract's text. A test compares it with the oracle, which
//! judges the detectors.

mod coverage;
pub mod format;
mod moment;
mod stream;
mod words;

pub use coverage::{Cell, Side, coverage};

use crate::conformance::Case;
use crate::input_error::InputError;
use crate::judge::Rule;
use crate::oracle::Expected;
use include_dir::{Dir, DirEntry, include_dir};
use std::time::Duration;
use stuckvm_sim::manifest;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/contract");

/// A case of the suite, for one status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractCase {
    /// What a detector is put to; the name is `contract/RULE/CASE/STATUS`.
    pub case: Case,
    /// The rule that it is named after.
    pub rule: Rule,
    /// The error status that it is about, in the runbook's spelling.
    pub status: &'static str,
    /// What it shows, in a sentence.
    pub about: String,
    /// What the file says a detector must answer.
    pub expected: Expected,
    /// Its file, from the root of the crate.
    pub file: String,
    /// The line in which the case begins, from 1.
    pub line: usize,
}

/// The suite, in the order of the names; `threshold` takes the place of 300 s where a case has no threshold of its own.
/// Cases of which some instant does not exist with that threshold are left out: `T-1s` where it is a millisecond.
///
/// # Panics
///
/// If a file of the suite, which is a part of the program, cannot be read.
///
/// ```
/// use stuckvm_scenarios::contract::suite;
///
/// let cases = suite(None);
/// assert!(cases.iter().any(|case| case.case.name == "contract/R3/ends-at-the-deadline/Unknown"));
/// ```
pub fn suite(threshold: Option<Duration>) -> Vec<ContractCase> {
    let mut cases = Vec::new();
    for (path, bytes) in files() {
        cases.extend(read(&path, bytes, threshold).unwrap_or_else(|error| panic!("{error}")));
    }
    cases.sort_by(|a, b| a.case.name.cmp(&b.case.name));
    let twice = cases.windows(2).find(|pair| pair[0].case.name == pair[1].case.name);
    assert!(twice.is_none(), "two cases have one name: {:?}", twice.map(|pair| &pair[0].case.name));
    cases
}

/// Path and content of every file of the suite.
fn files() -> Vec<(String, &'static [u8])> {
    let folders = EMBEDDED.dirs().flat_map(Dir::entries);
    let files = folders.filter_map(DirEntry::as_file);
    files.map(|file| (format!("contract/{}", file.path().display()), file.contents())).collect()
}

/// The cases of one file; `path` is such as `contract/R3/ends.yaml`. With a `threshold` those that cannot be told with it
/// are left out.
///
/// # Errors
///
/// If something in it does not read, with its place; without a `threshold` also if an instant does not exist.
pub fn read(path: &str, bytes: &[u8], threshold: Option<Duration>) -> Result<Vec<ContractCase>, InputError> {
    let documents = manifest::parse(path, bytes)?;
    let document = &documents[0];
    let rule = Rule::of_case(path).ok_or_else(|| {
        let advice = "put the file into the folder of the rule that it is about";
        document.error("", "a file such as contract/R3/ends.yaml", path, advice).in_file(path)
    })?;
    format::cases(document, threshold)
        .map(|cases| cases.into_iter().map(|case| case.named(path, rule)).collect())
        .map_err(|error| error.in_file(path).into())
}
