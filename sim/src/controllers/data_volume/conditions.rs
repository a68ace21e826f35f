//! The conditions Bound, Ready and Running of a DataVolume.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/conditions.go`, `controller-base.go` (`updateConditions`).

use crate::controllers::cdi::annotations::{self as ann, RunningAnnotations};
use crate::objects::{Condition, DataVolumeStatus, PersistentVolumeClaim, StrMap, Truth};
use arcstr::{ArcStr, literal};
use stuckvm_detector::Time;

pub(super) const BOUND: &str = "Bound";
pub(super) const READY: &str = "Ready";
pub(super) const RUNNING: &str = "Running";

/// Why a DataVolume is as it is, in one word and for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Why {
    pub(super) reason: ArcStr,
    pub(super) message: ArcStr,
}

impl Why {
    pub(super) fn new(reason: impl Into<ArcStr>, message: impl Into<ArcStr>) -> Self {
        Self { reason: reason.into(), message: message.into() }
    }
}

/// Sets the three conditions by phase and claim; `why` is what the sync step says where there is no claim.
pub(super) fn update(
    status: &mut DataVolumeStatus,
    claim: Option<&PersistentVolumeClaim>,
    why: &Why,
    now: Time,
) {
    let ready = match status.phase.as_str() {
        "Succeeded" => Truth::True,
        "Unknown" => Truth::Unknown,
        _ => Truth::False,
    };
    let mut conditions = Writer { conditions: &mut status.conditions, now: now.truncate_to_secs() };
    conditions.update_bound(claim, why);
    conditions.set(READY, ready, why.clone());
    let none = StrMap::new();
    conditions.update_running(claim.map_or(&none, |claim| &claim.metadata.annotations));
}

struct Writer<'a> {
    conditions: &'a mut Vec<Condition>,
    now: Time,
}

impl Writer<'_> {
    /// Writes a condition: another status changes its transition time, another reason or message its heartbeat only.
    fn set(&mut self, kind: &'static str, status: Truth, why: Why) {
        let found = self.conditions.iter().position(|condition| condition.kind == kind);
        let is_new = found.is_none();
        let at = found.unwrap_or(self.conditions.len());
        if is_new {
            self.conditions.push(Condition { kind: kind.into(), ..Condition::default() });
        }
        let condition = &mut self.conditions[at];
        let turns = is_new || condition.status != status;
        if turns {
            condition.last_transition_time = Some(self.now);
        }
        if turns || condition.reason != why.reason || condition.message != why.message {
            condition.last_heartbeat_time = Some(self.now);
            condition.reason = why.reason;
            condition.message = why.message;
        }
        condition.status = status;
    }

    fn not_bound(&mut self, why: Why) {
        self.set(BOUND, Truth::False, why);
        self.set(READY, Truth::False, Why::default());
    }

    fn update_bound(&mut self, claim: Option<&PersistentVolumeClaim>, why: &Why) {
        let Some(claim) = claim else {
            let or = |text: &ArcStr, default: ArcStr| if text.is_empty() { default } else { text.clone() };
            let reason = or(&why.reason, literal!("NotFound"));
            return self.not_bound(Why { reason, message: or(&why.message, literal!("No PVC found")) });
        };
        let name = &claim.metadata.name;
        match (claim.status.phase.as_str(), bound_override(claim)) {
            ("Bound", None) => {
                self.set(BOUND, Truth::True, Why::new("Bound", arcstr::format!("PVC {name} Bound")));
            }
            ("Bound", Some(why)) => self.not_bound(why),
            ("Pending", None) => self.not_bound(Why::new("Pending", arcstr::format!("PVC {name} Pending"))),
            ("Pending", Some(why)) => {
                let prime = claim.metadata.annotations.get(&ann::PVC_PRIME_NAME);
                let prime = prime.map(|prime| arcstr::format!("[{prime}] : ")).unwrap_or_default();
                let message = arcstr::format!("target PVC {name} Pending and {prime}{}", why.message);
                self.not_bound(Why { reason: why.reason, message });
            }
            ("Lost", _) => self.not_bound(Why::new("ClaimLost", "Claim Lost")),
            _ => self.not_bound(Why::default()),
        }
    }

    fn update_running(&mut self, annotations: &StrMap) {
        if annotations.has(&ann::POD_SCHEDULABLE, "false") {
            let why = Why::new("Unschedulable", "Importer pod cannot be scheduled");
            return self.set(RUNNING, Truth::False, why);
        }
        let target = Side::of(annotations, &ann::TARGET_SIDE);
        match truth(annotations.get(&ann::RUNNING_CONDITION)) {
            Some(Truth::True) => self.update_with_target_running(target, annotations),
            Some(Truth::False) => self.update_with_target_not_running(target, annotations),
            Some(Truth::Unknown) => self.set(RUNNING, Truth::Unknown, target.why),
            None => self.set(RUNNING, Truth::False, target.why),
        }
    }

    fn update_with_target_running(&mut self, target: Side, annotations: &StrMap) {
        let source = Side::of(annotations, &ann::SOURCE_SIDE);
        match source.running {
            None | Some(Truth::True) => {
                self.set(RUNNING, Truth::True, target.why);
                self.set(READY, Truth::False, Why::new("TransferRunning", ""));
            }
            Some(status) => self.set(RUNNING, status, source.why),
        }
    }

    fn update_with_target_not_running(&mut self, target: Side, annotations: &StrMap) {
        let source = Side::of(annotations, &ann::SOURCE_SIDE);
        match source.running {
            None | Some(Truth::True) => self.set(RUNNING, Truth::False, target.why),
            Some(status) => {
                let reason = arcstr::format!("{} and {}", target.why.reason, source.why.reason);
                let message = arcstr::format!("{} and {}", target.why.message, source.why.message);
                self.set(RUNNING, status, Why { reason, message });
            }
        }
    }
}

/// What one side of a transfer says of itself.
struct Side {
    running: Option<Truth>,
    why: Why,
}

impl Side {
    fn of(annotations: &StrMap, side: &RunningAnnotations) -> Self {
        let text = |annotation| annotations.get(annotation).cloned().unwrap_or_default();
        Self {
            running: truth(annotations.get(&side.running)),
            why: Why { reason: text(&side.reason), message: text(&side.message) },
        }
    }
}

/// `true` or `false` in whatever case, Unknown for other text.
fn truth(text: Option<&ArcStr>) -> Option<Truth> {
    text.map(|text| match text {
        text if text.eq_ignore_ascii_case("true") => Truth::True,
        text if text.eq_ignore_ascii_case("false") => Truth::False,
        _ => Truth::Unknown,
    })
}

/// What the claim's annotations say in place of its phase, unless they say that it is bound.
fn bound_override(claim: &PersistentVolumeClaim) -> Option<Why> {
    let annotations = &claim.metadata.annotations;
    if truth(annotations.get(&ann::BOUND_CONDITION))? == Truth::True {
        return None;
    }
    let text = |annotation: ArcStr| annotations.get(&annotation).cloned().unwrap_or_default();
    Some(Why { reason: text(ann::BOUND_CONDITION_REASON), message: text(ann::BOUND_CONDITION_MESSAGE) })
}
