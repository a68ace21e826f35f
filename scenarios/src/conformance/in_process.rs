//! Detectors in Rust, called in the harness's own process.

use super::call::{Question, call};
use super::candidate::{Answer, Candidate, Capabilities, Session, Start};
use crate::feed::{feed, stream_alert};
use crate::oracle::Thresholds;
use crate::stream::{Alert, Input};
use crate::verdict::{ErrorKind, RunError};
use std::time::Duration;
use stuckvm_detector::{NamedDetector, PrintableStatus, Rule};

/// A detector in Rust. If it panics, its case ends with an error that says what the panic says, and the next case begins.
pub trait Detector {
    /// Takes one input and answers with the alerts that have become due by it: deadlines first, then what it resolves.
    ///
    /// # Errors
    ///
    /// If the input is from the past (R13); nothing has changed then.
    fn input(&mut self, input: &Input) -> Result<Vec<Alert>, Rejected>;

    /// The words of the last input that it does not know, each once (R12); `None` if it does not report them.
    fn unknown(&self) -> Option<Vec<String>> {
        None
    }

    /// All that it knows, as JSON; `None` if it cannot be stopped and restored.
    fn snapshot(&self) -> Option<String> {
        None
    }
}

/// Why a detector does not take an input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Rejected(pub String);

/// A [`Detector`], made anew for each case.
pub struct InProcess<F> {
    name: String,
    capabilities: Capabilities,
    only_threshold: Option<Duration>,
    make: F,
}

impl<D: Detector + 'static, F: Fn(&Start<'_>) -> D + Sync> InProcess<F> {
    /// `make` gives a detector that has seen nothing, or one restored from [`Start::restore`].
    pub fn new(name: &str, capabilities: Capabilities, make: F) -> Self {
        Self { name: name.to_owned(), capabilities, only_threshold: None, make }
    }

    /// It has this threshold and cannot be told another.
    #[must_use]
    pub fn with_only_threshold(self, threshold: Duration) -> Self {
        Self { only_threshold: Some(threshold), ..self }
    }
}

impl<D: Detector + 'static, F: Fn(&Start<'_>) -> D + Sync> Candidate for InProcess<F> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn only_threshold(&self) -> Option<Duration> {
        self.only_threshold
    }

    fn start(&self, start: &Start<'_>) -> Result<Box<dyn Session + '_>, RunError> {
        let detector = call(Question::Start, || (self.make)(start))?;
        Ok(Box::new(Call { capabilities: self.capabilities, detector: Some(detector) }))
    }
}

struct Call<D> {
    capabilities: Capabilities,
    /// None once it has ended.
    detector: Option<D>,
}

impl<D> Call<D> {
    fn call<T>(&mut self, question: Question<'_>, ask: impl FnOnce(&mut D) -> T) -> Result<T, RunError> {
        let detector = self.detector.as_mut().expect("nothing is asked after the end");
        call(question, || ask(detector))
    }

    fn end(&mut self) -> Result<(), RunError> {
        let detector = self.detector.take();
        call(Question::End, || drop(detector))
    }
}

impl<D: Detector> Session for Call<D> {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn input(&mut self, seq: u64, input: &Input) -> Result<Answer, RunError> {
        self.call(Question::Input(seq, input), |detector| match detector.input(input) {
            Ok(alerts) => Answer { alerts, unknown: detector.unknown(), rejected: None },
            Err(Rejected(why)) => Answer { rejected: Some(why), ..Answer::default() },
        })
    }

    fn snapshot(&mut self) -> Result<String, RunError> {
        self.call(Question::Snapshot, |detector| detector.snapshot())?.ok_or_else(|| RunError {
            kind: ErrorKind::Protocol,
            because: vec!["it is said to be capable of a snapshot, and gave none".to_owned()],
        })
    }

    fn finish(&mut self) -> Result<(), RunError> {
        self.end()
    }
}

impl<D> Drop for Call<D> {
    /// One that has panicked may do so again on its way out.
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// The project's own detector.
pub struct BuiltIn {
    detector: NamedDetector,
    unknown: Vec<String>,
}

impl BuiltIn {
    /// What [`InProcess`] needs to know of it.
    pub const CAPABILITIES: Capabilities = Capabilities { snapshot: true, thresholds: true };

    /// As a candidate.
    pub fn candidate() -> impl Candidate {
        InProcess::new("built-in", Self::CAPABILITIES, Self::start)
    }

    /// Started for a case.
    ///
    /// # Panics
    ///
    /// If what it is to go on from is no snapshot of its own.
    pub fn start(start: &Start<'_>) -> Self {
        let detector = match start.restore {
            None => NamedDetector::new(rule(start.thresholds)),
            Some(snapshot) => {
                let snapshot = serde_json::from_str(snapshot).expect("a snapshot reads");
                NamedDetector::restore(&snapshot).expect("a snapshot of the detector is consistent")
            }
        };
        Self { detector, unknown: Vec::new() }
    }
}

/// The thresholds as the built-in detector takes them.
fn rule(thresholds: &Thresholds) -> Rule {
    let default = Rule::new(thresholds.default).expect("a case has a threshold that can be");
    thresholds.per_status.iter().fold(default, |rule, (word, threshold)| {
        let status = PrintableStatus::parse(word).expect("a case names error statuses");
        rule.with(status, *threshold).expect("a case has thresholds that can be")
    })
}

impl Detector for BuiltIn {
    fn input(&mut self, input: &Input) -> Result<Vec<Alert>, Rejected> {
        self.unknown.clear();
        let output = feed(&mut self.detector, input).map_err(|error| Rejected(error.to_string()))?;
        self.unknown.clone_from(&output.unknown);
        Ok(output.alerts.iter().map(stream_alert).collect())
    }

    fn unknown(&self) -> Option<Vec<String>> {
        Some(self.unknown.clone())
    }

    fn snapshot(&self) -> Option<String> {
        Some(serde_json::to_string(&self.detector.snapshot()).expect("a snapshot serializes"))
    }
}
