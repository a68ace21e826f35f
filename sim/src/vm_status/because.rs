//! Why a status holds, in a few words for people.

use super::{Situation, volumes};
use crate::objects::{Conditions, DataVolume};
use stuckvm_detector::PrintableStatus;

/// What made the row of this status hold.
pub(super) fn because(status: PrintableStatus, s: &Situation<'_>) -> String {
    match status {
        PrintableStatus::Terminating => "vm deletionTimestamp".to_owned(),
        PrintableStatus::Stopping if s.vmi.is_some_and(|vmi| vmi.metadata.is_deleting()) => {
            "vmi deletionTimestamp".to_owned()
        }
        PrintableStatus::Stopping => "vmi delete outstanding".to_owned(),
        PrintableStatus::Migrating => "vmi migrationState started and not ended".to_owned(),
        PrintableStatus::Paused => condition(s, "Paused"),
        PrintableStatus::PvcNotFound | PrintableStatus::ErrImagePull | PrintableStatus::ImagePullBackOff => {
            condition(s, "Synchronized")
        }
        PrintableStatus::Unschedulable => condition(s, "PodScheduled"),
        PrintableStatus::DataVolumeError => {
            volumes::broken_data_volume(s).map_or_else(String::new, |dv| data_volume(dv))
        }
        PrintableStatus::Provisioning => {
            volumes::data_volume_in_progress(s).map_or_else(String::new, |dv| phase_of(dv))
        }
        PrintableStatus::WaitingForVolumeBinding => {
            let claim = volumes::unbound_claim(s);
            let claim = claim.map(|claim| (claim.metadata.name.as_str(), claim.status.phase.as_str()));
            let (name, phase) = claim.unwrap_or_default();
            format!("pvc {name} phase={phase}")
        }
        PrintableStatus::CrashLoopBackOff => {
            let failures =
                s.status.start_failure.as_ref().map_or(0, |failure| failure.consecutive_fail_count);
            format!("vm startFailure consecutiveFailCount={failures}")
        }
        PrintableStatus::Starting if s.vmi.is_none() => "vmi create outstanding".to_owned(),
        _ => s.vmi.map_or_else(|| "no vmi".to_owned(), |vmi| format!("vmi phase={}", vmi.status.phase)),
    }
}

fn condition(s: &Situation<'_>, kind: &str) -> String {
    let found = s.vmi.and_then(|vmi| vmi.status.conditions.condition(kind));
    let found = found.map(|found| (found.status.as_str(), found.reason.as_str()));
    let (status, reason) = found.unwrap_or_default();
    format!("vmi condition {kind}={status} reason={reason}")
}

fn data_volume(dv: &DataVolume) -> String {
    if dv.status.phase == "Failed" {
        return phase_of(dv);
    }
    let reason = dv.status.conditions.condition("Running").map_or("", |running| running.reason.as_str());
    format!("dv {} condition Running=False reason={reason}", dv.metadata.name)
}

fn phase_of(dv: &DataVolume) -> String {
    format!("dv {} phase={}", dv.metadata.name, dv.status.phase)
}
