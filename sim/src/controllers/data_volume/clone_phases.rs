//! The phases of a DataVolume that is a copy.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/clone-controller-base.go` (`updateStatusPhase`, `setEventForPhase`).

use super::clone_source::{self, CloneSource};
use super::phases::fails_with_its_pod;
use super::status::{StatusUpdate, phase};
use super::sync::PhaseEvent;
use crate::context::{Context, EventType};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, is_bound, requires_work, uses_populator};
use crate::controllers::cdi::errors::CdiError;
use crate::objects::DataVolume;
use arcstr::{ArcStr, literal};

/// Sets phase and event of a copy.
pub(super) fn update(update: &mut StatusUpdate<'_>, cx: &Context<'_>, claim: &Claim) -> Result<(), CdiError> {
    let mut dv = update.dv.clone();
    clone_source::populate(cx.view(), &mut dv)?;
    let Some(source) = CloneSource::of(&dv) else { return Ok(()) };
    if uses_populator(&claim.object)? {
        clone_by_populator(update, claim, &source);
        return Ok(());
    }
    let pod_phase = claim.annotation(&ann::POD_PHASE).map_or("", ArcStr::as_str);
    if pod_phase != "Succeeded" {
        let is_requested = claim.annotation(&ann::CLONE_REQUEST).is_some();
        if !is_requested || !is_bound(&claim.object) || !requires_work(cx.config, &claim.object, update.dv) {
            return Ok(());
        }
        update.status.phase = phase("CloneScheduled");
    }
    let texts = Texts { source: &source, dv: update.dv };
    let told = match pod_phase {
        "Pending" => "CloneScheduled",
        "Running" => "CloneInProgress",
        "Failed" => {
            if fails_with_its_pod(cx) {
                update.status.phase = phase("Failed");
            }
            let text = arcstr::format!("Cloning from {} failed", texts.route());
            update.event = Some(PhaseEvent::new(EventType::Warning, "CloneFailed", text));
            return Ok(());
        }
        "Succeeded" => {
            update.status.progress = literal!("100.0%");
            "Succeeded"
        }
        _ => return Ok(()),
    };
    update.event = texts.event(told);
    update.status.phase = phase(told);
    Ok(())
}

/// `updateStatusPhaseForPopulator`: an error does not make the DataVolume Failed.
fn clone_by_populator(update: &mut StatusUpdate<'_>, claim: &Claim, source: &CloneSource) {
    const PHASES: [(&str, &str); 10] = [
        ("", "CloneScheduled"),
        ("Pending", "CloneScheduled"),
        ("Succeeded", "Succeeded"),
        ("CSIClone", "CSICloneInProgress"),
        ("HostClone", "CloneInProgress"),
        ("PrepClaim", "PrepClaimInProgress"),
        ("Rebind", "RebindInProgress"),
        ("SnapshotClone", "CloneFromSnapshotSourceInProgress"),
        ("Snapshot", "SnapshotForSmartCloneInProgress"),
        ("Error", "Failed"),
    ];
    let told = claim.annotation(&ann::CLONE_PHASE).map_or("", ArcStr::as_str);
    let Some((_, found)) = PHASES.iter().find(|(populator, _)| *populator == told) else { return };
    if *found != "Failed" {
        update.status.phase = phase(found);
    }
    update.event = Texts { source, dv: update.dv }.event(found);
}

/// What a clone says that waits for its source.
pub(super) fn scheduled(source: &CloneSource, dv: &DataVolume) -> PhaseEvent {
    Texts { source, dv }.event("CloneScheduled").expect("the phase has a text")
}

/// What the phases of a clone say.
struct Texts<'a> {
    source: &'a CloneSource,
    dv: &'a DataVolume,
}

impl Texts<'_> {
    fn route(&self) -> String {
        let (from, into) = (self.source, &self.dv.metadata);
        format!("{}/{} into {}/{}", from.namespace, from.name, into.namespace, into.name)
    }

    /// `setEventForPhase`.
    fn event(&self, phase: &'static str) -> Option<PhaseEvent> {
        let CloneSource { kind, namespace, name } = self.source;
        let (from, into) = (format!("{namespace}/{name}"), &self.dv.metadata);
        let dv = format!("{}/{}", into.namespace, into.name);
        let text = match phase {
            "CloneScheduled" => format!("Cloning from {} scheduled", self.route()),
            "CloneInProgress" => format!("Cloning from {} in progress", self.route()),
            "Succeeded" => format!("Successfully cloned from {}", self.route()),
            "SnapshotForSmartCloneInProgress" => {
                format!("Creating snapshot for smart-clone is in progress (for pvc {from})")
            }
            "CloneFromSnapshotSourceInProgress" => {
                format!("Creating PVC from snapshot source is in progress (for {kind} {from})")
            }
            "CSICloneInProgress" => format!("CSI Volume clone in progress (for pvc {from})"),
            "PrepClaimInProgress" => format!("Prepping PersistentVolumeClaim for DataVolume {dv}"),
            "RebindInProgress" => format!("Rebinding PersistentVolumeClaim for DataVolume {dv}"),
            _ => return None,
        };
        let reason = if phase == "Succeeded" { "CloneSucceeded" } else { phase };
        Some(PhaseEvent::new(EventType::Normal, reason, text))
    }
}
