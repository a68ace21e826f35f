//! What a detector is put to.

use crate::oracle::Thresholds;
use crate::play::Played;
use crate::stream::Input;
use stuckvm_detector::Time;

/// A delivered stream, and what holds while it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// A path, such as `pvc-not-found/stuck` or `contract/R3/ends-at-the-deadline/Unknown`.
    pub name: String,
    /// The instant that reports count from.
    pub start: Time,
    /// How long an episode must last to fire.
    pub thresholds: Thresholds,
    /// What is delivered, in order.
    pub inputs: Vec<Input>,
    /// After how many inputs the detector is stopped and a new one goes on from its snapshot (R11), in ascending order.
    pub restarts: Vec<usize>,
}

impl Case {
    /// What a played scenario delivered.
    pub fn of_scenario(name: &str, played: &Played) -> Self {
        Self {
            name: name.to_owned(),
            start: played.start,
            thresholds: played.thresholds.clone(),
            inputs: played.inputs.clone(),
            restarts: played.restarts.clone(),
        }
    }
}
