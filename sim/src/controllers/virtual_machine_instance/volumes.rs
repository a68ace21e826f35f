//! What becomes of the claims and DataVolumes of an instance before it gets a pod, KubeVirt main 2026-08
//! (`d923fdb815cd`): `pkg/virt-controller/watch/vmi/datavolumes.go` and `pkg/storage/types`; 0.59 finds a missing claim
//! only when it renders the pod.

use super::{Pass, SyncError};
use crate::context::{Context, EventType};
use crate::objects::{
    Condition, Conditions, DataVolume, PersistentVolumeClaim, PodSpec, Truth, VirtualMachineInstance,
    VmVolume,
};
use crate::store::View;
use arcstr::ArcStr;
use std::sync::Arc;

/// Whether all volumes can be used, and whether one of them waits for a pod that uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Readiness {
    pub(super) ready: bool,
    pub(super) wait_for_first_consumer: bool,
}

/// How far one volume is.
enum VolumeState {
    Ready,
    WaitsForFirstConsumer,
    Filling,
    ClaimAbsent,
    /// The claim's owner does not exist.
    OwnerAbsent(ArcStr),
}

/// The DataVolumes behind the instance's volumes (`ListDataVolumesFromVolumes`).
pub(super) fn list_data_volumes(vmi: &VirtualMachineInstance, view: View<'_>) -> Vec<Arc<DataVolume>> {
    let namespace = &vmi.metadata.namespace;
    let names = vmi.spec.volumes.iter().filter_map(|volume| match &volume.persistent_volume_claim {
        Some(source) => {
            let (_, claim) = view.named::<PersistentVolumeClaim>(namespace, &source.claim_name)?;
            owner(claim).cloned()
        }
        None => Some(volume.data_volume.as_ref()?.name.clone()),
    });
    names.filter_map(|name| Some(Arc::clone(view.named::<DataVolume>(namespace, &name)?.1))).collect()
}

/// `areDataVolumesReady`.
pub(super) fn check(pass: &Pass, cx: &mut Context<'_>) -> Result<Readiness, SyncError> {
    let mut all = Readiness { ready: true, wait_for_first_consumer: false };
    for volume in &pass.vmi.spec.volumes {
        if !is_awaited(volume) {
            continue;
        }
        match state(volume, &pass.vmi, cx.view()) {
            VolumeState::Ready => {}
            VolumeState::WaitsForFirstConsumer => all.wait_for_first_consumer = true,
            VolumeState::Filling => all.ready = false,
            VolumeState::ClaimAbsent if !cx.config.kubevirt.profile().waits_for_claims => {}
            VolumeState::ClaimAbsent => return Err(no_claim(pass, volume, cx)),
            VolumeState::OwnerAbsent(error) => {
                let message = format!("Error determining if volume is ready: {error}");
                cx.event(&*pass.vmi, EventType::Warning, "FailedPvcNotFound", &message);
                let message = arcstr::format!("Error determining if volume is ready {error}");
                return Err(SyncError::new(arcstr::literal!("FailedDataVolumeImport"), message));
            }
        }
    }
    Ok(all)
}

/// The first claim of the pod that does not exist.
pub(super) fn missing_claim<'a>(
    vmi: &VirtualMachineInstance,
    pod: &'a PodSpec,
    view: View<'_>,
) -> Option<&'a ArcStr> {
    let namespace = &vmi.metadata.namespace;
    let claims = pod.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
    let mut names = claims.map(|source| &source.claim_name);
    names.find(|name| view.named::<PersistentVolumeClaim>(namespace, name).is_none())
}

/// DataVolumesReady, which has no times; nothing where there are no DataVolumes (`aggregateDataVolumesConditions`).
pub(super) fn aggregate_conditions(volumes: &[Arc<DataVolume>]) -> Option<Condition> {
    if volumes.is_empty() {
        return None;
    }
    let ready = |volume: &Arc<DataVolume>| {
        volume.status.conditions.condition("Ready").map_or(Truth::Unknown, |ready| ready.status)
    };
    let statuses: Vec<Truth> = volumes.iter().map(ready).collect();
    let not_true = statuses.iter().copied().find(|status| *status != Truth::True);
    let status = if statuses.contains(&Truth::False) { Some(Truth::False) } else { not_true };
    let (status, reason, message) = match status {
        None => (
            Truth::True,
            arcstr::literal!("AllDVsReady"),
            arcstr::literal!("All of the VMI's DVs are bound and ready"),
        ),
        Some(status) => (
            status,
            arcstr::literal!("NotAllDVsReady"),
            arcstr::literal!("Not all of the VMI's DVs are ready"),
        ),
    };
    let kind = arcstr::literal!("DataVolumesReady");
    Some(Condition { kind, status, reason, message, ..Condition::default() })
}

/// Claims and DataVolumes are waited for, unless they may be plugged in later.
fn is_awaited(volume: &VmVolume) -> bool {
    let claim = volume.persistent_volume_claim.as_ref().map(|source| source.hotpluggable);
    let data_volume = volume.data_volume.as_ref().map(|source| source.hotpluggable);
    data_volume.or(claim).is_some_and(|hotpluggable| !hotpluggable)
}

/// `VolumeReadyToAttachToNode`.
fn state(volume: &VmVolume, vmi: &VirtualMachineInstance, view: View<'_>) -> VolumeState {
    let namespace = &vmi.metadata.namespace;
    let Some(name) = volume.claim_name() else { return VolumeState::Ready };
    let Some((_, claim)) = view.named::<PersistentVolumeClaim>(namespace, name) else {
        return VolumeState::ClaimAbsent;
    };
    let Some(owner) = owner(claim) else { return VolumeState::Ready };
    let Some((_, owner)) = view.named::<DataVolume>(namespace, owner) else {
        let error = arcstr::format!("unable to find datavolume {namespace}/{owner}");
        return VolumeState::OwnerAbsent(error);
    };
    match owner.status.phase.as_str() {
        "Succeeded" | "PendingPopulation" => VolumeState::Ready,
        "WaitForFirstConsumer" => VolumeState::WaitsForFirstConsumer,
        _ => VolumeState::Filling,
    }
}

/// The DataVolume that controls a claim.
fn owner(claim: &PersistentVolumeClaim) -> Option<&ArcStr> {
    let owner = claim.metadata.controller().filter(|owner| owner.kind == "DataVolume");
    owner.map(|owner| &owner.name)
}

fn no_claim(pass: &Pass, volume: &VmVolume, cx: &mut Context<'_>) -> SyncError {
    let name = volume.claim_name().expect("a volume without claim name has no claim to miss");
    let namespace = &pass.vmi.metadata.namespace;
    let message = arcstr::format!("PVC {namespace}/{name} does not exist, waiting for it to appear");
    cx.event(&*pass.vmi, EventType::Normal, "FailedPvcNotFound", &message);
    SyncError::informal(arcstr::literal!("FailedPvcNotFound"), message)
}
