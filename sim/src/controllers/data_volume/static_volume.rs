//! DataVolumes that look for a volume that is there already (annotation storage.checkStaticVolume).
//!
//! CDI main 2026-08: `pkg/controller/datavolume/controller-base.go` (`handleStaticVolume`).

use super::render::satisfies;
use super::sync::SyncState;
use crate::context::Context;
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::is_bound;
use crate::controllers::cdi::errors::CdiError;
use crate::objects::{PersistentVolume, PersistentVolumeClaim};
use arcstr::ArcStr;

/// Makes the claim for the volumes that wait for it, or sees whether it was bound to one of them. Returns whether the
/// sync step ends here.
pub(super) fn handle(state: &mut SyncState, cx: &mut Context<'_>) -> Result<bool, CdiError> {
    if !state.dv.metadata.annotations.contains_key(&ann::CHECK_STATIC_VOLUME) {
        return Ok(false);
    }
    let Some(claim) = &mut state.claim else {
        let volumes = available_volumes(state, cx);
        if volumes.is_empty() {
            return Ok(false);
        }
        state.create_claim(cx, |cx, dv, claim| {
            let list =
                serde_json::Value::from(waiting_for(cx, &dv.metadata.namespace, &dv.metadata.name, claim));
            claim.metadata.annotations.insert(ann::PERSISTENT_VOLUME_LIST, list.to_string());
        })?;
        return Ok(true);
    };
    let Some(list) = claim.annotation(&ann::PERSISTENT_VOLUME_LIST) else { return Ok(false) };
    if !is_bound(&claim.object) {
        return Ok(true);
    }
    let volumes: Vec<ArcStr> =
        serde_json::from_str(list).map_err(|error| CdiError::Resource(arcstr::format!("{error}")))?;
    if volumes.contains(&claim.object.spec.volume_name) {
        let annotations = &mut claim.object.metadata.annotations;
        annotations.insert(ann::POPULATED_FOR, state.dv.metadata.name.clone());
        annotations.remove(&ann::PERSISTENT_VOLUME_LIST);
        claim.update(cx)?;
        return Ok(false);
    }
    cx.delete::<PersistentVolumeClaim>(claim.id)?;
    let volume = &claim.object.spec.volume_name;
    Err(CdiError::Resource(arcstr::format!("DataVolume bound to unexpected PV {volume}")))
}

fn available_volumes(state: &SyncState, cx: &Context<'_>) -> Vec<String> {
    let claim = PersistentVolumeClaim { spec: state.spec.clone(), ..PersistentVolumeClaim::default() };
    waiting_for(cx, &state.dv.metadata.namespace, &state.dv.metadata.name, &claim)
}

/// The free volumes that are kept for a claim of this name.
fn waiting_for(cx: &Context<'_>, namespace: &str, name: &str, claim: &PersistentVolumeClaim) -> Vec<String> {
    let volumes = cx.view().users_of_claim::<PersistentVolume>(namespace, name).map(|(_, volume)| volume);
    let waiting = volumes.filter(|volume| {
        let kept = volume.spec.claim_ref.as_ref();
        volume.status.phase == "Available"
            && kept.is_some_and(|kept| kept.namespace == namespace && kept.name == name)
            && satisfies(volume, &claim.spec)
    });
    waiting.map(|volume| volume.metadata.name.to_string()).collect()
}
