//! What comes of a scenario.

use crate::judge::Breach;
use crate::stream::{Alert, Vm};
use arcstr::ArcStr;
use std::time::Duration;
use stuckvm_detector::Time;

/// What comes of one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All as expected.
    Pass,
    /// The detector broke a rule of the contract.
    Broken(Box<Breach>),
    /// What the file pins did not come.
    Unmet(Unmet),
    /// The run did not come to an end.
    Error(RunError),
    /// The detector lacks what the case needs: what it lacks.
    NotTested(String),
}

impl Verdict {
    /// `pass`, `fail`, `error` or `not tested`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Broken(_) | Self::Unmet(_) => "fail",
            Self::Error(_) => "error",
            Self::NotTested(_) => "not tested",
        }
    }

    /// The rule that a `fail` names: one of the contract, or the part of `expect` that was not met.
    pub const fn rule(&self) -> Option<&'static str> {
        match self {
            Self::Broken(breach) => Some(breach.rule.as_str()),
            Self::Unmet(unmet) => Some(unmet.part.as_str()),
            Self::Pass | Self::Error(_) | Self::NotTested(_) => None,
        }
    }

    /// The kind that an `error` names.
    pub const fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Error(error) => Some(error.kind.as_str()),
            _ => None,
        }
    }
}

/// A part of a scenario file's `expect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `expect.status`.
    Status,
    /// `expect.alerts`.
    Alerts,
    /// `expect.counts`.
    Counts,
    /// `expect.objects`.
    Objects,
    /// `expect.events`.
    Events,
}

impl Part {
    /// Every part, in the order in which they are checked.
    pub const ALL: [Self; 5] = [Self::Status, Self::Alerts, Self::Counts, Self::Objects, Self::Events];

    /// The path in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "expect.status",
            Self::Alerts => "expect.alerts",
            Self::Counts => "expect.counts",
            Self::Objects => "expect.objects",
            Self::Events => "expect.events",
        }
    }
}

/// The first thing that the file pins and that did not come so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Which part of `expect`.
    pub part: Part,
    /// Which entry of that part, from 0; `None` where it is about the part as a whole.
    pub entry: Option<usize>,
    /// The virtual machine, where it is about one.
    pub vm: Option<Vm>,
    /// The instant, where it is about one.
    pub at: Option<Time>,
    /// What was pinned, in words.
    pub expected: String,
    /// What came, in words.
    pub got: String,
}

/// A run that did not come to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    /// What sort of error.
    pub kind: ErrorKind,
    /// What happened, in sentences.
    pub because: Vec<String>,
}

/// What sort of error ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// An instant did not come to rest, or the run took more work than it may: `Scenario::step_budget`.
    StepBudget,
    /// The run reached the limit of virtual time, [`crate::play::TIME_LIMIT`].
    TimeLimit,
    /// A step could not be carried out.
    Step,
    /// The user did not want to wait for the end.
    Interrupted,
    /// A detector did not answer in time.
    Timeout,
    /// A detector ended before its time, or panicked.
    Died,
    /// A detector said something that is not in the protocol.
    Protocol,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::StepBudget,
        Self::TimeLimit,
        Self::Step,
        Self::Interrupted,
        Self::Timeout,
        Self::Died,
        Self::Protocol,
    ];

    /// Those that a scenario file can bring about.
    pub const OF_FILES: [Self; 3] = [Self::StepBudget, Self::TimeLimit, Self::Step];

    /// As reports name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StepBudget => "step-budget",
            Self::TimeLimit => "time-limit",
            Self::Step => "step",
            Self::Interrupted => "interrupted",
            Self::Timeout => "timeout",
            Self::Died => "died",
            Self::Protocol => "protocol",
        }
    }
}

/// What a scenario's run gave, with its verdict.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scenario's path in the catalog.
    pub scenario: String,
    /// The instant 0s.
    pub start: Time,
    /// The verdict.
    pub verdict: Verdict,
    /// A hash over everything that happened, alerts included.
    pub digest: u64,
    /// How many events the cluster's trace has.
    pub events: u64,
    /// How many observations, deletions and relists were delivered to the detector.
    pub observations: usize,
    /// Entries into statuses, in order; of generated machines only those that `expect` names.
    pub statuses: Vec<StatusEntry>,
    /// The detector's alerts, in its order.
    pub alerts: Vec<Alert>,
    /// How far delivery lagged behind the cluster at most: dwell counts from delivery. None where no cluster was played.
    pub lag: Option<Duration>,
}

/// A virtual machine's entry into a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// When.
    pub at: Time,
    /// The machine.
    pub vm: Vm,
    /// The status in its wire spelling; `deleted` when the machine is gone.
    pub status: ArcStr,
}
