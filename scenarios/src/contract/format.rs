//! The format of the suite's files. Unknown keys are errors.
//!
//! | text | stands for |
//! | --- | --- |
//! | `T`, `2T`, `T/3`, `T-1ns` | the threshold, and instants relative to it |
//! | `$wire`, `$runbook` | the status of the case, as it is delivered and as alerts carry it |
//! | `$other.wire`, `$other.runbook` | the next error status in the contract's table |
//! | `$lower`, `$upper` | the status as it is delivered, in another case |
//! | `$word` | each word of `words:` in turn; its key becomes part of the case's name |
//! | `a`, `a/a-2`, `other/a/u1` | a machine: by name (namespace `ns`, uid `a-1`), with its uid, with its namespace |
//! | `fleet*10000` | so many machines |

use super::ContractCase;
use super::moment::{Problem, moment};
use super::stream;
use super::words::{Substitution, substitutions};
use crate::conformance::Case;
use crate::format::{Span, Start};
use crate::judge::Rule;
use crate::oracle::{Expected, Thresholds};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::manifest::{Document, ManifestError, split};

/// The instant 0s of a case that names none: that of scenarios.
const START: Time = Time::from_secs(1_664_795_467);

/// A file: cases about one thing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// What they are about, in a sentence or two.
    pub about: String,
    /// The cases; [`CaseSpec`] once placeholders are replaced.
    pub cases: Vec<Value>,
}

/// A case, for one status and word.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CaseSpec {
    /// Its name.
    pub case: String,
    /// What it shows; the family's sentence without one.
    #[serde(default)]
    pub about: Option<String>,
    /// The instant 0s.
    #[serde(default)]
    pub start: Option<Start>,
    /// How long before the last instant there is the instant 0s lies.
    #[serde(default)]
    pub start_before_last: Option<String>,
    /// Its own threshold.
    #[serde(default)]
    pub threshold: Option<Span>,
    /// Thresholds by status.
    #[serde(default)]
    pub thresholds: BTreeMap<String, String>,
    /// Words that the case is played with, by what the case's name calls them.
    #[serde(default)]
    pub words: BTreeMap<String, String>,
    /// What is delivered, in order, and what it must be answered.
    pub stream: Vec<Item>,
}

/// Something that is delivered, or a restart.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// When; not for a restart.
    #[serde(default)]
    pub at: Option<String>,
    /// The machine that has a status.
    #[serde(default)]
    pub vm: Option<String>,
    /// Its status.
    #[serde(default)]
    pub is: Option<String>,
    /// The machine that is gone.
    #[serde(default)]
    pub deleted: Option<String>,
    /// All machines that there are.
    #[serde(default)]
    pub relist: Option<Vec<Listed>>,
    /// The word that the instant is over.
    #[serde(default)]
    pub advance: bool,
    /// The detector is stopped here, and another one goes on from its snapshot.
    #[serde(default)]
    pub restart: bool,
    /// The alerts that it makes due.
    #[serde(default)]
    pub gives: Vec<Given>,
    /// It must be rejected.
    #[serde(default)]
    pub rejected: bool,
    /// The words of it that must be reported.
    #[serde(default)]
    pub unknown: Vec<String>,
}

/// An entry of a relist.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// The machine.
    pub vm: String,
    /// Its status.
    pub is: String,
}

/// An alert.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The machine that fires, or
    #[serde(default)]
    pub fires: Option<String>,
    /// the machine that resolves.
    #[serde(default)]
    pub resolves: Option<String>,
    /// The alert's instant.
    pub at: String,
    /// The alert's status.
    #[serde(rename = "as")]
    pub status: String,
    /// When the episode began.
    pub since: String,
}

/// A case of which only the rule is missing.
pub(super) struct Unnamed {
    name: String,
    about: String,
    status: &'static str,
    line: usize,
    case: Case,
    expected: Expected,
}

impl Unnamed {
    pub(super) fn named(self, file: &str, rule: Rule) -> ContractCase {
        let name = format!("contract/{}/{}/{}", rule.as_str(), self.name, self.status);
        ContractCase {
            case: Case { name, ..self.case },
            rule,
            status: self.status,
            about: self.about,
            expected: self.expected,
            file: file.to_owned(),
            line: self.line,
        }
    }
}

/// Every case of a file.
///
/// # Errors
///
/// The first that does not read, with its place; with a `threshold` a case with an instant that does not exist is left out.
pub(super) fn cases(document: &Document, threshold: Option<Duration>) -> Result<Vec<Unnamed>, ManifestError> {
    let family: Family = deserialize(document, "", &document.value)?;
    let mut cases = Vec::new();
    for (index, value) in family.cases.iter().enumerate() {
        let field = format!("cases[{index}]");
        // The words are taken before anything is replaced.
        let words = value.get("words").map(|words| deserialize(document, &field, words)).transpose()?;
        for substitution in substitutions(&words.unwrap_or_default()) {
            let spec: CaseSpec = deserialize(document, &field, &substitution.of(value))?;
            let built = match build(&spec, threshold) {
                Ok(built) => built,
                Err(Problem::NoSuchInstant(_)) if threshold.is_some() => continue,
                Err(problem) => return Err(no_case(document, &field, &problem)),
            };
            cases.push(Unnamed {
                line: document.place(&field).line,
                ..built.finish(&spec, &substitution, &family)
            });
        }
    }
    Ok(cases)
}

fn no_case(document: &Document, field: &str, problem: &Problem) -> ManifestError {
    let advice = "the module `contract::format` has the format";
    document.error(field, "a case of the suite", &problem.to_string(), advice)
}

fn deserialize<T: serde::de::DeserializeOwned>(
    document: &Document,
    field: &str,
    value: &Value,
) -> Result<T, ManifestError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let (expected, found) = split(&error.inner().to_string());
        let within = error.path().to_string();
        let path = if within == "." { field.to_owned() } else { format!("{field}.{within}") };
        document.error(
            path.trim_start_matches('.'),
            &expected,
            &found,
            "the module `contract::format` has the format",
        )
    })
}

struct Built {
    case: Case,
    expected: Expected,
}

impl Built {
    fn finish(self, spec: &CaseSpec, substitution: &Substitution, family: &Family) -> Unnamed {
        let word = substitution.word.iter().map(|word| format!("/{word}")).collect::<String>();
        Unnamed {
            name: spec.case.clone() + &word,
            about: spec.about.as_ref().unwrap_or(&family.about).trim().to_owned(),
            status: substitution.status,
            line: 0,
            case: self.case,
            expected: self.expected,
        }
    }
}

fn build(spec: &CaseSpec, threshold: Option<Duration>) -> Result<Built, Problem> {
    let mut thresholds = Thresholds::default();
    thresholds.default = spec.threshold.map(|span| span.0).or(threshold).unwrap_or(thresholds.default);
    for (status, own) in &spec.thresholds {
        let after = moment(own, thresholds.default)?;
        if after.is_zero() {
            return Err(Problem::NoSuchInstant(format!("a threshold of `{own}` is none")));
        }
        thresholds.per_status.insert(status.clone(), after);
    }
    let start = match &spec.start_before_last {
        None => spec.start.map_or(START, |start| start.0),
        Some(before) => {
            let before = moment(before, thresholds.default)?.as_nanos();
            let nanos = u64::try_from(before).ok().and_then(|before| u64::MAX.checked_sub(before));
            let first = || Problem::NoSuchInstant("0s lies before the first instant".to_owned());
            Time::from_nanos(nanos.ok_or_else(first)?)
        }
    };
    let stream = stream::build(&spec.stream, start, thresholds.default)?;
    let case =
        Case { name: String::new(), start, thresholds, inputs: stream.inputs, restarts: stream.restarts };
    Ok(Built { case, expected: stream.expected })
}
